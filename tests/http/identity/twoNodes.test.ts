import t from 'tap';
import { ADMIN, type Client, eventually, testService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
t.test('two processes on one database', async (t) => {
  const service = await testService(t);
  const there = await service.secondNode();
  const { anonymous, user, login } = service;

  /** Milliseconds until it is so, or more than a whole second, which is too late. */
  const patience = async (isSo: () => Promise<boolean>): Promise<number> => {
    const since = performance.now();
    await eventually(isSo, (so) => so || performance.now() - since > 1_000);
    return performance.now() - since;
  };
  /** The least of at most three: a machine may stand still for a second, but hardly whenever it is asked. */
  const soonest = async (attempt: () => Promise<number>): Promise<number> => {
    let least = await attempt();
    for (let more = 2; more > 0 && least >= 1_000; more -= 1) least = Math.min(least, await attempt());
    return least;
  };
  const logIn = ({ email }: Client) => anonymous.post('/auth/login', { email, password: PASSWORD });
  const refused = (client: Client) => async (): Promise<boolean> => (await client.get('/users/me')).status === 401;

  t.test('an access token is refused by another process within a second', async (t) => {
    const person = await user('Ada');
    let password = PASSWORD;
    const newestOf = async (): Promise<string> => {
      const { body } = await person.get('/auth/sessions');
      return body.data.sessions.find(({ current }: { current: boolean }) => !current).id;
    };
    const ends: Readonly<Record<string, (session: Client) => Promise<{ readonly status: number }>>> = {
      'its session was ended by its id': async () => person.delete(`/auth/sessions/${await newestOf()}`),
      'it was logged out': (session) => session.post('/auth/logout'),
      'all others were ended': () => person.delete('/auth/sessions?keepCurrent=true'),
      'the password was changed': () => {
        const currentPassword = password;
        password = `${password}-new`;
        return person.post('/auth/change-password', { currentPassword, newPassword: password });
      },
    };
    for (const [what, end] of Object.entries(ends)) {
      const took = await soonest(async () => {
        const session = await login(person.email, password);
        const abroad = there.as(session);
        t.equal((await abroad.get('/users/me')).status, 200, 'both know it');
        t.equal((await end(session)).status, 200);
        const until = await patience(refused(abroad));
        t.ok(await refused(session)(), 'at once where it was done');
        return until;
      });
      t.ok(took < 1_000, `once ${what}: elsewhere after ${Math.round(took)} ms`);
    }
  });

  t.test('a refresh token goes on in whichever process', async (t) => {
    const { email } = await user('Grace');
    const tokenFrom = async () =>
      (await anonymous.post('/auth/login', { email, password: PASSWORD })).body.data.refreshToken as string;
    const nodes = [there.anonymous, anonymous];
    let refreshToken = await tokenFrom();
    const first = refreshToken;
    for (let turn = 0; turn < 20; turn += 1) {
      const { status, body } = await (nodes[turn % 2] ?? anonymous).post('/auth/refresh', { refreshToken });
      t.equal(status, 200, `turn ${turn}`);
      refreshToken = body.data.refreshToken;
    }
    t.equal((await there.anonymous.post('/auth/refresh', { refreshToken: first })).status, 401);
    t.equal((await anonymous.post('/auth/refresh', { refreshToken })).status, 401, 'and its end counts in both');

    const contested = await tokenFrom();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (nodes[index % 2] ?? anonymous).post('/auth/refresh', { refreshToken: contested }),
      ),
    );
    t.equal(answers.filter(({ status }) => status === 200).length, 1, 'of twenty in both one wins');
  });

  t.test('failures to log in count together', async (t) => {
    const { email } = await user('Victim');
    const attempt = (index: number, password: string) =>
      ([anonymous, there.anonymous][index % 2] ?? anonymous).post('/auth/login', { email, password });
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) statuses.push((await attempt(index, 'Wrong-horse-7')).status);
    t.same(statuses, [401, 401, 401, 401, 423]);
    for (const index of [0, 1]) t.equal((await attempt(index, PASSWORD)).status, 423, 'the lock counts in both');
  });

  t.test('of fifty registrations of one address in both one opens an account', async (t) => {
    const account = { email: 'one@x.io', password: PASSWORD, displayName: 'One', acceptTerms: true };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        ([anonymous, there.anonymous][index % 2] ?? anonymous).post('/auth/register', account),
      ),
    );
    t.equal(answers.filter(({ status }) => status === 201).length, 1);
    t.equal(answers.filter(({ status }) => status === 409).length, 49);
  });

  t.test('every token of everybody ends in every process', async (t) => {
    const { email } = await user();
    const took = await soonest(async () => {
      const [person, admin] = [await login(email), await login(ADMIN.email, ADMIN.password)];
      t.equal((await person.post('/auth/revoke-all', { reason: 'A drill in a test' })).status, 403);
      t.equal((await admin.post('/auth/revoke-all', { reason: 'short' })).status, 422);
      const abroad = there.as(person);
      t.equal((await abroad.get('/users/me')).status, 200);
      const { body: session } = await logIn(person);
      const { status, body } = await admin.post('/auth/revoke-all', { reason: 'A drill in a test' });
      t.equal(status, 200);
      t.ok(body.data.sessions > 1);
      const until = await patience(refused(abroad));
      t.ok(await refused(person)());
      t.ok(await refused(admin)());
      const { refreshToken } = session.data;
      t.equal((await anonymous.post('/auth/refresh', { refreshToken })).status, 401);
      t.equal((await logIn(person)).status, 200);
      return until;
    });
    t.ok(took < 1_000);
  });
});
