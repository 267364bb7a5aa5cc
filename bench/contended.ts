import { randomBytes, randomUUID } from 'node:crypto';
import { createAggregates } from '../src/commands/aggregates.ts';
import { bindings } from '../src/commands/bindings.ts';
import { createJudge } from '../src/commands/lines.ts';
import { createPasswords } from '../src/commands/passwords.ts';
import { createCommands } from '../src/commands/pipeline.ts';
import { domainFingerprint, postgresSnapshots } from '../src/commands/snapshots.ts';
import { deciders } from '../src/domain/catalogue.ts';
import { createCodec } from '../src/eventstore/codec.ts';
import { keyRing } from '../src/eventstore/keyRing.ts';
import { postgresEventStore } from '../src/eventstore/postgres/index.ts';
import { masterKeys } from '../src/masterKeys.ts';
import { createPool } from '../src/postgres/pool.ts';
import { noLookups } from '../tests/support/lookups.ts';
import { type Bench, type Context, ratio } from './bench.ts';
import { interleaved } from './rounds.ts';
import { sample } from './sample.ts';
import { MASTER_KEY } from './service/secrets.ts';
import { openSession, seed } from './service/seed.ts';
import { writing } from './writing.ts';

const WRITERS = 64;
const TURN_MS = 2_000;
const WARM_MS = 500;
const CONNECTIONS = 32;

/** What 64 writers on one stream get done; `wasted`: attempts refused for each one that was stored. */
type Outcome = { readonly rate: number; readonly wasted: number; readonly p50: number; readonly p99: number };

type Contender = { readonly turn: (ms: number) => Promise<Outcome>; readonly close: () => Promise<void> };

/**
 * Writers that append at the version they know, and after a refusal read what they have missed and try again. `known`
 * keeps their versions from turn to turn.
 */
const optimistic = async <Version>(
  ms: number,
  known: Version[],
  append: (version: Version) => Promise<Version | undefined>,
  catchUp: (version: Version) => Promise<Version>,
): Promise<Outcome> => {
  let attempts = 0;
  let stored = 0;
  const { rate, p50, p99 } = await writing(WRITERS, ms, async () => {
    // As many versions as writers: each takes the oldest and puts its own back.
    let version = known.shift() as Version;
    for (;;) {
      attempts += 1;
      const after = await append(version);
      if (after !== undefined) {
        known.push(after);
        break;
      }
      version = await catchUp(version);
    }
    stored += 1;
  });
  return { rate, wasted: (attempts - stored) / stored, p50, p99 };
};

