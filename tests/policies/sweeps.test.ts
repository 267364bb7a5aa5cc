import t from 'tap';
import type { Outcome } from '../../src/commands/binding.ts';
import type { Reads } from '../../src/commands/reads.ts';
import { completeSession } from '../../src/domain/estimation/session/index.ts';
import { issue } from '../../src/policies/policy.ts';
import { createSweeper, type Sweep } from '../../src/policies/sweeps.ts';
import { id } from '../support/spec.ts';

const done: Outcome = { ok: true, stream: '', revision: 0, version: 0, position: 0n, data: null, replayed: false };

t.test('sweeps', async (t) => {
  const executed: string[] = [];
  const errors: unknown[] = [];
  let leads = false;
  let broken = true;
  const sweep: Sweep = {
    name: 'test',
    everyMs: 60_000,
    find: async () => ['one', 'two', 'three'].map((name) => issue(completeSession, { sessionId: id(name) })),
  };
  const sweepAt = createSweeper({
    sweeps: [sweep],
    leads: () => leads,
    reads: {} as Reads,
    execute: async (_command, input) => {
      const { sessionId } = input as { readonly sessionId: string };
      if (broken && sessionId === id('two')) throw new Error('broken');
      executed.push(sessionId);
      return done;
    },
    onError: (_name, error) => errors.push(error),
  });
  await sweepAt(0);
  t.strictSame(executed, [], 'are the business of the process that leads');
  leads = true;
  await sweepAt(1_000);
  t.strictSame(executed.splice(0), [id('one'), id('three')], 'do what can be done');
  t.equal(errors.length, 1);
  broken = false;
  await sweepAt(2_000);
  t.equal(executed.splice(0).length, 3, 'try again soon what failed');
  await sweepAt(61_999);
  t.equal(executed.length, 0, 'and rest until the next time');
  await sweepAt(62_000);
  t.equal(executed.length, 3);
});
