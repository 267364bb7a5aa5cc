import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import t, { type Test } from 'tap';
import { createPasswords } from '../../src/commands/passwords.ts';
import { HashingBusy, type PasswordThreads, passwordThreads } from '../../src/commands/passwordThreads.ts';

const COST = 4;
const threadsOf = (t: Test, options: Parameters<typeof passwordThreads>[0] = {}): PasswordThreads => {
  const threads = passwordThreads(options);
  t.teardown(threads.close);
  return threads;
};

t.test('passwords', async (t) => {
  const passwords = createPasswords(COST, threadsOf(t));
  const hash = await passwords.hash('Correct-horse-7');
  t.test('fit the hash made of them and no other', async (t) => {
    t.match(hash, /^\$2[aby]\$04\$/);
    t.equal(await passwords.verify('Correct-horse-7', hash), true);
    t.equal(await passwords.verify('Correct-horse-8', hash), false);
    t.equal(await passwords.verify('Correct-horse-7', undefined), false, 'nor the hash of nobody');
  });
  t.test('count to their last byte', async (t) => {
    const long = 'x'.repeat(72);
    const of = await passwords.hash(long);
    t.equal(await passwords.verify(long, of), true);
    t.equal(await passwords.verify(`${long}y`, of), false);
  });
  t.test('are hashed anew when the cost has changed', async (t) => {
    t.equal(passwords.current(hash), true);
    t.equal(createPasswords(COST + 1, threadsOf(t)).current(hash), false);
  });
});

t.test('a password of nobody takes as long as one of somebody', async (t) => {
  const asked: object[] = [];
  const passwords = createPasswords(12, {
    run: async (task) => {
      asked.push(task);
      return 'against' in task;
    },
    busy: () => false,
    hurry: () => {},
    close: async () => {},
  });
  t.equal(await passwords.verify('one', undefined), false);
  t.match(
    asked,
    [{ clear: 'one', against: /^\$2b\$12\$[./A-Za-z0-9]{53}$/ }],
    'one comparison at the same cost, no more',
  );
});

t.test('the threads', async (t) => {
  t.test('work on so many passwords at once and leave the rest in line', async (t) => {
    const threads = threadsOf(t, { threads: 1, mostWaiting: 2 });
    const done: number[] = [];
    const run = (number: number) => threads.run({ clear: 'x', cost: 6 }).then(() => done.push(number));
    t.equal(threads.busy(), false);
    const all = [run(1), run(2), run(3)];
    t.equal(threads.busy(), true);
    const refused = await threads.run({ clear: 'x', cost: 6 }).catch((error: unknown) => error);
    t.ok(refused instanceof HashingBusy && refused.retryAfter >= 1, 'beyond that they refuse at once');
    await Promise.all(all);
    t.same(done, [1, 2, 3], 'in the order of coming');
    t.match(await threads.run({ clear: 'x', cost: COST }), /^\$2b\$/, 'and go on');
  });
  t.test('send away who waits when they close, and finish what is under way', async (t) => {
    const threads = passwordThreads({ threads: 1 });
    const [first, second] = [threads.run({ clear: 'x', cost: 8 }), threads.run({ clear: 'x', cost: 8 })];
    const gone = t.rejects(second, HashingBusy);
    await threads.close();
    t.match(await first, /^\$2b\$08\$/);
    await gone;
    await t.rejects(threads.run({ clear: 'x', cost: COST }), HashingBusy, 'and take no more');
  });
  t.test('keep a short line in a hurry, and serve whoever is in it', async (t) => {
    const threads = threadsOf(t, { threads: 1 });
    const outcomes = Array.from({ length: 40 }, () =>
      threads.run({ clear: 'x', cost: COST }).then(
        () => 'served',
        (error: unknown) => (error instanceof HashingBusy ? 'sent away' : error),
      ),
    );
    threads.hurry();
    const late = threads.run({ clear: 'x', cost: COST }).catch((error: unknown) => error);
    const all = await Promise.all(outcomes);
    const served = all.filter((outcome) => outcome === 'served').length;
    t.ok(served > 1 && served < 20, `${served} of 40`);
    t.same(all.slice(served), Array(40 - served).fill('sent away'), 'from the end of the line');
    t.ok((await late) instanceof HashingBusy, 'nobody is added to a full line');
    t.match(await threads.run({ clear: 'x', cost: COST }), /^\$2b\$/, 'whoever comes to an empty one is served');
  });
  t.test('tell who asks when something is wrong, and go on', async (t) => {
    const threads = threadsOf(t, { threads: 1 });
    await t.rejects(threads.run({ clear: 'x', cost: 99 }));
    t.match(await threads.run({ clear: 'x', cost: COST }), /^\$2b\$/);
  });
  t.test('are no more than there are processors, and on Linux come after everything else', async (t) => {
    const threads = threadsOf(t);
    await Promise.all(Array.from({ length: 3 * availableParallelism() }, () => threads.run({ clear: 'x', cost: 6 })));
    if (process.platform !== 'linux') return;
    const niceness = readdirSync('/proc/self/task').map((thread) =>
      Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]),
    );
    const low = niceness.filter((nice) => nice === 10).length;
    t.ok(low >= 1 && low <= availableParallelism(), `${low} threads`);
    t.ok(
      niceness.some((nice) => nice < 10),
      'the others keep their priority',
    );
  });
});
