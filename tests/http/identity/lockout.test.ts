import t from 'tap';
import { testService } from '../../support/service.ts';

t.test('the fifth failure in a row locks the account in the same request', async (t) => {
  const service = await testService(t);
  const somebody = await service.user();
  const number = '+4930123459';
  const { id } = (await somebody.post('/users/me/phone-numbers', { number })).body.data;
  const code = await service.codeTo(number);
  t.equal((await somebody.post(`/users/me/phone-numbers/${id}/verify`, { code })).status, 200);
  const admin = await service.admin();
  const { anonymous, as } = await service.secondNode();
  // With it everything ends that follows events later, by a policy.
  await service.stop();

  const logIn = async (identifier: object, password: string): Promise<number> =>
    (await anonymous.post('/auth/login', { ...identifier, password })).status;
  const byEmail = { email: somebody.email };
  for (const status of [401, 401, 401, 401, 423]) t.equal(await logIn(byEmail, 'Wrong-horse-7'), status);
  const told = async (type: string) => {
    const { rows } = await service.pool.query<{ data: string }>(
      'select data from log.events where type = $1 order by position',
      [type],
    );
    return rows.map(({ data }) => JSON.parse(data)).filter(({ accountId }) => accountId === somebody.accountId);
  };
  t.match(await told('AccountLocked'), [{ reason: 'failed_logins', until: /Z$/ }]);
  t.equal(await logIn({ phoneNumber: number }, 'Correct-horse-7'), 423, 'whatever its holder is called by');
  t.equal(await logIn(byEmail, 'Correct-horse-7'), 423);
  t.equal((await anonymous.post('/auth/login', { ...byEmail, otpCode: '123456' })).status, 423);
  const tried = (await told('LoginFailed')).slice(5);
  t.match(
    tried,
    [1, 2, 3].map(() => ({ reason: 'locked', consecutiveFailures: 0 })),
    'attempts meanwhile are noted as what they are',
  );
  t.equal(new Set(tried.map(({ identifierHash }) => identifierHash)).size, 2);
  t.equal((await told('AccountLocked')).length, 1, 'and lock nothing again');

  t.equal((await as(admin).post(`/users/${somebody.accountId}/unlock`)).status, 200);
  // The policy that locks where a crash has kept the log-in from it hears of the fifth failure now.
  await testService(t, service.environment);
  await service.rest();
  t.equal((await told('AccountLocked')).length, 1, 'nor does a lock come back that was ended');
  t.equal(await logIn(byEmail, 'Correct-horse-7'), 200);
});
