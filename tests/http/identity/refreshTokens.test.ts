import t from 'tap';
import { sharedService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
const service = await sharedService();
const { anonymous, newcomer } = service;

type Pair = { readonly accessToken: string; readonly refreshToken: string };
const refresh = (refreshToken: string) => anonymous.post('/auth/refresh', { refreshToken });
const isAlive = async ({ accessToken }: Pair): Promise<boolean> =>
  (await anonymous.get('/users/me', { authorization: `Bearer ${accessToken}` })).status === 200;
const pairOf = async (email: string): Promise<Pair> =>
  (await anonymous.post('/auth/login', { email, password: PASSWORD })).body.data;
const exchanged = async (pair: Pair, times: number): Promise<Pair> => {
  let newest = pair;
  for (let count = 0; count < times; count += 1) {
    const { status, body } = await refresh(newest.refreshToken);
    if (status !== 200) throw new Error(`Exchange ${count}: ${status}`);
    newest = body.data;
  }
  return newest;
};

t.test('a refresh token', async (t) => {
  const { email } = await newcomer();

  t.test('ends its session when it is used again, however many came after it', async (t) => {
    const first = await pairOf(email);
    const newest = await exchanged(first, 120);
    t.ok(await isAlive(newest));
    const again = await refresh(first.refreshToken);
    t.equal(again.status, 401);
    t.equal(again.body.error.reason, 'refresh-token-reused');
    t.notOk(await isAlive(newest));
    t.equal((await refresh(newest.refreshToken)).status, 401);
  });

  t.test('that this service has not made ends nothing', async (t) => {
    const newest = await exchanged(await pairOf(email), 3);
    const [sessionId = '', generation = '', secret = '', seal = ''] = newest.refreshToken.split('.');
    t.equal(generation, '3');
    const forgeries = [
      [sessionId, '0', secret, seal],
      [sessionId, '2', 'a'.repeat(43), seal],
      [sessionId, '4', secret, seal],
      [sessionId, '3', secret, '0'.repeat(64)],
      [sessionId, '3', secret],
      [sessionId, '-1', secret, seal],
      [sessionId, '3', 'A'.repeat(43), seal],
    ];
    for (const parts of forgeries) {
      const { status, body } = await refresh(parts.join('.'));
      t.equal(`${status} ${body.error.reason}`, '401 refresh-token-invalid', parts.join('.'));
    }
    t.ok(await isAlive(newest));
    t.equal((await refresh(newest.refreshToken)).status, 200);
  });

  t.test('of another session does not continue this one', async (t) => {
    const [one, other] = [await pairOf(email), await pairOf(email)];
    const [sessionId] = one.refreshToken.split('.');
    t.equal((await refresh([sessionId, ...other.refreshToken.split('.').slice(1)].join('.'))).status, 401);
    t.ok((await isAlive(one)) && (await isAlive(other)));
  });

  t.test('that twenty use at once lets one win, and the session ends', async (t) => {
    const pair = await pairOf(email);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(pair.refreshToken)));
    t.equal(answers.filter(({ status }) => status === 200).length, 1);
    t.ok(answers.every(({ status }) => [200, 401].includes(status)));
    t.notOk(await isAlive(pair));
  });
});