/** The log alone, as writers in processes of their own would use it. */
const port = async ({ database }: Context): Promise<Contender> => {
  const { connectionString } = await database({ migrate: true });
  const store = postgresEventStore({ connectionString });
  const stream = `schedule-${randomUUID()}`;
  const known = Array.from({ length: WRITERS }, () => -1);
  return {
    turn: (ms) =>
      optimistic(
        ms,
        known,
        async (revision) => {
          const { id, type, data, metadata } = sample();
          const event = { id, type, data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
          const appended = await store.append(stream, revision < 0 ? 'noStream' : revision, [event]);
          return appended.ok ? appended.revision : undefined;
        },
        async (revision) =>
          (await store.readStream(stream, { from: revision + 1, limit: 10_000 })).at(-1)?.revision ?? revision,
      ),
    close: store.close,
  };
};

const emmett = async ({ database }: Context): Promise<Contender> => {
  const { emmettStore } = await import('./peers/emmett.ts');
  const store = await emmettStore((await database()).connectionString, CONNECTIONS);
  const stream = `schedule-${randomUUID()}`;
  const known = Array.from({ length: WRITERS }, () => 0n);
  return {
    turn: (ms) =>
      optimistic(
        ms,
        known,
        async (version) => ((await store.append(stream, version, [sample()])) ? version + 1n : undefined),
        (version) => store.versionAfter(stream, version),
      ),
    close: store.close,
  };
};

/** The whole command pipeline, where commands on one stream stand in a line: 64 people change their cards in one round. */
const commands = async ({ database }: Context): Promise<Contender> => {
  const { connectionString } = await database({ migrate: true });
  const voters = Array.from({ length: WRITERS }, () => ({ accountId: randomUUID(), sessionId: randomUUID() }));
  let place = { sessionId: '', storyId: '' };
  await seed(connectionString, async (append) => {
    place = await openSession(append, voters, 1);
  });
  const binding = bindings.find(({ command }) => command.name === 'CastVote');
  if (binding === undefined) throw new Error('There is no command CastVote');
  const pool = createPool(connectionString, 10, () => {});
  const store = postgresEventStore({ connectionString });
  const codec = createCodec(deciders, keyRing(pool, masterKeys(MASTER_KEY)));
  let conflicts = 0;
  const counted: typeof store = {
    ...store,
    append: async (...args) => {
      const appended = await store.append(...args);
      if (!appended.ok) conflicts += 1;
      return appended;
    },
  };
  const aggregates = createAggregates({
    store: counted,
    codec,
    snapshots: postgresSnapshots(pool, await domainFingerprint()),
  });
  const { execute } = createCommands({
    aggregates,
    judge: createJudge({ store: counted, codec, aggregates }),
    hashKey: randomBytes(32),
    lookups: noLookups,
    passwords: createPasswords(4),
  });
  const cards = new Map<string, string>(voters.map(({ accountId }) => [accountId, '']));
  return {
    turn: async (ms) => {
      const idle = [...cards.keys()];
      const before = conflicts;
      let stored = 0;
      const { rate, p50, p99 } = await writing(WRITERS, ms, async () => {
        const id = idle.pop() ?? '';
        const value = cards.get(id) === '3' ? '5' : '3';
        const outcome = await execute(binding, {
          input: { ...place, value },
          actor: { id, kind: 'user', permissions: ['*:*'], verified: true },
          correlationId: randomUUID(),
        });
        if (!outcome.ok) throw new Error(`CastVote was refused: ${outcome.reason}`);
        cards.set(id, value);
        idle.push(id);
        stored += 1;
      });
      return { rate, wasted: (conflicts - before) / stored, p50, p99 };
    },
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
};

/** Everybody wants to append to the same stream. */
export const contended: Bench = {
  name: 'contended',
  title: `${WRITERS} writers on one stream, with optimistic retries`,
  run: async (context) => {
    const contenders: Record<string, Contender> = {
      'Convene, commands': await commands(context),
      'Convene, log': await port(context),
      emmett: await emmett(context),
    };
    try {
      for (const { turn } of Object.values(contenders)) await turn(WARM_MS);
      const found: Record<string, Outcome> = await interleaved(
        context.rounds,
        Object.fromEntries(
          Object.entries(contenders).map(([who, { turn }]) => [who, () => turn(context.sized(TURN_MS))]),
        ),
      );
      const rate = (who: string): number => found[who]?.rate ?? Number.NaN;
      return {
        rows: Object.entries(found).flatMap(([who, { rate, wasted, p50, p99 }]) => [
          { who, metric: 'appends', value: rate, unit: 'events/s' },
          { who, metric: 'wasted attempts', value: wasted, unit: 'per append' },
          { who, metric: 'latency p50 with retries', value: p50, unit: 'ms' },
          { who, metric: 'latency p99 with retries', value: p99, unit: 'ms' },
        ]),
        ratios: {
          contended_log_vs_emmett: ratio(rate('Convene, log'), rate('emmett')),
          contended_commands_vs_emmett: ratio(rate('Convene, commands'), rate('emmett')),
        },
        goals: [],
      };
    } finally {
      await Promise.all(Object.values(contenders).map(({ close }) => close()));
    }
  },
};
