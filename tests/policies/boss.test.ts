import { randomUUID } from 'node:crypto';
import t from 'tap';
import { startQueue, type Work } from '../../src/policies/boss.ts';
import { testDatabase } from '../support/postgres.ts';
import { eventually, log } from '../support/readSide.ts';

const retry = { limit: 3, delaySeconds: 1, maxDelaySeconds: 1 };

const queueWith = async (t: Parameters<typeof testDatabase>[0], work: Record<string, Work>) => {
  const { pool, connectionString } = await testDatabase(t);
  const queue = await startQueue({ connectionString, log, work, retry });
  t.after(async () => {
    await queue.close();
    await pool.end();
  });
  const states = async () =>
    (
      await pool.query<{ id: string; name: string; state: string; output: unknown }>(
        'select id, name, state, output from pgboss.job',
      )
    ).rows;
  return { queue, states };
};

t.test('the job queue', async (t) => {
  t.test('runs a job at once, and once however often it is added', async (t) => {
    const ran: unknown[] = [];
    const { queue, states } = await queueWith(t, { tell: { run: async (data) => void ran.push(data) } });
    const job = { id: randomUUID(), job: 'tell', data: { about: 'this' } };
    await queue.add([job]);
    await queue.add([job]);
    await eventually(states, ([only]) => only?.state === 'completed');
    await queue.add([job]);
    t.equal((await states()).length, 1);
    t.strictSame(ran, [{ about: 'this' }]);
  });

  t.test('leaves a job alone until its time has come', async (t) => {
    const ran: unknown[] = [];
    const { queue, states } = await queueWith(t, { tell: { run: async (data) => void ran.push(data) } });
    const due = Date.now() + 1_500;
    await queue.add([
      { id: randomUUID(), job: 'tell', data: 'soon', at: new Date(due) },
      { id: randomUUID(), job: 'tell', data: 'never', at: new Date('2999-01-01T00:00:00Z') },
    ]);
    await eventually(states, (all) => all.some(({ state }) => state === 'completed'));
    t.ok(Date.now() >= due);
    t.strictSame(ran, ['soon']);
  });

  t.test('repeats a job that fails, without keeping what its error says', async (t) => {
    let failures = 0;
    const run = async (): Promise<void> => {
      failures += 1;
      if (failures < 2) throw new Error('ada@example.org is unknown here');
    };
    const { queue, states } = await queueWith(t, { tell: { run } });
    await queue.add([{ id: randomUUID(), job: 'tell', data: {} }]);
    const seen = new Set<string>();
    await eventually(
      async () => {
        const [job] = await states();
        seen.add(JSON.stringify(job?.output));
        return job?.state;
      },
      (state) => state === 'completed',
    );
    t.equal(failures, 2);
    t.notMatch([...seen].join(), /ada/);
  });

  t.test('moves a job that fails to the last among the dead letters', async (t) => {
    const { queue, states } = await queueWith(t, {
      tell: { run: () => Promise.reject(new Error('no')), retry: { ...retry, limit: 0 } },
    });
    await queue.add([{ id: randomUUID(), job: 'tell', data: {} }]);
    const all = await eventually(states, (jobs) => jobs.some(({ name }) => name === 'dead-jobs'));
    t.ok(all.some(({ name, state }) => name === 'jobs' && state === 'failed'));
  });
});
