import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { DeliveryFailed, NotConfigured } from '../../src/integrations/delivery.ts';
import { AttemptNoted } from '../../src/policies/attempts.ts';
import { type JobOutcome, startQueue, type Work } from '../../src/policies/boss.ts';
import { jobs } from '../../src/policies/jobs.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { eventually, log } from '../support/readSide.ts';

const retry = { limit: 3, delaySeconds: 1, maxDelaySeconds: 1 };

/** Queues without jobs on one database, one after the other: to set one up costs more than all that a test does with it. */
const queuesOn =
  ({ pool, connectionString }: TestDatabase) =>
  async (t: Test, work: Record<string, Work>) => {
    const outcomes: JobOutcome[] = [];
    const observe = (_job: string, outcome: JobOutcome) => void outcomes.push(outcome);
    const queue = await startQueue({ connectionString, log, work, retry, observe });
    t.after(async () => {
      await queue.close();
      await pool.query('delete from pgboss.job');
    });
    const states = async () =>
      (
        await pool.query<{ id: string; name: string; state: string; output: unknown; due: number }>(
          `select id, name, state, output, round(extract(epoch from start_after) * 1000)::float8 as due
         from pgboss.job order by created_on`,
        )
      ).rows;
    return { queue, states, outcomes };
  };

t.test('the job queue', async (t) => {
  const queueWith = queuesOn(await testDatabase(t));
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

  t.test('repeats a job with pauses of its own after each of them, then gives it up', async (t) => {
    const ran: unknown[] = [];
    const run = async (data: unknown): Promise<void> => {
      ran.push(data);
      throw new DeliveryFailed('smtp', 421);
    };
    const { queue, states, outcomes } = await queueWith(t, { tell: { run, retry: { pausesSeconds: [0, 0] } } });
    await queue.add([{ id: randomUUID(), job: 'tell', data: { about: 'this' } }]);
    // The next attempt is in the queue before the one that failed has ended, and may be run by another worker meanwhile.
    const all = await eventually(
      states,
      (jobs) => jobs.some(({ name }) => name === 'dead-jobs') && jobs.every(({ state }) => state !== 'active'),
    );
    t.strictSame(ran, [{ about: 'this' }, { about: 'this' }, { about: 'this' }]);
    t.strictSame(outcomes, ['failed', 'failed', 'given-up']);
    const ended = all.filter(({ name }) => name === 'jobs').map(({ state, output }) => ({ state, output }));
    const output = { error: 'DeliveryFailed smtp-421' };
    t.strictSame(ended, [
      { state: 'completed', output },
      { state: 'completed', output },
      { state: 'failed', output },
    ]);
  });

  t.test('waits as long as it was told', async (t) => {
    const run = () => Promise.reject(new Error('no'));
    const { queue, states } = await queueWith(t, { tell: { run, retry: { pausesSeconds: [60, 300] } } });
    const before = Date.now();
    await queue.add([{ id: randomUUID(), job: 'tell', data: {} }]);
    const all = await eventually(states, (jobs) => jobs.length === 2 && jobs[0]?.state === 'completed');
    const failedAt = (all[1]?.due ?? 0) - 60_000;
    t.match(all[1], { state: 'created' });
    t.ok(before <= failedAt && failedAt <= Date.now(), 'a minute after it failed');
  });

  t.test('repeats nothing whose failure is noted elsewhere, and keeps the last among the dead letters', async (t) => {
    const fail = { run: async (data: unknown) => Promise.reject(new AttemptNoted('smtp-451', data === 'last')) };
    const { queue, states, outcomes } = await queueWith(t, { fail });
    await queue.add([{ id: randomUUID(), job: 'fail', data: 'first' }]);
    await eventually(states, ([only]) => only?.state === 'completed');
    t.equal((await states()).length, 1);
    await queue.add([{ id: randomUUID(), job: 'fail', data: 'last' }]);
    await eventually(states, (all) => all.some(({ name }) => name === 'dead-jobs'));
    t.match((await states()).find(({ state }) => state === 'failed')?.output, { error: 'AttemptNoted smtp-451' });
    t.strictSame(outcomes, ['failed', 'given-up']);
  });

  t.test('gives a job up at once when its failure is final', async (t) => {
    for (const final of [new DeliveryFailed('smtp', 550, true), new NotConfigured('sms')])
      await t.test(final.name, async (t) => {
        let runs = 0;
        const run = async (): Promise<void> => {
          runs += 1;
          throw final;
        };
        const { queue, states, outcomes } = await queueWith(t, { tell: { run, retry: { pausesSeconds: [0, 0] } } });
        await queue.add([{ id: randomUUID(), job: 'tell', data: {} }]);
        await eventually(states, (jobs) => jobs.some(({ name }) => name === 'dead-jobs'));
        t.equal(runs, 1);
        t.strictSame(outcomes, ['given-up']);
      });
  });
});

t.test('codes are tried three times within a minute', async (t) => {
  t.strictSame(jobs['send-code']?.retry, { pausesSeconds: [10, 30] });
});
