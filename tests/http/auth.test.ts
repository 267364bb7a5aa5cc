import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import t from 'tap';
import { ok } from '../../src/http/answers.ts';
import { accountOf, actorOf } from '../../src/http/request.ts';
import { tokenKeyOf } from '../../src/http/tokenKeys.ts';
import { server } from './support/server.ts';

const routes: NonNullable<Parameters<typeof server>[1]>['routes'] = (app) => {
  app.get('/open', { config: { access: 'anyone' } }, async (request) => ok(actorOf(request)));
  app.get('/mine', async (request) => ok(accountOf(request)));
  app.get('/pages', { config: { access: 'loggedIn', unverified: true } }, async () => ok(null));
  app.get('/boxes', { config: { access: 'read:boxes', apiKey: true } }, async (request) => ok(actorOf(request)));
};
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const forge = (header: object, claims: object, secret: string) => {
  const signed = `${base64(header)}.${base64(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};

t.test('access tokens', async (t) => {
  const { app, deps, login, end } = await server(t, {
    routes,
    environment: { JWT_SECRET_PREVIOUS: 'o'.repeat(32) },
  });
  const get = (url: string, authorization?: string) =>
    app.inject({ url: `/api/v1${url}`, headers: authorization === undefined ? {} : { authorization } });
  const reasonOf = async (authorization?: string) => {
    const { statusCode, json, headers } = await get('/mine', authorization);
    if (statusCode === 401) t.equal(headers['www-authenticate'], 'Bearer');
    return `${statusCode} ${json().error?.reason}`;
  };
  const now = Math.floor(Date.now() / 1000);
  const { authorization, accountId, sessionId } = login();
  const claims = { sub: accountId, sid: sessionId, iat: now, exp: now + 900 };
  const good = { alg: 'HS256', typ: 'JWT' };

  t.equal((await get('/mine', authorization)).json().data, accountId);
  t.equal(await reasonOf(), '401 login-required');
  t.equal(await reasonOf('Basic abc'), '401 token-invalid');
  t.equal(await reasonOf('Bearer not.a.token'), '401 token-invalid');
  t.equal(await reasonOf(`Bearer ${forge(good, claims, 'x'.repeat(32))}`), '401 token-invalid');
  t.equal(
    await reasonOf(`Bearer ${forge(good, { ...claims, exp: now - 1 }, deps.secrets.jwtSecret)}`),
    '401 token-expired',
  );
  t.equal(
    await reasonOf(`Bearer ${forge({ ...good, alg: 'HS512' }, claims, deps.secrets.jwtSecret)}`),
    '401 token-invalid',
  );
  t.equal(await reasonOf(`Bearer ${base64({ alg: 'none', typ: 'JWT' })}.${base64(claims)}.`), '401 token-invalid');
  t.equal(await reasonOf(`Bearer ${forge(good, { exp: now + 900 }, deps.secrets.jwtSecret)}`), '401 token-invalid');
  const former = { ...good, kid: tokenKeyOf('o'.repeat(32), 'JWT_SECRET_PREVIOUS').kid };
  t.equal(
    await reasonOf(`Bearer ${forge(former, claims, 'o'.repeat(32))}`),
    '200 undefined',
    'signed with the former secret',
  );
  t.equal(await reasonOf(`Bearer ${forge(former, claims, deps.secrets.jwtSecret)}`), '401 token-invalid');
  t.equal(await reasonOf(`Bearer ${forge(good, claims, 'o'.repeat(32))}`), '401 token-invalid', 'under the wrong name');
  t.equal(
    await reasonOf(`Bearer ${forge(good, { ...claims, sub: randomUUID() }, deps.secrets.jwtSecret)}`),
    '401 account-unknown',
  );
  t.equal(await reasonOf(login({ active: false }).authorization), '401 account-unknown');

  t.same((await get('/open', 'Bearer x')).json().data.kind, 'anonymous', 'an open route does not look at the token');
  t.equal((await get('/pages', login({ verified: false }).authorization)).statusCode, 200);
  t.equal((await get('/mine', login({ verified: false }).authorization)).statusCode, 403);
  t.equal((await get('/boxes', authorization)).json().error.reason, 'permission-missing');
  t.equal((await get('/boxes', login({ permissions: ['*:*'] }).authorization)).statusCode, 200);

  end(sessionId);
  t.equal(await reasonOf(authorization), '401 session-ended');

  const payload = JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString());
  t.equal(payload.exp - payload.iat, 900);
});

t.test('rights that cannot be read', async (t) => {
  const { app, login } = await server(t, {
    routes,
    deps: { rights: { of: () => Promise.reject(new Error('lost')) } },
  });
  const { authorization } = login();
  const { statusCode, headers } = await app.inject({ url: '/api/v1/mine', headers: { authorization } });
  t.equal(statusCode, 503);
  t.ok(headers['retry-after']);
  t.equal((await app.inject({ url: '/api/v1/open', headers: { authorization } })).statusCode, 200);
  const health = await app.inject({ url: '/health/database', headers: { authorization } });
  t.equal(health.statusCode, 200);
  t.notOk('pool' in health.json().data, 'status only');
});

t.test('API keys', async (t) => {
  const accountId = randomUUID();
  const { app } = await server(t, {
    routes,
    deps: {
      rights: {
        of: () => ({ permissions: ['read:boxes'], roles: ['free'], plan: 'free', verified: true, active: true }),
      },
      apiKeys: {
        of: async (value) =>
          value === 'ak_live_good'
            ? { keyId: randomUUID(), accountId, permissions: ['read:boxes', 'write:boxes'] }
            : undefined,
      },
    },
  });
  const get = (url: string, key: string) => app.inject({ url: `/api/v1${url}`, headers: { 'x-api-key': key } });
  t.match((await get('/boxes', 'ak_live_good')).json().data, {
    id: accountId,
    kind: 'api_key',
    permissions: ['read:boxes'],
  });
  t.equal((await get('/boxes', 'ak_live_bad')).json().error.reason, 'api-key-invalid');
  const refused = await get('/mine', 'ak_live_good');
  t.equal(refused.statusCode, 403);
  t.equal(refused.json().error.reason, 'api-key-not-allowed');
});

t.test('tokens signed with a private key', async (t) => {
  const pem = ({ privateKey }: { privateKey: KeyObject }) =>
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const made = {
    EdDSA: pem(generateKeyPairSync('ed25519')),
    ES256: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    RS256: pem(generateKeyPairSync('rsa', { modulusLength: 2_048 })),
  };
  for (const [algorithm, JWT_SECRET] of Object.entries(made)) {
    const before = { ...made, HS256: 's'.repeat(32) }[algorithm === 'EdDSA' ? 'RS256' : 'HS256'];
    const { app, login } = await server(t, {
      routes,
      deps: { secrets: { jwtSecret: JWT_SECRET, masterKey: 'm'.repeat(32), adminPassword: 'p'.repeat(12) } },
      environment: { JWT_SECRET_PREVIOUS: before },
    });
    const { authorization, accountId, sessionId } = login();
    const [header = ''] = authorization.replace('Bearer ', '').split('.');
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    t.equal(alg, algorithm);
    const mine = (value: string) => app.inject({ url: '/api/v1/mine', headers: { authorization: value } });
    t.equal((await mine(authorization)).json().data, accountId);

    const { keys } = (await app.inject('/.well-known/jwks.json')).json();
    t.ok(
      keys.some((key: { kid: string }) => key.kid === kid),
      'its public key is told',
    );
    t.equal(keys.length, algorithm === 'EdDSA' ? 2 : 1, 'a shared secret is not');
    t.notOk(JSON.stringify(keys).includes('"d":'), 'no private part');

    const publicPem = createPublicKey(JWT_SECRET).export({ type: 'spki', format: 'pem' }).toString();
    const now = Math.floor(Date.now() / 1000);
    const claims = { sub: accountId, sid: sessionId, iat: now, exp: now + 900 };
    const forged = forge({ alg: 'HS256', typ: 'JWT', kid }, claims, publicPem);
    t.equal((await mine(`Bearer ${forged}`)).statusCode, 401, 'the public key is no secret to sign with');
  }
});

t.test('a private key of another kind stops the start by name', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const weak = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  t.throws(() => tokenKeyOf(weak, 'JWT_SECRET'), { message: /^JWT_SECRET / });
  t.throws(() => tokenKeyOf('-----BEGIN PRIVATE KEY-----\nnonsense', 'JWT_SECRET_PREVIOUS'), {
    message: /^JWT_SECRET_PREVIOUS /,
  });
});
