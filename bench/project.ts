import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { deciders } from '../src/domain/catalogue.ts';
import { createCodec } from '../src/eventstore/codec.ts';
import { keyRing } from '../src/eventstore/keyRing.ts';
import { postgresEventStore } from '../src/eventstore/postgres/index.ts';
import { masterKeys } from '../src/masterKeys.ts';
import { createPool } from '../src/postgres/pool.ts';
import { projections } from '../src/projections/index.ts';
import { prepareTables } from '../src/projections/slots.ts';
import { uuid7 } from '../src/uuid.ts';
import { type Bench, type BenchDatabase, type Context, ratio } from './bench.ts';
import { ownProcess } from './ownProcess.ts';
import { days, EVENTS_A_DAY, PHASES, ROWS_A_DAY } from './past.ts';
import { interleaved } from './rounds.ts';

const EVENTS = 500_000;
/** Two phases of each appointment instead of ten: a fifth of the events over the same rows. What memory is compared with. */
const FEWER_PHASES = [0, PHASES - 1];
const ALL_PHASES = Array.from({ length: PHASES }, (_, phase) => phase);
/** The projector of emmett takes about a millisecond an event: half a million would take a quarter of an hour each round. */
const PONGO_EVENTS = 5_000;
const WRITERS = 64;

type Figures = { readonly rate: number; readonly megabytes: number };

/** A log of appointments, and read models that stand at its end: rebuilding them reads everything. */
type Past = BenchDatabase & { readonly events: number; readonly rows: number; readonly masterKey: string };

