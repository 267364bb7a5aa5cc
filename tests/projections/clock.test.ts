import { randomUUID } from 'node:crypto';
import t from 'tap';
import { counters, eventually, readSide } from '../support/readSide.ts';

const HOUR_MS = 3_600_000;
const realNow = Date.now;

/** Sets the clock of this process, as an operator or a time server may. */
const shiftClock = (ms: number): void => {
  Date.now = () => realNow() + ms;
};
t.afterEach(() => {
  Date.now = realNow;
});

t.test('positions are saved on time after the clock was set back', async (t) => {
  const side = await readSide(t);
  const saved = async (): Promise<bigint> => {
    const { rows } = await side.pool.query<{ position: string }>('select position from convene.checkpoints');
    return BigInt(rows[0]?.position ?? 0);
  };
  shiftClock(HOUR_MS);
  side.run([counters]);
  const id = randomUUID();
  await side.reached(await side.append(`counter-${id}`, 'Counted', { id }), counters);
  shiftClock(0);
  const passed = await side.append(`other-${id}`, 'Noise', {});
  await eventually(saved, (position) => position === passed);
  t.equal(await saved(), passed, 'also of events that a projection has no interest in');
});

t.test('a parked stream is tried again on time after the clock was set back', async (t) => {
  const side = await readSide(t);
  const id = randomUUID();
  side.run([counters]);
  shiftClock(-HOUR_MS);
  await side.append(`counter-${id}`, 'Exploded', { id });
  const attempts = async (): Promise<number> => {
    const { rows } = await side.pool.query<{ attempts: number }>('select attempts from convene.parked');
    return rows[0]?.attempts ?? 0;
  };
  await eventually(attempts, (count) => count >= 2);
  t.ok((await attempts()) >= 2);
});
