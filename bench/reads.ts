import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { postgresEventStore } from '../src/eventstore/postgres/index.ts';
import { LANES } from '../src/eventstore/postgres/streamReads.ts';
import { type Bench, ratio } from './bench.ts';
import { interleaved } from './rounds.ts';
import { sample } from './sample.ts';
import { type Writing, writing } from './writing.ts';

const STREAMS = 1_000;
const EVENTS = 5;
const CALLERS = [1, 20, 64] as const;
const TURN_MS = 2_000;
const WARM_MS = 500;

const STATEMENT = {
  name: 'stream',
  text: `select position, stream, revision, id, type, recorded_at, data, metadata from log.events
         where stream = $1 and revision >= 0 order by revision limit 2000`,
};

/** Reading short streams whole, as commands and policies do that find nothing in memory. */
export const reads: Bench = {
  name: 'reads',
  title: `streams of ${EVENTS} events read by ${CALLERS.join(', ')} callers, and a statement for each read`,
  run: async ({ rounds, sized, database, says }) => {
    const { connectionString, drop } = await database({ migrate: true });
    const store = postgresEventStore({ connectionString });
    const pool = new pg.Pool({ connectionString, max: LANES });
    const streams = Array.from({ length: STREAMS }, () => `schedule-${randomUUID()}`);
    const events = () =>
      Array.from({ length: EVENTS }, sample).map(({ data, metadata, ...event }) => ({
        ...event,
        data: JSON.stringify(data),
        metadata: JSON.stringify(metadata),
      }));
    await Promise.all(streams.map((stream) => store.append(stream, 'noStream', events())));
    let turn = 0;
    const next = (): string => streams[(turn++ * 7) % STREAMS] ?? '';
    const must = (found: number): void => {
      if (found !== EVENTS) throw new Error(`${found} events where ${EVENTS} should be`);
    };
    const who = {
      port: async () => must((await store.readStream(next(), { limit: 2_000 })).length),
      single: async () => must((await pool.query({ ...STATEMENT, values: [next()] })).rows.length),
    };
    const names = { port: 'Convene, the port', single: `a statement for each read, ${LANES} connections` };
    const kinds = Object.keys(who) as (keyof typeof who)[];
    const found: Record<string, Writing> = {};
    for (const callers of CALLERS) {
      says(`reads: ${callers} callers`);
      for (const kind of kinds) await writing(callers, WARM_MS, who[kind]);
      const medians = await interleaved(rounds, {
        port: () => writing(callers, sized(TURN_MS), who.port),
        single: () => writing(callers, sized(TURN_MS), who.single),
      });
      for (const kind of kinds) found[`${kind}/${callers}`] = medians[kind];
    }
    await Promise.all([store.close(), pool.end()]);
    await drop();
    const rate = (kind: string, callers: number): number => found[`${kind}/${callers}`]?.rate ?? Number.NaN;
    return {
      rows: CALLERS.flatMap((callers) =>
        kinds.flatMap((kind) => [
          { who: names[kind], metric: `${callers} callers`, value: rate(kind, callers), unit: 'reads/s' },
          {
            who: names[kind],
            metric: `${callers} callers, p99`,
            value: found[`${kind}/${callers}`]?.p99 ?? 0,
            unit: 'ms',
          },
        ]),
      ),
      ratios: Object.fromEntries(
        CALLERS.map((callers) => [
          `reads${callers}_vs_statements`,
          ratio(rate('port', callers), rate('single', callers)),
        ]),
      ),
      goals: [],
    };
  },
};
