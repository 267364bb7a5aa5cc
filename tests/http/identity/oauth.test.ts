import { randomUUID } from 'node:crypto';
import t from 'tap';
import { APP, signInService } from '../../support/signIn.ts';

t.test('signing in elsewhere', async (t) => {
  const service = await signInService(t);
  const { anonymous, provider, begin, consent, comeBack, outcomeOf, codeFor, signIn } = service;

  const somebody = (more: object = {}) => {
    const sub = randomUUID();
    return provider.settle({ sub, email: `${sub}@example.org`, email_verified: true, name: 'Ada Lovelace', ...more });
  };

  t.test('signing in with Google', async (t) => {
    const ada = somebody();
    t.test('leads to the provider with PKCE, state and nonce, and ties it to the browser', async (t) => {
      const query = new URLSearchParams({ redirect_uri: APP, state: 'state-of-the-client' });
      const { status, headers, body } = await anonymous.get(`/auth/oauth/google?${query}`);
      t.equal(status, 200);
      const url = new URL(body.data.authorizationUrl);
      t.equal(url.origin, provider.issuer);
      t.match(Object.fromEntries(url.searchParams), {
        response_type: 'code',
        client_id: provider.client.id,
        redirect_uri: 'http://convene.test/api/v1/auth/oauth/google/callback',
        scope: 'openid email profile',
        code_challenge_method: 'S256',
        code_challenge: /^[\w-]{43}$/,
        state: /^[0-9a-f]{64}$/,
        nonce: /^[0-9a-f]{64}$/,
      });
      t.match(
        headers.get('set-cookie'),
        /^oauth-[0-9a-f]{16}=[^;]+; Max-Age=600; Path=\/api\/v1\/auth\/oauth; HttpOnly; Secure; SameSite=Lax$/,
      );
      t.notMatch(JSON.stringify(body), /client_secret|code_verifier/);
    });
    t.test('opens a verified account without a password', async (t) => {
      const { status, headers, body } = await signIn(ada.sub);
      t.equal(status, 200);
      t.match(body.data, {
        accessToken: String,
        refreshToken: String,
        user: { email: ada.email, displayName: 'Ada Lovelace' },
      });
      t.match(headers.get('set-cookie'), /refresh-token=/);
      const me = await anonymous.get('/users/me', { authorization: `Bearer ${body.data.accessToken}` });
      t.match(me.body.data, { emailVerified: true, email: ada.email, subscription: { plan: 'free' } });
    });
    t.test('finds the same account again', async (t) => {
      const [first, second] = [await signIn(ada.sub), await signIn(ada.sub)];
      t.equal(second.body.data.user.userId, first.body.data.user.userId);
    });
    t.test('finds it by the person, whatever became of the address', async (t) => {
      const person = somebody();
      const first = await signIn(person.sub);
      provider.settle({ ...person, email: `other-${person.email}` });
      t.equal((await signIn(person.sub)).body.data.user.userId, first.body.data.user.userId);
    });
    t.test('brings the browser out where the client asked for, with its own state', async (t) => {
      const flow = await begin({ redirectUri: 'https://app.example.org/other?kept=1', state: 'grüße & co' });
      const back = await comeBack(flow, await consent(flow, ada.sub));
      t.equal(back.status, 302);
      t.match(back.headers.get('location'), /^https:\/\/app\.example\.org\/other\?kept=1&/);
      t.equal(outcomeOf(back).get('state'), 'grüße & co');
      t.same(
        flow.visit.cookies().filter(({ name }) => name.startsWith('oauth-')),
        [],
        'the cookie is taken back',
      );
    });
    t.test('by redirect', async (t) => {
      const started = await anonymous.get('/auth/google');
      t.equal(started.status, 302);
      t.match(started.headers.get('location'), provider.issuer);
      const visit = service.newBrowser();
      const response = await visit.open('http://convene.test/api/v1/auth/google');
      const flow = { visit, authorizationUrl: response.headers.get('location') ?? '' };
      const out = outcomeOf(await comeBack(flow, await consent(flow, ada.sub)));
      const body = { code: out.get('code'), state: out.get('state') };
      t.equal((await anonymous.post('/auth/google', body)).status, 200);
    });
    t.test('says 201 on POST /auth/google when an account was opened, and 200 after that', async (t) => {
      const person = somebody();
      const code = await codeFor(person.sub);
      t.equal((await anonymous.post('/auth/google', { code, state: 'state-of-the-client' })).status, 201);
      const again = await codeFor(person.sub);
      t.equal((await anonymous.post('/auth/google', { code: again, state: 'state-of-the-client' })).status, 200);
    });
    t.test('works as a command', async (t) => {
      const code = await codeFor(ada.sub);
      const input = { provider: 'google', code, state: 'state-of-the-client' };
      t.match((await anonymous.post('/commands/CompleteOAuthSignIn', input)).body.data, { accessToken: String });
    });
  });

  const registered = async (): Promise<number> => {
    const { rows } = await service.pool.query(
      "select count(*)::int as n from log.events where type = 'AccountRegistered'",
    );
    return rows[0].n;
  };

  t.test('one new person at the same moment in several browsers gets one account', async (t) => {
    const person = somebody();
    const codes = await Promise.all(Array.from({ length: 6 }, () => codeFor(person.sub)));
    const before = await registered();
    const answers = await Promise.all(
      codes.map((code) => anonymous.post('/auth/google', { code, state: 'state-of-the-client' })),
    );
    t.same(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 201]);
    t.equal(new Set(answers.map(({ body }) => body.data.user.userId)).size, 1);
    t.equal(await registered(), before + 1);
  });

  t.test('one new person whose address changes meanwhile gets one account', async (t) => {
    const person = somebody();
    const first = await codeFor(person.sub);
    provider.settle({ ...person, email: `other-${person.email}` });
    const second = await codeFor(person.sub);
    const before = await registered();
    const answers = await Promise.all(
      [first, second].map((code) => anonymous.post('/auth/google', { code, state: 'state-of-the-client' })),
    );
    t.same(answers.map(({ status }) => status).sort(), [200, 201]);
    t.equal(await registered(), before + 1);
  });

  t.test('an address that has an account', async (t) => {
    t.test('links the identity when the provider has verified it', async (t) => {
      const bob = await service.user('Bob');
      const person = somebody({ email: bob.email.toUpperCase() });
      const { status, body } = await signIn(person.sub);
      t.equal(status, 200);
      t.equal(body.data.user.userId, bob.accountId);
      t.match((await bob.get('/auth/oauth')).body.data.providers, [{ provider: 'google', linked: true }]);
      t.ok(await service.login(bob.email), 'the password goes on');
    });
    t.test('is refused when the provider has not', async (t) => {
      const bob = await service.user('Bob');
      const person = somebody({ email: bob.email, email_verified: false });
      const { status, body } = await signIn(person.sub);
      t.equal(status, 409);
      t.match(body.error, { code: 'CONFLICT', reason: 'email-taken' });
      t.match((await bob.get('/auth/oauth')).body.data.providers, [{ provider: 'google', linked: false }]);
    });
    t.test('that nobody ever proved goes to the person whose it is, and to nobody else any more', async (t) => {
      const email = `${randomUUID()}@example.org`;
      const squatter = await service.newcomer('Squatter', email);
      const offer = await squatter.post('/auth/mfa/setup', { password: 'Correct-horse-7' });
      t.equal(offer.status, 200);
      const { status, body } = await signIn(somebody({ email }).sub);
      t.equal(status, 200);
      t.equal(body.data.user.userId, squatter.accountId);
      t.equal((await squatter.get('/users/me')).status, 401, 'the session of before has ended');
      const login = await anonymous.post('/auth/login', { email, password: 'Correct-horse-7' });
      t.equal(login.status, 401, 'the password of before counts no more');
      const { rows } = await service.pool.query(
        `select k.wrapped, k.erased_at is not null as erased from log.events e
         join convene.subject_keys k on k.subject = e.data::json ->> 'secretKey'
         where e.stream = $1 and e.type = 'MfaSetupStarted'`,
        [`account-${squatter.accountId}`],
      );
      t.match(rows, [{ wrapped: null, erased: true }], 'the secret of his second factor is gone');
      const own = { authorization: `Bearer ${body.data.accessToken}` };
      t.match((await anonymous.get('/users/me', own)).body.data, { emailVerified: true });
    });
    t.test('that nobody has opens an account whose address is still to be verified', async (t) => {
      const person = somebody({ email_verified: false });
      const { status, body } = await signIn(person.sub);
      t.equal(status, 200);
      const own = { authorization: `Bearer ${body.data.accessToken}` };
      t.match((await anonymous.get('/users/me', own)).body.data, { emailVerified: false });
      const token = await service.verificationToken(person.email ?? '');
      t.equal((await anonymous.post('/auth/verify-email', { token })).status, 200);
    });
    t.test('is needed to open an account', async (t) => {
      const { status, body } = await signIn(somebody({ email: undefined }).sub);
      t.equal(status, 422);
      t.match(body.error, { reason: 'email-missing' });
    });
  });

  t.test('linking to the account that is logged in', async (t) => {
    const bob = await service.user('Bob');
    const person = somebody();
    const authorised = { authorization: `Bearer ${bob.token}` };
    t.test('takes the identity, which then signs in', async (t) => {
      const code = await codeFor(person.sub, { token: bob.token });
      const input = { code, state: 'state-of-the-client' };
      t.equal((await anonymous.post('/auth/oauth/google', input)).status, 401, 'the code is for its holder alone');
      const linked = await bob.post('/auth/oauth/google', input);
      t.equal(linked.status, 200);
      t.same(linked.body.data, { linked: 'google' });
      t.equal((await signIn(person.sub)).body.data.user.userId, bob.accountId);
    });
    t.test('is refused where another account has the identity', async (t) => {
      const cid = await service.user('Cid');
      const code = await codeFor(person.sub, { token: cid.token });
      const { status, body } = await cid.post('/auth/oauth/google', { code, state: 'state-of-the-client' });
      t.equal(status, 409);
      t.match(body.error, { reason: 'identity-taken' });
    });
    t.test('is refused where another identity of the provider is linked', async (t) => {
      const code = await codeFor(somebody().sub, { token: bob.token });
      const { status, body } = await bob.post('/auth/oauth/google', { code, state: 'state-of-the-client' });
      t.equal(status, 409);
      t.match(body.error, { reason: 'provider-linked' });
    });
    t.test('does not begin with a token that does not count', async (t) => {
      const query = new URLSearchParams({ redirect_uri: APP, state: 'state-of-the-client' });
      const stale = { authorization: 'Bearer expired' };
      t.equal((await anonymous.get(`/auth/oauth/google?${query}`, stale)).status, 401);
      t.equal((await anonymous.get(`/auth/oauth/google?${query}`, authorised)).status, 200);
    });
    t.test('and unlinking', async (t) => {
      t.equal((await anonymous.delete('/auth/oauth/google')).status, 401);
      t.equal((await bob.delete('/auth/oauth/github')).status, 404);
      t.equal((await bob.delete('/auth/oauth/google')).status, 200);
      t.equal((await bob.delete('/auth/oauth/google')).status, 404);
      const fresh = await signIn(person.sub);
      t.not(fresh.body.data.user.userId, bob.accountId, 'the identity is free again');
    });
    t.test('does not unlink the last way in', async (t) => {
      const { body } = await signIn(somebody().sub);
      const own = { authorization: `Bearer ${body.data.accessToken}` };
      const refused = await anonymous.delete('/auth/oauth/google', undefined, own);
      t.equal(refused.status, 409);
      t.match(refused.body.error, { reason: 'last-way-in' });
      t.equal((await anonymous.delete('/auth/oauth/facebook', undefined, own)).status, 422);
    });
  });

  t.test('an account behind it that is closed to log-ins', async (t) => {
    t.test('stays closed while it is locked', async (t) => {
      const bob = await service.user('Bob');
      const person = somebody({ email: bob.email });
      await signIn(person.sub);
      const admin = await service.admin();
      t.equal((await admin.post(`/users/${bob.accountId}/lock`, {})).status, 200);
      t.equal((await signIn(person.sub)).status, 423);
    });
    t.test('is asked for its second factor', async (t) => {
      const bob = await service.user('Bob');
      const person = somebody({ email: bob.email });
      const { generate } = await import('otplib');
      const { secret } = (await bob.post('/auth/mfa/setup', { password: 'Correct-horse-7' })).body.data;
      const code = await generate({ secret });
      t.equal((await bob.post('/auth/mfa/verify-setup', { code })).status, 200);
      const asked = await signIn(person.sub);
      t.equal(asked.status, 200);
      t.match(asked.body.data, { mfaRequired: true, challengeToken: String });
      t.notOk('accessToken' in asked.body.data);
      const { challengeToken } = asked.body.data;
      // The code of the next step: the one of this step has been used.
      const next = await generate({ secret, epoch: Math.floor(Date.now() / 1000) + 30 });
      const passed = await anonymous.post('/mfa/verify', { challengeToken, code: next });
      t.equal(passed.status, 200);
      t.equal(passed.body.data.user.userId, bob.accountId);
    });
  });

  t.test('Microsoft', async (t) => {
    t.test('vouches for an address only by a claim that says so', async (t) => {
      const bob = await service.user('Bob');
      const unproved = somebody({ email: bob.email, email_verified: undefined });
      t.equal((await signIn(unproved.sub, { name: 'microsoft' })).status, 409);
      const proved = somebody({ email: bob.email, email_verified: undefined, xms_edov: true });
      const { status, body } = await signIn(proved.sub, { name: 'microsoft' });
      t.equal(status, 200);
      t.equal(body.data.user.userId, bob.accountId);
    });
    t.test('is another provider than Google, whoever it is there', async (t) => {
      const person = somebody({ email_verified: false });
      const first = await signIn(person.sub);
      provider.settle({ ...person, email: `other-${person.email}` });
      const other = await signIn(person.sub, { name: 'microsoft' });
      t.not(other.body.data.user.userId, first.body.data.user.userId);
    });
  });

  t.test('no code, state or address of a sign-in lies in the clear in the log', async (t) => {
    const person = somebody({ name: `Name ${randomUUID()}` });
    const flow = await begin({ state: `client-${randomUUID()}` });
    const state = new URL(flow.authorizationUrl).searchParams.get('state') ?? '';
    const nonce = new URL(flow.authorizationUrl).searchParams.get('nonce') ?? '';
    const callback = await consent(flow, person.sub);
    const out = outcomeOf(await comeBack(flow, callback));
    const { body } = await anonymous.post('/auth/google', { code: out.get('code'), state: out.get('state') });
    t.ok(body.data.accessToken);
    const secrets = [
      state,
      nonce,
      callback.searchParams.get('code'),
      out.get('code'),
      out.get('state'),
      person.sub,
      person.email,
      person.name,
    ];
    const found = async (text: string): Promise<number> => {
      const { rows } = await service.pool.query('select 1 from log.events as e where strpos(e::text, $1) > 0', [text]);
      return rows.length;
    };
    t.ok((await found(APP)) > 3, 'what is no secret is found');
    for (const secret of secrets) t.equal(await found(secret ?? APP), 0);
  });
});
