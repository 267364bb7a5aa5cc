import t from 'tap';
import type { Actor } from '../../../src/domain/decider.ts';
import {
  CODE_LIFE,
  completeOAuthSignIn,
  continueOAuthSignIn,
  type OAuthSignInEvent,
  oauthSignIn,
  proveOAuthSignIn,
  startOAuthSignIn,
} from '../../../src/domain/identity/oauthSignIn.ts';
import { FLOW_LIFE } from '../../../src/domain/oauth.ts';
import { id, now, spec, user } from '../../support/spec.ts';

const given = spec(oauthSignIn);
const nobody: Actor = { id: 'anonymous', kind: 'anonymous', permissions: [], verified: false };
const ada = user(id('ada'));
const after = (ms: number): Date => new Date(now.getTime() + ms);
const hashes = { stateHash: 'of the state', clientStateHash: 'of the client' };
const { stateHash } = hashes;
const redirectUri = 'https://app.example.org/signed-in';
const begin = { provider: 'google', redirect_uri: redirectUri, state: 'kept by the client' } as const;

const started = (accountId?: string): OAuthSignInEvent => ({
  type: 'OAuthSignInStarted',
  data: {
    ...hashes,
    provider: 'google',
    redirectUri,
    ...(accountId === undefined ? {} : { accountId }),
    expiresAt: after(FLOW_LIFE).toISOString(),
  },
});
const returned = (denied = false): OAuthSignInEvent => ({ type: 'OAuthCallbackReceived', data: { stateHash, denied } });
const proved: OAuthSignInEvent = {
  type: 'OAuthSignInProved',
  data: { stateHash, codeHash: 'of the code', expiresAt: after(CODE_LIFE).toISOString() },
};
const completed: OAuthSignInEvent = { type: 'OAuthSignInCompleted', data: { stateHash } };

t.test('beginning', async (t) => {
  t.test('keeps hashes alone', async () => given().when(startOAuthSignIn, begin, nobody, hashes).then(started()));
  t.test('is for the account of somebody who is logged in', async () => {
    given().when(startOAuthSignIn, begin, ada, hashes).then(started(ada.id));
    given()
      .when(startOAuthSignIn, begin, { ...ada, kind: 'api_key' }, hashes)
      .then(started());
  });
  t.test('happens once', async () =>
    given(started()).when(startOAuthSignIn, begin, nobody, hashes).rejected('contended'),
  );
  t.test('wants a provider there is, and a state of 8 to 200 characters', async () => {
    given()
      .when(startOAuthSignIn, { ...begin, provider: 'facebook' as never }, nobody, hashes)
      .rejected('input-invalid', 'provider');
    for (const state of ['1234567', 'x'.repeat(201)])
      given()
        .when(startOAuthSignIn, { ...begin, state }, nobody, hashes)
        .rejected('input-invalid', 'state');
  });
});

t.test('coming back', async (t) => {
  const back = { provider: 'google', state: 'of the service', code: 'of the provider' } as const;
  const right = { stateHash, sameBrowser: true };
  t.test('counts once, in time, from the provider and in the browser that began', async () => {
    given(started()).when(continueOAuthSignIn, back, nobody, right).then(returned());
    given(started(), returned()).when(continueOAuthSignIn, back, nobody, right).rejected('state-invalid', 'state');
    given(started())
      .when(continueOAuthSignIn, back, nobody, { ...right, sameBrowser: false })
      .rejected('state-invalid', 'state');
    given(started())
      .when(continueOAuthSignIn, { ...back, provider: 'github' }, nobody, right)
      .rejected('state-invalid', 'state');
    given().when(continueOAuthSignIn, back, nobody, right).rejected('state-invalid', 'state');
    given(started())
      .when(continueOAuthSignIn, back, { now: after(FLOW_LIFE - 1), actor: nobody }, right)
      .then(returned());
    given(started())
      .when(continueOAuthSignIn, back, { now: after(FLOW_LIFE), actor: nobody }, right)
      .rejected('state-invalid', 'state');
  });
  t.test('with an error ends it', async () => {
    const { code: _code, ...denied } = { ...back, error: 'access_denied' };
    given(started()).when(continueOAuthSignIn, denied, nobody, right).then(returned(true));
    given(started(), returned(true))
      .when(proveOAuthSignIn, { stateHash, codeHash: 'of the code' })
      .rejected('state-invalid');
    given(started())
      .when(continueOAuthSignIn, { ...back, error: 'both' }, nobody, right)
      .rejected('input-invalid', 'code');
  });
  t.test('leads to a code, once', async () => {
    const prove = { stateHash, codeHash: 'of the code' };
    given(started(), returned()).when(proveOAuthSignIn, prove).then(proved);
    given(started()).when(proveOAuthSignIn, prove).rejected('state-invalid');
    given(started(), returned(), proved).when(proveOAuthSignIn, prove).rejected('state-invalid');
  });
});

