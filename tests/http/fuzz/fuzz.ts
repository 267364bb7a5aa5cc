import { z } from 'zod';
import { freePort } from '../../../src/postgres/cluster.ts';
import { browser } from '../../support/browser.ts';
import { google } from '../../support/google.ts';
import { chance } from './chance.ts';
import { envelopeOf, operationsOf } from './document.ts';
import { createHarness, type Failure, type Harness } from './harness.ts';
import { createLeaks, type Leaks } from './leaks.ts';
import { createPool } from './pool.ts';
import { rawCases, rawFault } from './raw.ts';
import { startTarget, type Target } from './target.ts';
import { tour, unreachable } from './tour.ts';
import { trespass } from './trespass.ts';
import { settle, until } from './world.ts';

export type Options = {
  /** How many generated requests; those that set the scene come on top. */
  readonly requests: number;
  /** The same seed makes the same requests, as far as they do not hang on what the service made up. */
  readonly seed: number;
  /** A database without anything in it but tables, if that. */
  readonly connectionString: string;
  /** Told of every thousand requests. */
  readonly progress?: (done: number) => void;
};

export type Report = {
  readonly operations: number;
  /** Everything sent, the setting of the scene included. */
  readonly requests: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly callers: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  /** Operations that never answered with success although they could. */
  readonly unreached: readonly string[];
  /** How many of them went straight for the victim's things. */
  readonly trespasses: number;
  readonly canaries: number;
  /** Groups of canaries that callers were shown by right. */
  readonly shown: ReturnType<Leaks['shown']>;
  readonly rawCases: number;
  readonly logLines: number;
};

const Position = z.object({
  data: z.object({ projections: z.array(z.object({ name: z.string(), parked: z.int(), lagEvents: z.int() })) }),
});

const levelOf = (line: string): string => {
  try {
    return String((JSON.parse(line) as { level?: unknown }).level);
  } catch {
    return 'text';
  }
};

/** Between two looks at how far the read models have come, in milliseconds: an answer asks about each of them. */
const LOOK_MS = 250;

/** Looks at what the attack has left: the log, the read models, the health of the service. */
const inspect = async (target: Target, { call, failures }: Harness, leaks: Leaks): Promise<number> => {
  const note = (what: string, reproduce = ''): void => {
    failures.push({ what, index: -1, reproduce });
  };
  let behind = '';
  const atTheEnd = async (): Promise<boolean> => {
    const { reply } = await call('admin', 'GET', '/health/comprehensive');
    const { projections } = Position.parse(reply.json).data;
    behind = JSON.stringify(projections.filter(({ parked, lagEvents }) => parked === 0 && lagEvents > 0));
    return behind === '[]';
  };
  await until('read models at the end of the log', atTheEnd, LOOK_MS).catch(() =>
    note('read models do not come to the end of the log', behind),
  );
  const { reply } = await call('admin', 'GET', '/health/comprehensive');
  const parked = Position.parse(reply.json).data.projections.filter(({ parked }) => parked > 0);
  if (parked.length > 0) note('a read model has set events aside', JSON.stringify(parked));
  const ready = await call('nobody', 'GET', '/health/ready');
  if (ready.status !== 200) note('the service is not ready', ready.reply.text);
  const { code, output } = await target.cli('projections', 'verify');
  if (code !== 0 || !output.includes('rows agree')) note('read models differ from a rebuild', output);

  const lines = target.log().split('\n').filter(Boolean);
  for (const line of lines.filter((each) => ['error', 'critical'].includes(levelOf(each))).slice(0, 5))
    note('the log tells of a defect', line.slice(0, 1_500));
  const marked = lines.filter((line) => leaks.inText(line).length > 0);
  for (const line of marked.slice(0, 5)) note(`the log holds ${leaks.inText(line).join()}`, line.slice(0, 1_500));
  if (target.complaints() !== '') note('the process complains', target.complaints().slice(0, 2_000));
  return lines.length;
};

/** A server in Google's place to sign in with and to connect, and somebody who says yes there. */
const signInProvider = async () => {
  const ends: (() => Promise<void>)[] = [];
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const provider = await google({ after: (end) => ends.push(end) });
  provider.control.as = { sub: 'resident', email: 'resident@provider.example' };
  return {
    variables: {
      PORT: String(port),
      PUBLIC_URL: origin,
      OAUTH_REDIRECT_URIS: 'https://app.example.org/signed-in',
      GOOGLE_CLIENT_ID: provider.client.id,
      GOOGLE_CLIENT_SECRET: provider.client.secret,
      GOOGLE_ISSUER: provider.url,
      GOOGLE_API_URL: provider.url,
      CORS_ORIGINS: 'https://app.example.org',
    },
    consent: (authorizationUrl: string): Promise<URL> =>
      browser({}).follow(authorizationUrl, (url) => url.origin === origin),
    stop: async () => {
      for (const end of ends) await end();
    },
  };
};

/** Plays the whole thing: a service, its people, a tour of all routes, then chance, then bytes that are no requests. */
export const fuzz = async ({ requests, seed, connectionString, progress }: Options): Promise<Report> => {
  const provider = await signInProvider();
  const target = await startTarget(connectionString, provider.variables).catch(async (error: unknown) => {
    await provider.stop();
    throw error;
  });
  const failures: Failure[] = [];
  try {
    const document: unknown = await (await fetch(`${target.url}/docs/openapi.json`)).json();
    const operations = operationsOf(document);
    const leaks = createLeaks();
    const harness = createHarness(target, operations, envelopeOf(document), leaks);
    // What the victim wrote must not come back as somebody else's words.
    const pool = createPool((value) => leaks.inText(value).length === 0);
    const world = await settle(harness.call, harness.people, pool, leaks);
    const reached = await tour(harness.call, operations, world, pool, provider.consent);
    const trespasses = await trespass(harness, operations, world);
    await chance(harness, operations, world, pool, { requests, seed, ...(progress === undefined ? {} : { progress }) });
    for (const one of rawCases) {
      const fault = await rawFault(target.url, one);
      const reproduce = JSON.stringify(one.parts.map(String)).slice(0, 400);
      if (fault !== undefined)
        harness.failures.push({ what: `raw socket, ${one.name}: ${fault}`, index: -1, reproduce });
    }
    const logLines = await inspect(target, harness, leaks);
    failures.push(...harness.failures);
    const missed = operations.filter(
      ({ id }) => !harness.succeeded.has(id) && !reached.has(id) && !(id in unreachable),
    );
    return {
      operations: operations.length,
      ...harness.tally(),
      failures,
      unreached: missed.map(({ id }) => id),
      trespasses,
      canaries: leaks.count(),
      shown: leaks.shown(),
      rawCases: rawCases.length,
      logLines,
    };
  } finally {
    const code = await target.stop();
    await provider.stop();
    if (code !== 0)
      failures.push({ what: `the service ended with ${code}`, index: -1, reproduce: target.complaints() });
  }
};
