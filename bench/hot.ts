import { createAggregates } from '../src/commands/aggregates.ts';
import { bindings } from '../src/commands/bindings.ts';
import { createJudge } from '../src/commands/lines.ts';
import { createPasswords } from '../src/commands/passwords.ts';
import { createCommands } from '../src/commands/pipeline.ts';
import { domainFingerprint, postgresSnapshots } from '../src/commands/snapshots.ts';
import { deciders } from '../src/domain/catalogue.ts';
import { DECKS } from '../src/domain/estimation/decks.ts';
import { createCodec } from '../src/eventstore/codec.ts';
import { keyRing } from '../src/eventstore/keyRing.ts';
import { postgresEventStore } from '../src/eventstore/postgres/index.ts';
import { masterKeys } from '../src/masterKeys.ts';
import { createPool } from '../src/postgres/pool.ts';
import { uuid5, uuid7 } from '../src/uuid.ts';
import { noLookups } from '../tests/support/lookups.ts';
import { type Bench, type Context, type Findings, ratio } from './bench.ts';
import { latencies, median } from './rounds.ts';
import { MASTER_KEY } from './service/secrets.ts';
import { openSession, seed } from './service/seed.ts';

/** Events of the streams whose commands are compared. */
const LENGTHS = [10, 1_000, 10_000, 100_000] as const;
const COMMANDS = 200;
const PAGE = 1_000;
/** Namespace of the ids of earlier commands: each came with an Idempotency-Key, so each is remembered. */
const EARLIER = '3b1d7e0a-3c5e-5a55-9d52-6a8a8f1d2c01';

const measure = async ({ rounds, sized, database, says }: Context): Promise<Findings> => {
  const { connectionString, drop } = await database({ migrate: true });
  const pool = createPool(connectionString, 5, () => {});
  const store = postgresEventStore({ connectionString });
  const codec = createCodec(deciders, keyRing(pool, masterKeys(MASTER_KEY)));
  const fingerprint = await domainFingerprint();
  const castVote = bindings.find(({ command }) => command.name === 'CastVote');
  if (castVote === undefined) throw new Error('No binding for CastVote');
  const voter = { accountId: uuid7(), sessionId: uuid7() };
  const actor = {
    id: voter.accountId,
    kind: 'user',
    permissions: ['join:estimation-sessions'],
    verified: true,
  } as const;

  /** A session in which one voter has changed his mind so often that its stream is this long. */
  const sessionOf = async (length: number) => {
    const opened: { readonly sessionId: string; readonly storyId: string }[] = [];
    await seed(connectionString, async (append) => {
      opened.push(await openSession(append, [voter], length));
    });
    const [session] = opened;
    if (session === undefined) throw new Error('No session was opened');
    const stream = `estimationSession-${session.sessionId}`;
    const began = 4;
    for (let from = began; from < length; from += PAGE) {
      const numbers = Array.from({ length: Math.min(PAGE, length - from) }, (_, index) => from + index);
      const encoded = await Promise.all(
        numbers.map((number) => {
          const commandId = uuid5(`${session.sessionId}/${number}`, EARLIER);
          const type = number === began ? 'VoteCast' : 'VoteChanged';
          const value = DECKS.fibonacci[number % DECKS.fibonacci.length];
          const data = { ...session, round: 1, participantId: voter.accountId, value, salt: '0'.repeat(32) };
          const metadata = { commandId, command: 'CastVote', correlationId: commandId, payloadHash: '0'.repeat(64) };
          const by = { id: voter.accountId, kind: 'user' as const };
          return codec.encode([{ id: uuid5('0', commandId), type, data }], { ...metadata, actor: by });
        }),
      );
      const appended = await store.append(stream, from - 1, encoded.flat());
      if (!appended.ok) throw new Error(`Not appended: the stream is at ${appended.actual}`);
    }
    return { length, ...session };
  };

  let sent = 0;
  const revisions = new Map<string, number | undefined>();
  /** A process that has just started: it knows nothing. */
  const fresh = () => {
    const aggregates = createAggregates({ store, codec, snapshots: postgresSnapshots(pool, fingerprint) });
    const commands = createCommands({
      aggregates,
      judge: createJudge({ store, codec, aggregates }),
      hashKey: Buffer.alloc(32),
      lookups: noLookups,
      passwords: createPasswords(4),
    });
    return async ({
      sessionId,
      storyId,
    }: {
      readonly sessionId: string;
      readonly storyId: string;
    }): Promise<number> => {
      // Another card than last time, whichever of the four sessions it is for.
      const value = DECKS.fibonacci[sent++ % 5];
      const correlationId = uuid7();
      const since = performance.now();
      const outcome = await commands.execute(castVote, {
        input: { sessionId, storyId, value },
        actor,
        correlationId,
        idempotencyKey: correlationId,
      });
      const ms = performance.now() - since;
      if (!outcome.ok) throw new Error(outcome.message);
      if (outcome.revision === revisions.get(sessionId)) throw new Error('Nothing was stored');
      revisions.set(sessionId, outcome.revision);
      return ms;
    };
  };

  const sessions: Awaited<ReturnType<typeof sessionOf>>[] = [];
  for (const length of LENGTHS) sessions.push(await sessionOf(length));
  says(`streams of ${LENGTHS.join(', ')} events`);

  const cold = new Map(LENGTHS.map((length) => [length as number, { without: [] as number[], with: [] as number[] }]));
  const warm = new Map(LENGTHS.map((length) => [length as number, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    await pool.query('truncate convene.snapshots');
    // The first cold command on a long stream leaves a snapshot for the second.
    for (const snapshot of ['without', 'with'] as const)
      for (const session of sessions) cold.get(session.length)?.[snapshot].push(await fresh()(session));
    const send = fresh();
    for (const session of sessions) await send(session);
    for (let count = 0; count < sized(COMMANDS); count++)
      for (const session of sessions) warm.get(session.length)?.push(await send(session));
  }
  await store.close();
  await pool.end();
  await drop();

  const figures = LENGTHS.map((length) => ({ length, ...latencies(warm.get(length) ?? []) }));
  const of = (length: number): number => figures.find((figure) => figure.length === length)?.p50 ?? Number.NaN;
  const ratios = {
    warm_1000_vs_10: ratio(of(1_000), of(10)),
    warm_10000_vs_10: ratio(of(10_000), of(10)),
    warm_100000_vs_10: ratio(of(100_000), of(10)),
  };
  return {
    rows: figures.flatMap(({ length, p50, p99 }) => {
      const who = `${length} events`;
      const began = cold.get(length);
      return [
        { who, metric: 'warm, p50', value: p50, unit: 'ms' },
        { who, metric: 'warm, p99', value: p99, unit: 'ms' },
        { who, metric: 'cold, no snapshot', value: median(began?.without ?? []), unit: 'ms' },
        { who, metric: 'cold, with snapshot', value: median(began?.with ?? []), unit: 'ms' },
      ];
    }),
    ratios,
    goals: [{ name: 'warm_10000_vs_10', value: ratios.warm_10000_vs_10, atMost: 1.2 }],
  };
};

/** One command after the other on short and long streams, in a process that knows them and in one that does not. */
export const hot: Bench = {
  name: 'hot',
  title: 'Latency of a command on streams of 10 to 100,000 events',
  run: measure,
};
