import { randomInt, randomUUID } from 'node:crypto';
import t from 'tap';
import { github, type Hubber } from '../../support/github.ts';
import { signInService } from '../../support/signIn.ts';

t.test('GitHub', async (t) => {
  const hub = await github(t);
  const service = await signInService(t, {
    GITHUB_CLIENT_ID: hub.client.id,
    GITHUB_CLIENT_SECRET: hub.client.secret,
    GITHUB_URL: hub.url,
    GITHUB_API_URL: hub.url,
  });
  const { begin, consent, comeBack, signIn } = service;

  const hubber = (more: Partial<Hubber> = {}): Hubber => {
    const login = `u${randomUUID()}`;
    const emails = [
      { email: `other-${login}@example.org`, primary: false, verified: true },
      { email: `${login}@example.org`, primary: true, verified: true },
    ];
    return { id: randomInt(1, 2 ** 40), login, name: 'Grace Hopper', emails, ...more };
  };
  const as = (who: Hubber, options = {}) => {
    hub.control.as = who;
    return signIn('anybody', { name: 'github', ...options });
  };

  t.test('signing in with GitHub', async (t) => {
    t.test('opens an account with the verified primary address, and finds it again by the number', async (t) => {
      const grace = hubber();
      const first = await as(grace);
      t.equal(first.status, 200);
      t.match(first.body.data.user, { email: `${grace.login}@example.org`, displayName: 'Grace Hopper' });
      const renamed = { ...grace, login: 'renamed', emails: [] };
      t.equal((await as(renamed)).body.data.user.userId, first.body.data.user.userId);
    });
    t.test('is called by the login where there is no name', async (t) => {
      const nameless = hubber({ name: null });
      t.equal((await as(nameless)).body.data.user.displayName, nameless.login);
    });
    t.test('links to the account with the verified address, never with one that is not', async (t) => {
      const bob = await service.user('Bob');
      const address = (verified: boolean, primary = true) => [{ email: bob.email, primary, verified }];
      t.match(await as(hubber({ emails: address(false) })), {
        status: 409,
        body: { error: { reason: 'email-taken' } },
      });
      t.match(await as(hubber({ emails: address(true, false) })), {
        status: 422,
        body: { error: { reason: 'email-missing' } },
      });
      t.equal((await as(hubber({ emails: address(true) }))).body.data.user.userId, bob.accountId);
    });
    t.test('is beside Google on one account', async (t) => {
      const bob = await service.user('Bob');
      const sub = randomUUID();
      service.provider.settle({ sub, email: bob.email, email_verified: true });
      await signIn(sub);
      await as(hubber({ emails: [{ email: bob.email, primary: true, verified: true }] }));
      t.match((await bob.get('/auth/oauth')).body.data.providers, [
        { provider: 'google', configured: true, linked: true },
        { provider: 'github', configured: true, linked: true },
        { provider: 'microsoft', configured: true, linked: false },
      ]);
    });
  });

  t.test('a code of GitHub', async (t) => {
    t.test('that another sign-in was begun for does not match PKCE', async (t) => {
      hub.control.as = hubber();
      const [mine, other] = [await begin({ name: 'github' }), await begin({ name: 'github' })];
      const [callback, foreign] = [await consent(mine, 'anybody'), await consent(other, 'anybody')];
      callback.searchParams.set('code', foreign.searchParams.get('code') ?? '');
      const { status, body } = await comeBack(mine, callback);
      t.equal(status, 401);
      t.notMatch(JSON.stringify(body), new RegExp(foreign.searchParams.get('code') ?? ''));
    });
    t.test('that is made up is refused', async (t) => {
      hub.control.as = hubber();
      const flow = await begin({ name: 'github' });
      const callback = await consent(flow, 'anybody');
      callback.searchParams.set('code', 'made-up');
      t.match(await comeBack(flow, callback), { status: 401, body: { error: { reason: 'sign-in-invalid' } } });
    });
  });

  t.test('GitHub that fails', async (t) => {
    hub.control.as = hubber();
    const flow = await begin({ name: 'github' });
    const callback = await consent(flow, 'anybody');
    hub.control.status = 502;
    t.teardown(() => {
      delete hub.control.status;
    });
    const { status, headers, body } = await comeBack(flow, callback);
    t.equal(status, 503);
    t.match(body.error, { code: 'SERVICE_UNAVAILABLE', reason: 'provider-unavailable' });
    t.ok(headers.get('retry-after'));
  });
});
