/**
 * One rebuild, or one reading of the log, in a process of its own, so that its memory is its own. Takes a task as JSON on
 * standard input and tells what it took as JSON on standard output.
 */
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import pino from 'pino';
import { z } from 'zod';
import { deciders } from '../../src/domain/catalogue.ts';
import { createCodec } from '../../src/eventstore/codec.ts';
import { createFeed } from '../../src/eventstore/feed.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import { START } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createAnalyticsViews } from '../../src/projections/analytics/views.ts';
import { requestRebuild } from '../../src/projections/control.ts';
import { projections } from '../../src/projections/index.ts';
import { createProgress } from '../../src/projections/progress.ts';
import { runProjections } from '../../src/projections/runner.ts';

const Task = z.object({
  connectionString: z.string(),
  masterKey: z.string(),
  /** `read`: the events as they lie in the log; `decode`: in the clear as well; otherwise which read models to rebuild. */
  work: z.enum(['read', 'decode', 'appointments', 'all']),
});
const { connectionString, masterKey, work } = Task.parse(await json(process.stdin));

/** Events read at a time: what the port gives at most. */
const PAGE = 10_000;
const LOOK_MS = 20;

const pool = createPool(connectionString, 10, () => {}, { unflushed: true });
const store = postgresEventStore({ connectionString });
const codec = createCodec(deciders, keyRing(pool, masterKeys(masterKey)));

const read = async (decode: boolean): Promise<void> => {
  for (let after = START; ; ) {
    const { events, position } = await store.readAll(after, { limit: PAGE });
    if (position === after) return;
    if (decode) await codec.decode(events);
    after = position;
  }
};

/** As an operator would have it done: a wish for each read model, and the runner of the service. */
const rebuild = async (all: boolean): Promise<void> => {
  const wanted = projections.filter(({ name }) => all || name === 'appointments');
  for (const { name } of wanted) {
    const obeyed = await requestRebuild(pool, name);
    if (obeyed !== 'done') throw new Error(`The rebuild of ${name} was not taken: ${obeyed}`);
  }
  const feed = createFeed({ store, decode: codec.decode });
  const progress = createProgress({ pool });
  const runner = runProjections({
    pool,
    feed,
    store,
    decode: codec.decode,
    log: pino({ level: 'error' }, pino.destination(2)),
    aggregates: deciders,
    projections: wanted,
    progress,
    ...(all ? { afterSwap: createAnalyticsViews } : {}),
  });
  for (;;) {
    const { rows } = await pool.query('select from convene.projection_control where rebuild limit 1');
    if (rows.length === 0) break;
    await pause(LOOK_MS);
  }
  seconds = (performance.now() - since) / 1000;
  await runner.close();
  await progress.close();
  await feed.close();
};

await pool.query('select 1');
const since = performance.now();
let seconds = 0;
if (work === 'read' || work === 'decode') {
  await read(work === 'decode');
  seconds = (performance.now() - since) / 1000;
} else await rebuild(work === 'all');

const { rows } = await pool.query<{ count: string }>('select count(*) from read.appointments');
await store.close();
await pool.end();
const megabytes = process.resourceUsage().maxRSS / 1024;
process.stdout.write(JSON.stringify({ seconds, megabytes, rows: Number(rows[0]?.count) }));
