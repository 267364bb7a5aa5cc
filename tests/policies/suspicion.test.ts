import t from 'tap';
import { suspicions } from '../../src/policies/suspicion.ts';
import { suspiciousSigns } from '../../src/projections/identity/suspiciousSigns.ts';
import { id } from '../support/spec.ts';

const accountId = id('ada');
const DAY = 24 * 60 * 60_000;
const locked = (reason: string, ago = 0) => {
  const recordedAt = new Date(Date.UTC(2026, 2, 2, 10) - ago).toISOString();
  return { type: 'AccountLocked', recordedAt, data: { accountId, reason, until: recordedAt } } as never;
};

t.test('locks of an account', async (t) => {
  t.test('are looked at after failed log-ins, and not where people have locked it', async (t) => {
    const at = '2026-03-02T10:00:00.000Z';
    t.match(suspicions.on.AccountLocked(locked('failed_logins')), [
      { command: 'FlagSuspiciousActivity', input: { pattern: 'many_lockouts', accountId, ip: null, at } },
    ]);
    for (const reason of ['admin', 'breach']) t.strictSame(suspicions.on.AccountLocked(locked(reason)), []);
  });
  t.test('are kept as signs for a day, by account', async (t) => {
    const { key, fold } = suspiciousSigns;
    const name = `many_lockouts/${accountId}`;
    t.strictSame([key.of(locked('failed_logins'))].flat(), [name]);
    t.strictSame([key.of(locked('admin'))].flat(), []);
    const row = [2 * DAY, DAY - 1, 0].reduce<Parameters<typeof fold.AccountLocked>[0]>(
      (before, ago) => fold.AccountLocked(before, locked('failed_logins', ago), name),
      undefined,
    );
    t.match(row, { key: name, signs: [{ count: 1 }, { count: 1 }] });
    t.equal(row?.signs.length, 2);
    t.notMatch(JSON.stringify(row), /@|\d+\.\d+\.\d+\.\d+/, 'with nothing personal');
  });
});
