import { randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import t, { type Test } from 'tap';
import { strangeKey, unsigned } from '../../support/openIdProvider.ts';
import type { Answer } from '../../support/service.ts';
import { APP, signInService } from '../../support/signIn.ts';

t.test('hostile answers to a sign-in', async (t) => {
  const service = await signInService(t);
  const { anonymous, provider, begin, consent, comeBack, outcomeOf, codeFor } = service;

  const somebody = (more: object = {}) => {
    const sub = randomUUID();
    return provider.settle({ sub, email: `${sub}@example.org`, email_verified: true, ...more });
  };
  const counted = async (type: string): Promise<number> => {
    const { rows } = await service.pool.query('select count(*)::int as n from log.events where type = $1', [type]);
    return rows[0].n;
  };
  const refused = (t: Test, { status, body }: Answer, expected: number, reason: string, field?: string): void => {
    t.equal(status, expected);
    t.equal(body.error?.reason, reason);
    if (field !== undefined) t.match(body.error.details, [{ field }]);
  };

  t.test('an ID token that the provider should never have sent', async (t) => {
    const strange = await strangeKey();
    const past = Math.floor(Date.now() / 1000) - 3_600;
    const tampered: Readonly<Record<string, (claims: JWTPayload) => string | Promise<string>>> = {
      'for another audience': (claims) => provider.idToken({ ...claims, aud: 'somebody-else' }),
      'for several audiences, asked for by another': (claims) =>
        provider.idToken({ ...claims, aud: [provider.client.id, 'somebody-else'], azp: 'somebody-else' }),
      'that has expired': (claims) => provider.idToken({ ...claims, iat: past - 60, exp: past }),
      'of another issuer': (claims) => provider.idToken({ ...claims, iss: 'https://accounts.example.com' }),
      'with another nonce': (claims) => provider.idToken({ ...claims, nonce: 'of another sign-in' }),
      'without a nonce': ({ nonce: _nonce, ...claims }) => provider.idToken(claims),
      'without a subject': ({ sub: _sub, ...claims }) => provider.idToken(claims),
      'signed by another key': (claims) => provider.idToken(claims, strange),
      'that nobody signed': (claims) => unsigned(claims),
      'that is no token': () => 'garbage',
    };
    t.teardown(() => {
      provider.control.tamper = undefined;
    });
    for (const [title, tamper] of Object.entries(tampered))
      t.test(title, async (t) => {
        const flow = await begin();
        const callback = await consent(flow, somebody().sub);
        let handedOut = '';
        provider.control.tamper = async (claims) => {
          handedOut = await tamper(claims);
          return handedOut;
        };
        const before = await counted('OAuthSignInProved');
        const answer = await comeBack(flow, callback);
        refused(t, answer, 401, 'sign-in-invalid');
        t.ok(handedOut, 'the token was handed out');
        t.notOk(JSON.stringify(answer.body).includes(handedOut));
        t.equal(await counted('OAuthSignInProved'), before);
      });
    t.test('and one that it may send', async (t) => {
      provider.control.tamper = (claims) => provider.idToken(claims);
      const flow = await begin();
      t.equal(
        (await comeBack(flow, await consent(flow, somebody().sub))).status,
        302,
        'so it was not the tampering itself',
      );
    });
  });

  t.test('coming back', async (t) => {
    t.test('twice with the same state is refused', async (t) => {
      const flow = await begin();
      const callback = await consent(flow, somebody().sub);
      const cookies = flow.visit.cookies();
      t.equal((await comeBack(flow, callback)).status, 302);
      refused(t, await comeBack(flow, callback), 422, 'state-invalid', 'state');
      const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
      const again = await anonymous.get(`${callback.pathname.replace('/api/v1', '')}${callback.search}`, { cookie });
      refused(t, again, 422, 'state-invalid', 'state');
    });
    t.test('twice at the same moment lets one through', async (t) => {
      const flow = await begin();
      const callback = await consent(flow, somebody().sub);
      const answers = await Promise.all(Array.from({ length: 4 }, () => comeBack(flow, callback)));
      t.same(answers.map(({ status }) => status).sort(), [302, 422, 422, 422]);
    });
    t.test('in another browser is refused, and the one that began can go on', async (t) => {
      const flow = await begin();
      const callback = await consent(flow, somebody().sub);
      const other = { ...flow, visit: service.newBrowser() };
      refused(t, await comeBack(other, callback), 422, 'state-invalid', 'state');
      const itsOwn = await begin({ visit: other.visit });
      refused(t, await comeBack({ ...itsOwn, visit: other.visit }, callback), 422, 'state-invalid', 'state');
      const [cookie] = flow.visit.cookies();
      const [, state] = cookie?.value.split('.') ?? [];
      for (const value of ['', '0'.repeat(64), `${'0'.repeat(64)}.${state}`, `${'%C3%A9'.repeat(64)}.${state}`]) {
        const guessed = { cookie: `${cookie?.name}=${value}` };
        const again = await anonymous.get(`${callback.pathname.replace('/api/v1', '')}${callback.search}`, guessed);
        refused(t, again, 422, 'state-invalid', 'state');
      }
      t.equal((await comeBack(flow, callback)).status, 302);
    });
    t.test('with a state that nobody gave is refused', async (t) => {
      for (const state of ['0'.repeat(64), 'x', randomUUID()]) {
        const answer = await anonymous.get(`/auth/oauth/google/callback?code=c&state=${state}`);
        refused(t, answer, 422, 'state-invalid', 'state');
      }
      t.equal((await anonymous.get('/auth/oauth/google/callback?code=c')).status, 422);
      t.equal((await anonymous.get('/auth/oauth/google/callback?code=a&code=b&state=12345678')).status, 422);
      t.equal((await anonymous.get('/auth/oauth/facebook/callback?code=c&state=12345678')).status, 422);
    });
    t.test('from another provider than the one it was begun with is refused', async (t) => {
      const flow = await begin();
      const callback = await consent(flow, somebody().sub);
      callback.pathname = callback.pathname.replace('google', 'microsoft');
      refused(t, await comeBack(flow, callback), 422, 'state-invalid', 'state');
    });
    t.test('from another issuer than the one it was begun with is refused', async (t) => {
      for (const iss of ['https://attacker.example.org', undefined]) {
        const flow = await begin();
        const callback = await consent(flow, somebody().sub);
        t.equal(callback.searchParams.get('iss'), provider.issuer, 'the provider says who it is');
        if (iss === undefined) callback.searchParams.delete('iss');
        else callback.searchParams.set('iss', iss);
        refused(t, await comeBack(flow, callback), 401, 'sign-in-invalid');
      }
    });
    t.test('with the code of another sign-in does not match PKCE', async (t) => {
      const [mine, other] = [await begin(), await begin()];
      const [callback, foreign] = [await consent(mine, somebody().sub), await consent(other, somebody().sub)];
      callback.searchParams.set('code', foreign.searchParams.get('code') ?? '');
      refused(t, await comeBack(mine, callback), 401, 'sign-in-invalid');
    });
    t.test('with a code that was used before is refused', async (t) => {
      const [first, second] = [await begin(), await begin()];
      const callback = await consent(first, somebody().sub);
      t.equal((await comeBack(first, callback)).status, 302);
      const replay = await consent(second, somebody().sub);
      replay.searchParams.set('code', callback.searchParams.get('code') ?? '');
      refused(t, await comeBack(second, replay), 401, 'sign-in-invalid');
    });
    t.test('without consent tells the client, and nobody is signed in', async (t) => {
      const flow = await begin();
      const callback = await consent(flow, undefined);
      t.equal(callback.searchParams.get('error'), 'access_denied');
      const answer = await comeBack(flow, callback);
      t.equal(answer.status, 302);
      t.same([...outcomeOf(answer).keys()].sort(), ['error', 'state']);
      t.equal(outcomeOf(answer).get('error'), 'access_denied');
      callback.searchParams.delete('error');
      callback.searchParams.set('code', 'c');
      refused(t, await comeBack(flow, callback), 422, 'state-invalid', 'state');
    });
    t.test("passes on no words of the provider's that the client does not know", async (t) => {
      const flow = await begin();
      const callback = await consent(flow, undefined);
      callback.searchParams.set('error', 'javascript:alert(1)');
      t.equal(outcomeOf(await comeBack(flow, callback)).get('error'), 'server_error');
    });
  });

  t.test('where a browser comes out', async (t) => {
    const start = (redirectUri: string, state = 'state-of-the-client') =>
      anonymous.get(`/auth/oauth/google?${new URLSearchParams({ redirect_uri: redirectUri, state })}`);
    for (const uri of [
      'https://attacker.example.org/',
      `${APP}/`,
      `${APP}?more=1`,
      `${APP}#fragment`,
      APP.toUpperCase(),
      APP.replace('https:', 'http:'),
      APP.replace('app.', 'app.example.org@'),
      'javascript:alert(1)',
    ])
      t.test(`is not ${uri}`, async (t) => refused(t, await start(uri), 422, 'redirect-not-allowed', 'redirect_uri'));
    t.test('needs a state of the client that can hardly be guessed', async (t) => {
      refused(t, await start(APP, 'short'), 422, 'input-invalid', 'state');
      t.equal((await anonymous.get(`/auth/oauth/google?redirect_uri=${APP}`)).status, 422);
      t.equal((await start(APP)).status, 200);
    });
  });

  t.test('the code that a client exchanges', async (t) => {
    const exchange = (input: object) => anonymous.post('/auth/oauth/google', input);
    const state = 'state-of-the-client';
    t.test('counts once', async (t) => {
      const code = await codeFor(somebody().sub);
      const answers = await Promise.all([1, 2, 3].map(() => exchange({ code, state })));
      t.same(answers.map(({ status }) => status).sort(), [200, 401, 401]);
      refused(t, await exchange({ code, state }), 401, 'sign-in-invalid');
    });
    t.test('counts for the client that began alone', async (t) => {
      const code = await codeFor(somebody().sub);
      refused(t, await exchange({ code, state: 'state-of-another' }), 422, 'state-invalid', 'state');
      refused(t, await exchange({ code }), 422, 'input-invalid', 'state');
      t.equal((await exchange({ code, state })).status, 200);
    });
    t.test('counts for its provider alone', async (t) => {
      const code = await codeFor(somebody().sub);
      refused(t, await anonymous.post('/auth/oauth/microsoft', { code, state }), 401, 'sign-in-invalid');
    });
    t.test('cannot be changed or made up', async (t) => {
      const code = await codeFor(somebody().sub);
      const [stateHash = '', sealed = ''] = code.split('.');
      const [other = ''] = (await codeFor(somebody().sub)).split('.');
      const turned = sealed.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
      const longer = `${sealed}AAAA`;
      for (const forged of [
        `${stateHash}.${turned}`,
        `${stateHash}.${longer}`,
        `${other}.${sealed}`,
        `${stateHash}.`,
        'garbage',
      ])
        refused(t, await exchange({ code: forged, state }), 401, 'sign-in-invalid');
      t.equal((await exchange({ code, state })).status, 200);
    });
    t.test('is asked for with exactly one proof, and nothing can be added to it', async (t) => {
      refused(t, await exchange({}), 422, 'input-invalid');
      refused(t, await exchange({ code: 'c', state, idToken: 'i' }), 422, 'input-invalid');
      const code = await codeFor(somebody().sub);
      const more = { role: 'admin', plan: 'enterprise', emailVerified: true, accountId: randomUUID() };
      const { status, body } = await exchange({ code, state, ...more });
      t.equal(status, 200);
      t.not(body.data.user.role, 'admin');
    });
    t.test('of another provider is unknown', async (t) =>
      refused(t, await anonymous.post('/auth/oauth/facebook', { code: 'c', state }), 422, 'input-invalid', 'provider'),
    );
  });

  t.test('an ID token that a client hands in', async (t) => {
    const hand = (input: object) => anonymous.post('/auth/google', input);
    const claims = (more: object = {}) => {
      const sub = randomUUID();
      return { sub, email: `${sub}@example.org`, email_verified: true, name: 'Ada', ...more };
    };
    t.test('opens an account, once, and then signs in', async (t) => {
      const ada = claims();
      const idToken = await provider.idToken(ada);
      const first = await hand({ idToken });
      t.equal(first.status, 201);
      t.match(first.body.data, { accessToken: String, user: { email: ada.email } });
      refused(t, await hand({ idToken }), 401, 'sign-in-invalid');
      const second = await hand({ idToken: await provider.idToken({ ...ada, jti: randomUUID() }) });
      t.equal(second.status, 200);
      t.equal(second.body.data.user.userId, first.body.data.user.userId);
    });
    t.test('that holds a nonce needs the same', async (t) => {
      const nonce = randomUUID();
      const idToken = await provider.idToken(claims({ nonce }));
      refused(t, await hand({ idToken }), 401, 'sign-in-invalid');
      refused(t, await hand({ idToken, nonce: 'another' }), 401, 'sign-in-invalid');
      t.equal((await hand({ idToken, nonce })).status, 201);
      refused(t, await hand({ idToken: await provider.idToken(claims()), nonce }), 401, 'sign-in-invalid');
    });
    const strange = await strangeKey();
    const past = Math.floor(Date.now() / 1000) - 3_600;
    const forged: Readonly<Record<string, () => string | Promise<string>>> = {
      'for another audience': () => provider.idToken(claims({ aud: 'somebody-else' })),
      'for several audiences': () => provider.idToken(claims({ aud: [provider.client.id, 'somebody-else'] })),
      'asked for by another': () => provider.idToken(claims({ azp: 'somebody-else' })),
      'that has expired': () => provider.idToken(claims({ iat: past - 60, exp: past })),
      'that never expires': () => provider.idToken(claims({ exp: undefined })),
      'of another issuer': () => provider.idToken(claims({ iss: 'https://accounts.example.com' })),
      'without a subject': () => provider.idToken(claims({ sub: undefined })),
      'signed by another key': () => provider.idToken(claims(), strange),
      'that nobody signed': () =>
        unsigned({ iss: provider.issuer, aud: provider.client.id, exp: past + 7_200, ...claims() }),
      'that is none': () => 'garbage',
    };
    for (const [title, make] of Object.entries(forged))
      t.test(title, async (t) => {
        const idToken = await make();
        const answer = await hand({ idToken });
        refused(t, answer, 401, 'sign-in-invalid');
        t.notOk(JSON.stringify(answer.body).includes(idToken));
      });
    t.test('signed with the secret of the client as if that were a key', async (t) => {
      const { SignJWT } = await import('jose');
      const idToken = await new SignJWT({
        iss: provider.issuer,
        aud: provider.client.id,
        iat: past + 3_600,
        exp: past + 7_200,
        ...claims(),
      })
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .sign(new TextEncoder().encode(provider.client.secret));
      refused(t, await hand({ idToken }), 401, 'sign-in-invalid');
    });
    t.test('is taken of Google alone', async (t) => {
      const idToken = await provider.idToken(claims());
      refused(t, await anonymous.post('/auth/oauth/microsoft', { idToken }), 422, 'input-invalid', 'idToken');
    });
  });
});