t.test('exchanging the code', async (t) => {
  const past = [started(), returned(), proved];
  const input = { provider: 'google', code: 'c', state: 'kept by the client' } as const;
  const facts = { stateHash, byCode: { codeHash: 'of the code', clientStateHash: 'of the client' } };
  t.test('counts once and for a minute', async () => {
    given(...past)
      .when(completeOAuthSignIn, input, nobody, facts)
      .then(completed);
    given(...past, completed)
      .when(completeOAuthSignIn, input, nobody, facts)
      .rejected('sign-in-invalid');
    given(...past)
      .when(completeOAuthSignIn, input, { now: after(CODE_LIFE), actor: nobody }, facts)
      .rejected('sign-in-invalid');
    given(started(), returned()).when(completeOAuthSignIn, input, nobody, facts).rejected('sign-in-invalid');
  });
  t.test('needs the code, the provider and the state of the client', async () => {
    const other = (byCode: object) => ({ stateHash, byCode: { ...facts.byCode, ...byCode } });
    given(...past)
      .when(completeOAuthSignIn, input, nobody, other({ codeHash: 'of another' }))
      .rejected('sign-in-invalid');
    given(...past)
      .when(completeOAuthSignIn, { ...input, provider: 'github' }, nobody, facts)
      .rejected('sign-in-invalid');
    given(...past)
      .when(completeOAuthSignIn, input, nobody, other({ clientStateHash: 'of another' }))
      .rejected('state-invalid', 'state');
  });
  t.test('is for the holder of the account that it began in', async () => {
    const linking = [started(ada.id), returned(), proved];
    given(...linking)
      .when(completeOAuthSignIn, input, ada, facts)
      .then(completed);
    for (const actor of [nobody, user(id('bob')), { ...ada, kind: 'api_key' as const }])
      given(...linking)
        .when(completeOAuthSignIn, input, actor, facts)
        .rejected('holder-required');
  });
});

t.test('an ID token', async (t) => {
  const input = { provider: 'google', idToken: 'of Google' } as const;
  const used: OAuthSignInEvent = { type: 'OAuthIdTokenUsed', data: { stateHash, provider: 'google' } };
  t.test('counts once', async () => {
    given().when(completeOAuthSignIn, input, nobody, { stateHash }).then(used);
    given(used).when(completeOAuthSignIn, input, nobody, { stateHash }).rejected('sign-in-invalid');
  });
  t.test("is taken of Google's alone, and instead of a code", async () => {
    given()
      .when(completeOAuthSignIn, { ...input, provider: 'microsoft' }, nobody, { stateHash })
      .rejected('input-invalid', 'idToken');
    given()
      .when(completeOAuthSignIn, { ...input, code: 'c' }, nobody, { stateHash })
      .rejected('input-invalid', 'code');
    given()
      .when(completeOAuthSignIn, { provider: 'google', code: 'c' }, nobody, { stateHash })
      .rejected('input-invalid', 'state');
  });
});
