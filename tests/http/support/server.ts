import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import pino from 'pino';
import tap from 'tap';
import { z } from 'zod';
import { type AnyBinding, bind, type Outcome } from '../../../src/commands/binding.ts';
import type { Request } from '../../../src/commands/pipeline.ts';
import { parseConfig } from '../../../src/config.ts';
import { commandsOf, decider } from '../../../src/domain/decider.ts';
import { type App, createApp, type Deps, type Rights } from '../../../src/http/app.ts';
import { createMetrics } from '../../../src/metrics.ts';
import type { ReadModels } from '../../../src/projections/index.ts';
import { testDatabase } from '../../support/postgres.ts';

type Test = { after: (callback: () => Promise<void>) => unknown };

/** An aggregate of tests: boxes with labels. */
const box = decider<
  { readonly labels: number },
  { readonly type: 'BoxLabelled'; readonly data: { readonly boxId: string } }
>({
  category: 'box',
  events: { BoxLabelled: z.object({ boxId: z.uuid() }) },
  initial: { labels: 0 },
  evolve: ({ labels }) => ({ labels: labels + 1 }),
});
const command = commandsOf(box);
const Label = z.object({ boxId: z.uuid(), label: z.string().trim().min(1).max(20) });
export const labelBox = command('LabelBox', Label, ({ boxId }) => [{ type: 'BoxLabelled', data: { boxId } }]);
const openBox = command('OpenBox', z.object({ secret: z.string() }), () => []);
const sealBox = command('SealBox', z.object({ boxId: z.uuid() }), () => []);
const stream = () => 'one';
const Answer = z.object({ boxId: z.uuid(), label: z.string() });

export const bindings: readonly AnyBinding[] = [
  bind(labelBox, {
    path: ['PUT /boxes/:boxId/label', 'DELETE /boxes/:boxId/label'],
    access: 'write:boxes',
    stream,
    status: 201,
    answer: { schema: Answer, of: ({ input }) => input },
    summary: 'Labels a box',
    example: { label: 'Books' },
  }),
  bind(openBox, {
    path: 'POST /boxes/open',
    access: 'anyone',
    credential: true,
    stream,
    summary: 'Opens a box',
    example: { secret: 'sesame' },
  }),
  bind(sealBox, {
    path: 'POST /boxes/:boxId/seal',
    access: 'loggedIn',
    internal: true,
    stream,
    summary: 'Seals a box',
    example: {},
  }),
];

export type Server = {
  readonly app: App;
  readonly deps: Deps;
  /** What reached the command pipeline. */
  readonly executed: { readonly command: string; readonly request: Request }[];
  /** Logs an account in that holds these rights; gives the headers that its requests carry. */
  readonly login: (rights?: Partial<Rights>) => {
    readonly authorization: string;
    readonly accountId: string;
    readonly sessionId: string;
  };
  /** Ends a login session. */
  readonly end: (sessionId: string) => void;
  /** Everything written to the log, parsed. */
  readonly lines: () => Record<string, unknown>[];
  /** What the pipeline answers next, instead of success; a function may throw. */
  answerWith: (outcome: () => Outcome | Promise<Outcome>) => void;
};

/** One database for all servers of a test file: what they keep in it is told apart by addresses and accounts. */
let shared: ReturnType<typeof testDatabase> | undefined;
const sharedDatabase = () => {
  shared ??= testDatabase(tap, { migrate: true });
  return shared;
};

export type ServerOptions = {
  /** For tests that change tables. */
  readonly ownDatabase?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly deps?: Partial<Deps>;
  /** The clock of its rules. */
  readonly now?: () => Date;
  /** More routes below /api/v1. */
  readonly routes?: (app: App, deps: Deps) => unknown;
  /** Bindings of its own instead of the boxes. */
  readonly bindings?: readonly AnyBinding[];
};

/** The HTTP server on a database of the test's own, in front of a pipeline that accepts every input that parses. */
export const server = async (t: Test, options: ServerOptions = {}): Promise<Server> => {
  const { pool } = options.ownDatabase ? await testDatabase(t, { migrate: true }) : await sharedDatabase();
  const executed: { command: string; request: Request }[] = [];
  const accounts = new Map<string, Rights>();
  const ended = new Set<string>();
  let text = '';
  let next: (() => Outcome | Promise<Outcome>) | undefined;
  const config = parseConfig({ NODE_ENV: 'test', RATE_LIMIT_SCALE: '1000', ...options.environment });
  const unused = new Proxy({}, { get: () => () => Promise.reject(new Error('Not used here')) });
  const deps: Deps = {
    config,
    secrets: { jwtSecret: 's'.repeat(32), masterKey: 'm'.repeat(32), adminPassword: 'p'.repeat(12) },
    log: pino(
      { level: 'info' },
      {
        write: (line: string) => {
          text += line;
        },
      },
    ),
    metrics: createMetrics(),
    pool,
    db: new Kysely<ReadModels>({ dialect: new PostgresDialect({ pool }) }),
    // Refused requests are recorded behind every answer; here nobody reads of them.
    store: {
      ...(unused as Deps['store']),
      head: async () => 0n,
      append: async () => ({ ok: true, revision: 0, position: 0n, repeated: false }),
    },
    feed: unused as Deps['feed'],
    codec: { ...(unused as Deps['codec']), encode: async () => [] },
    commands: {
      execute: async (binding, request) => {
        executed.push({ command: binding.command.name, request });
        const given = next;
        next = undefined;
        if (given !== undefined) return given();
        const parsed = binding.command.input.safeParse(request.input);
        if (!parsed.success)
          return {
            ok: false,
            code: 'VALIDATION_ERROR',
            reason: 'input-invalid',
            message: 'Some fields are not acceptable',
            details: parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message })),
          };
        return {
          ok: true,
          stream: 'box-one',
          revision: 3,
          version: 3,
          position: 42n,
          data: parsed.data,
          replayed: false,
        };
      },
      reads: {
        ...(unused as Deps['commands']['reads']),
        hash: (purpose, value) => `${purpose}/${value}`,
        now: () => options.now?.() ?? new Date(),
      },
    },
    bindings: options.bindings ?? bindings,
    caughtUp: async () => undefined,
    progress: async () => [],
    circuits: [],
    rights: { of: (accountId) => accounts.get(accountId) },
    sessions: { alive: (sessionId) => !ended.has(sessionId) },
    presence: { seen: async () => {}, onChange: () => {} },
    ...options.deps,
  };
  const app = await createApp(deps, options.routes === undefined ? [] : [options.routes]);
  await app.ready();
  t.after(() => app.close());
  return {
    app,
    deps,
    executed,
    login: (rights = {}) => {
      const accountId = randomUUID();
      const sessionId = randomUUID();
      accounts.set(accountId, {
        permissions: [],
        roles: ['free'],
        plan: 'free',
        verified: true,
        active: true,
        ...rights,
      });
      const token = app.auth.signAccessToken({
        sub: accountId,
        sid: sessionId,
        email: 'someone@example.org',
        role: 'free',
        roles: ['free'],
        permissions: [],
      });
      return { authorization: `Bearer ${token}`, accountId, sessionId };
    },
    end: (sessionId) => ended.add(sessionId),
    lines: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    answerWith: (outcome) => {
      next = outcome;
    },
  };
};
