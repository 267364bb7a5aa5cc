import t from 'tap';
import { isOutage } from '../../src/eventstore/consumer/faults.ts';
import { createCaughtUp } from '../../src/projections/caughtUp.ts';

t.test('waiting for read models', async (t) => {
  const progress = { of: (name: string) => (name === 'late' ? 1n : 9n), reached: async () => false };
  const caughtUp = createCaughtUp(progress, 0);
  const failed = caughtUp([{ name: 'late' }, { name: 'early' }], 5n);
  await t.rejects(failed, { name: 'ReadModelBehind', projections: ['late'] }, 'names those that are behind');
  const error: unknown = await failed.catch((reason: unknown) => reason);
  t.ok(isOutage(error), 'says nothing about the event that a policy was handling');
  await createCaughtUp({ ...progress, reached: async () => true })([{ name: 'late' }], 5n);
});
