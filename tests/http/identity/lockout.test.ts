import t from 'tap';
import { testService } from '../../support/service.ts';

t.test('the fifth failure in a row locks the account in the same request', async (t) => {
  const service = await testService(t);
  const somebody = await service.user();
  const number = '+4930123459';
  const { id } = (await somebody.post('/users/me/phone-numbers', { number })).body.data;
  const code = await service.codeTo(number);
  t.equal((await somebody.post(`/users/me/phone-numbers/${id}/verify`, { code })).status, 200);
  const { anonymous } = await service.secondNode();
  // With it everything ends that follows events later, by a policy.
  await service.stop();

  const logIn = async (identifier: object, password: string): Promise<number> =>
    (await anonymous.post('/auth/login', { ...identifier, password })).status;
  const byEmail = { email: somebody.email };
  for (const status of [401, 401, 401, 401, 423]) t.equal(await logIn(byEmail, 'Wrong-horse-7'), status);
  const { rows } = await service.pool.query<{ data: string }>(
    `select data from log.events where type = 'AccountLocked' and stream = $1`,
    [`account-${somebody.accountId}`],
  );
  t.match(
    rows.map(({ data }) => JSON.parse(data)),
    [{ accountId: somebody.accountId, reason: 'failed_logins', until: /Z$/ }],
  );
  t.equal(await logIn({ phoneNumber: number }, 'Correct-horse-7'), 423, 'whatever its holder is called by');
});
