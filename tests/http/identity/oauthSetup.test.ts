import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import t from 'tap';
import { TIMEOUT_MS } from '../../../src/integrations/oauth/asking.ts';
import { openSignIn } from '../../../src/integrations/oauth/index.ts';
import { github } from '../../support/github.ts';
import { openIdProvider } from '../../support/openIdProvider.ts';
import { sharedService } from '../../support/service.ts';
import { APP, signInService } from '../../support/signIn.ts';

const QUERY = `redirect_uri=${encodeURIComponent(APP)}&state=state-of-the-client`;
const NOTHING = { google: undefined, github: undefined, microsoft: undefined, redirectUris: [] };
const SECRETS = { state: 'of the service', nonce: 'n'.repeat(43), codeVerifier: 'v'.repeat(43) };

t.test('without providers', async (t) => {
  const { anonymous, user } = await sharedService();
  t.test('none is shown as configured', async (t) => {
    const { status, body } = await anonymous.get('/auth/oauth');
    t.equal(status, 200);
    t.same(
      body.data.providers,
      ['google', 'github', 'microsoft'].map((provider) => ({ provider, configured: false, linked: false })),
    );
  });
  t.test('a sign-in answers 503, with an unknown provider 422', async (t) => {
    for (const path of [`/auth/oauth/google?${QUERY}`, '/auth/google', `/auth/google?${QUERY}`]) {
      const { status, body } = await anonymous.get(path);
      t.equal(status, 503, path);
      t.match(body.error, { code: 'SERVICE_UNAVAILABLE', reason: 'provider-not-configured' });
    }
    t.equal((await anonymous.post('/auth/google', { idToken: 'i' })).status, 503);
    t.equal((await anonymous.get(`/auth/oauth/facebook?${QUERY}`)).status, 422);
  });
  t.test('logging in with a password works as ever', async (t) => t.ok((await user()).token));
});

t.test('a provider that gives no answer', async (t) => {
  const service = await signInService(t);
  const { anonymous, provider } = service;
  const { body } = await anonymous.get(`/auth/oauth/google?${QUERY}`);
  t.ok(body.data.authorizationUrl);
  const flow = await service.begin();
  const sub = randomUUID();
  provider.settle({ sub, email: `${sub}@example.org`, email_verified: true });
  const callback = await service.consent(flow, sub);
  provider.control.broken = true;
  const answer = await service.comeBack(flow, callback);
  t.equal(answer.status, 503);
  t.match(answer.body.error, { code: 'SERVICE_UNAVAILABLE', reason: 'provider-unavailable' });
  t.ok(answer.headers.get('retry-after'));
  t.ok((await service.user()).token, 'passwords work as ever');
});

t.test('the time that a provider may take', async (t) => {
  const hub = await github(t);
  const { clientId, clientSecret } = { clientId: hub.client.id, clientSecret: hub.client.secret };
  const provider = await openIdProvider(t, ['http://convene.test/api/v1/auth/oauth/google/callback']);
  const { providers, circuits } = await openSignIn(
    {
      ...NOTHING,
      google: { clientId: provider.client.id, clientSecret: provider.client.secret, issuer: provider.issuer },
      github: { clientId, clientSecret, url: hub.url, apiUrl: hub.url },
    },
    'http://convene.test',
    200,
  );
  provider.control.silent = true;
  hub.control.silent = true;
  const callback = { code: 'c', state: SECRETS.state };
  const began = performance.now();
  t.equal(await providers.google?.authorizationUrl(SECRETS), 'unavailable');
  t.equal(await providers.google?.verifyIdToken?.('token', undefined), 'unavailable');
  t.equal(await providers.github?.identify(callback, SECRETS), 'unavailable');
  t.ok(performance.now() - began < TIMEOUT_MS, 'the time is the one that was set, and not the usual one for each call');
  for (let call = 0; call < 5; call += 1) await providers.github?.identify(callback, SECRETS);
  t.match(
    circuits.map(({ service, state }) => [service, state()]),
    [
      ['oauth-google', 'closed'],
      ['oauth-github', 'open'],
    ],
  );
  const asked = hub.asked.length;
  t.equal(await providers.github?.identify(callback, SECRETS), 'unavailable');
  t.equal(hub.asked.length, asked, 'it is left alone while the circuit is open');
});

t.test('refusals do not open the circuit, and tell nothing of codes', async (t) => {
  const hub = await github(t);
  const { clientId, clientSecret } = { clientId: hub.client.id, clientSecret: hub.client.secret };
  const { providers, circuits } = await openSignIn(
    { ...NOTHING, github: { clientId, clientSecret, url: hub.url, apiUrl: hub.url } },
    'http://convene.test',
  );
  for (let call = 0; call < 7; call += 1) {
    const outcome = await providers.github?.identify({ code: 'secret-code', state: SECRETS.state }, SECRETS);
    t.equal(outcome, 'refused');
    t.notMatch(inspect(outcome), /secret-code/);
  }
  t.equal(circuits[0]?.state(), 'closed');
});