/** Writes the past through the service's own codec and log, personal fields sealed. */
const writePast = async ({ database }: Context, count: number, phases: readonly number[]): Promise<Past> => {
  const target = await database({ migrate: true });
  const { connectionString } = target;
  const masterKey = randomBytes(32).toString('base64url');
  const pool = createPool(connectionString, 10, () => {});
  const store = postgresEventStore({ connectionString });
  const codec = createCodec(deciders, keyRing(pool, masterKeys(masterKey)));
  await prepareTables(pool, store, projections);
  const past = days(count);
  let written = 0;
  const last = new Map<string, number>();
  for (const phase of phases) {
    const waiting = past.values();
    const writer = async (): Promise<void> => {
      for (const { stream, phase: of } of waiting) {
        const commandId = uuid7();
        const events = of(phase).map((event) => ({ id: uuid7(), ...event }));
        const actor = { id: uuid7(), kind: 'user' as const };
        const encoded = await codec.encode(events, { commandId, command: 'Bench', correlationId: commandId, actor });
        const appended = await store.append(stream, last.get(stream) ?? 'noStream', encoded);
        if (!appended.ok) throw new Error(`${stream} is at ${appended.actual}`);
        last.set(stream, appended.revision);
        written += encoded.length;
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
  }
  await pool.query(
    `update convene.checkpoints set position = (select position from log.head) where kind = 'projection'`,
  );
  await pool.query('vacuum analyze log.events');
  await store.close();
  await pool.end();
  return { ...target, events: written, rows: count * ROWS_A_DAY, masterKey };
};

const Answer = z.object({ seconds: z.number(), megabytes: z.number(), rows: z.int() });
const inFolder = (name: string): string => join(import.meta.dirname, 'apart', name);

const taken = ({ seconds, megabytes }: z.output<typeof Answer>, events: number): Figures => ({
  rate: events / seconds,
  megabytes,
});

const mustBe = (rows: number, wanted: number): void => {
  if (rows !== wanted) throw new Error(`${rows} rows where ${wanted} should be`);
};

/** Rebuilding read models, and no more than reading what they are made of. */
export const project: Bench = {
  name: 'project',
  title: '500,000 events over 50,000 rows: rebuilds, emmett with Pongo, and reading alone',
  run: async (context) => {
    const { rounds, sized, database, says } = context;
    says('project: writing the logs');
    const count = Math.max(1, Math.round(sized(EVENTS) / EVENTS_A_DAY));
    const [many, fewer] = [await writePast(context, count, ALL_PHASES), await writePast(context, count, FEWER_PHASES)];
    const { rebuildDocuments: _loaded, writePast: writeForEmmett } = await import('./peers/pongo.ts');
    const documents = await database();
    const pongoEvents = await writeForEmmett(documents.connectionString, sized(PONGO_EVENTS));

    const convene = async (past: Past, work: 'read' | 'decode' | 'appointments' | 'all'): Promise<Figures> => {
      says(`project: ${work}, ${past.events} events`);
      const { connectionString, masterKey, events, rows } = past;
      const answer = Answer.parse(await ownProcess(inFolder('rebuild.ts'), { connectionString, masterKey, work }));
      if (work === 'appointments' || work === 'all') mustBe(answer.rows, rows);
      return taken(answer, events);
    };
    let turn = 0;
    const pongo = async (): Promise<Figures> => {
      says(`project: Pongo, ${pongoEvents} events`);
      const { connectionString } = documents;
      const collection = `appointments_${++turn}`;
      const answer = Answer.parse(await ownProcess(inFolder('pongo.ts'), { connectionString, collection }));
      mustBe(answer.rows, (pongoEvents / EVENTS_A_DAY) * ROWS_A_DAY);
      return taken(answer, pongoEvents);
    };

    const of = (events: number): string => `${events.toLocaleString('en')} events`;
    const over = ({ events, rows }: Past): string => `${of(events)} over ${rows.toLocaleString('en')} rows`;
    const names = {
      read: `reading alone (limit), ${over(many)}`,
      decode: `reading and decoding, ${over(many)}`,
      one: `Convene, one document projection, ${over(many)}`,
      oneOfFewer: `Convene, one document projection, ${over(fewer)}`,
      all: `Convene, all ${projections.length} projections at once, one round, ${over(many)}`,
      allOfFewer: `Convene, all ${projections.length} projections at once, one round, ${over(fewer)}`,
      pongo: `emmett with a Pongo document projection, ${of(pongoEvents)}`,
    };
    const found = await interleaved(rounds, {
      read: () => convene(many, 'read'),
      decode: () => convene(many, 'decode'),
      one: () => convene(many, 'appointments'),
      oneOfFewer: () => convene(fewer, 'appointments'),
      pongo,
    });
    // These take minutes, so they run once.
    const once = await interleaved(1, { all: () => convene(many, 'all'), allOfFewer: () => convene(fewer, 'all') });
    const all = { ...found, ...once };
    await Promise.all([many, fewer, documents].map(({ drop }) => drop()));
    const ratios = {
      rebuild_vs_read: ratio(found.one.rate, found.read.rate),
      rebuild_vs_pongo: ratio(found.one.rate, found.pongo.rate),
      rebuild_all_vs_one: ratio(once.all.rate, found.one.rate),
      memory_500k_vs_100k: ratio(found.one.megabytes, found.oneOfFewer.megabytes),
      memory_500k_vs_100k_all: ratio(once.all.megabytes, once.allOfFewer.megabytes),
    };
    return {
      rows: (Object.keys(names) as (keyof typeof names)[]).flatMap((key) => [
        { who: names[key], metric: 'speed', value: all[key].rate, unit: 'events/s' },
        { who: names[key], metric: 'peak memory', value: all[key].megabytes, unit: 'MB' },
      ]),
      ratios,
      goals: [
        { name: 'rebuild_vs_read', value: ratios.rebuild_vs_read, atLeast: 0.5 },
        { name: 'rebuild_vs_pongo', value: ratios.rebuild_vs_pongo, atLeast: 8 },
        { name: 'memory_500k_vs_100k', value: ratios.memory_500k_vs_100k, atMost: 1.2 },
        { name: 'memory_500k_vs_100k_all', value: ratios.memory_500k_vs_100k_all, atMost: 1.2 },
      ],
    };
  },
};
