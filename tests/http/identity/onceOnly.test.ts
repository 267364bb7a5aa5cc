import { generate } from 'otplib';
import t, { type Test } from 'tap';
import { type Answer, type Client, testService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
t.test('what works once only', async (t) => {
  const service = await testService(t);
  const there = await service.secondNode();
  const { anonymous, user, newcomer } = service;

  const TRIES = 20;
  /** So many tries at the same moment, half of them in another process. */
  const atOnce = (attempt: (node: typeof anonymous, index: number) => Promise<Answer>): Promise<readonly Answer[]> =>
    Promise.all(
      Array.from({ length: TRIES }, (_, index) => attempt(index % 2 === 0 ? anonymous : there.anonymous, index)),
    );
  const statusesOf = (answers: readonly Answer[]): readonly number[] => answers.map(({ status }) => status).toSorted();
  const won = (answers: readonly Answer[]): number => answers.filter(({ status }) => status < 300).length;

  const logIn = (node: typeof anonymous, { email }: Client) => node.post('/auth/login', { email, password: PASSWORD });

  /** Unlocks the account, because everybody who came too late has failed, and asks once more with what was used up. */
  const usedUp = async (t: Test, { accountId }: Client, again: () => Promise<Answer>): Promise<void> => {
    await (await service.admin()).post(`/users/${accountId}/unlock`);
    t.equal((await again()).status, 401, 'and it is used up');
  };

  /** Who comes too late has failed, and five failures lock: even the first may then find the account locked. */
  const oneAtMost = (t: Test, answers: readonly Answer[]): void => {
    t.ok(won(answers) <= 1, `${won(answers)} of ${answers.length} got in`);
    t.ok(
      answers.every(({ status }) => [200, 401, 423].includes(status)),
      statusesOf(answers).join(),
    );
  };

  let numbers = 0;
  const withNumber = async () => {
    const person = await user('Reachable');
    const number = `+4930777${String(10_000 + numbers++)}`;
    const { id } = (await person.post('/users/me/phone-numbers', { number })).body.data;
    const code = await service.codeTo(number);
    const { status } = await person.post(`/users/me/phone-numbers/${id}/verify`, { code });
    if (status !== 200) throw new Error(`The number was not verified: ${status}`);
    return { person, number, id };
  };

  const challenges = async (person: Client): Promise<readonly string[]> => {
    const tokens: string[] = [];
    for (let count = 0; count <= TRIES; count += 1)
      tokens.push((await logIn(anonymous, person)).body.data.challengeToken);
    return tokens;
  };
  const answer = (node: typeof anonymous, challengeToken: string | undefined, more: object): Promise<Answer> =>
    node.post('/mfa/verify', { challengeToken, ...more });

  t.test('the code of an app', async (t) => {
    const person = await user('Ada');
    const { secret } = (await person.post('/auth/mfa/setup', { password: PASSWORD })).body.data;
    // The one that is to count is of the next step, so that the end of a step in between makes neither too old.
    const codeOf = (steps: number) => generate({ secret, epoch: Math.floor(Date.now() / 1000) + 30 * steps });
    t.equal((await person.post('/auth/mfa/verify-setup', { code: await codeOf(0) })).status, 200);
    const tokens = await challenges(person);
    const code = await codeOf(1);
    oneAtMost(t, await atOnce((node, index) => answer(node, tokens[index], { code })));
    await usedUp(t, person, () => answer(anonymous, tokens[TRIES], { code }));
  });

  t.test('a backup code', async (t) => {
    const person = await user('Grace');
    const { secret, backupCodes } = (await person.post('/auth/mfa/setup', { password: PASSWORD })).body.data;
    t.equal((await person.post('/auth/mfa/verify-setup', { code: await generate({ secret }) })).status, 200);
    const tokens = await challenges(person);
    const [backupCode] = backupCodes;
    oneAtMost(t, await atOnce((node, index) => answer(node, tokens[index], { backupCode })));
    t.match((await person.get('/mfa/backup-codes')).body.data, { remaining: 9 });
    await usedUp(t, person, () => answer(anonymous, tokens[TRIES], { backupCode }));
  });

  t.test('a one-time code', async (t) => {
    const { person, number } = await withNumber();
    const { challengeId } = (await anonymous.post('/auth/send-otp', { phoneNumber: number })).body.data;
    const code = await service.codeTo(number, 2);
    const verify = (node: typeof anonymous) => node.post('/auth/verify-otp', { challengeId, code });
    oneAtMost(t, await atOnce(verify));
    await usedUp(t, person, () => verify(anonymous));
  });

  t.test('the token of a mail', async (t) => {
    const oneWins = (answers: readonly Answer[], late: number): void => {
      t.same(statusesOf(answers), [200, ...Array.from({ length: TRIES - 1 }, () => late)]);
    };
    const person = await newcomer();
    const verification = await service.verificationToken(person.email);
    oneWins(await atOnce((node) => node.post('/auth/verify-email', { token: verification })), 422);

    t.equal((await anonymous.post('/auth/forgot-password', { email: person.email })).status, 200);
    const reset = await service.tokenIn(person.email, 'password-reset');
    oneWins(
      await atOnce((node, index) =>
        node.post('/auth/reset-password', { token: reset, newPassword: `Another-horse-${index}` }),
      ),
      422,
    );
  });

  t.test('a code of the second factor by text message', async (t) => {
    const { person, number, id } = await withNumber();
    const offered = await person.post('/auth/mfa/setup', { password: PASSWORD, method: 'sms', phoneNumberId: id });
    t.equal(offered.status, 200);
    const confirmed = await person.post('/auth/mfa/verify-setup', { code: await service.codeTo(number, 2) });
    t.equal(confirmed.status, 200);
    // The next code goes out a minute later.
    await service.setAhead(61_000);
    const tokens = await challenges(person);
    const code = await service.codeTo(number, 3);
    oneAtMost(t, await atOnce((node, index) => answer(node, tokens[index], { code })));
    await usedUp(t, person, () => answer(anonymous, tokens[TRIES], { code }));
  });
});
