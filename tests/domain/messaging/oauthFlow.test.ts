import t from 'tap';
import type { z } from 'zod';
import {
  completeIntegration,
  initiateIntegration,
  type OAuthFlowEvent,
  oauthFlow,
} from '../../../src/domain/messaging/oauthFlow.ts';
import { id, now, spec, user } from '../../support/spec.ts';

const given = spec(oauthFlow);
const ada = user(id('ada'));
const facts = { flowId: 'flow', configured: true, allowed: true };
const redirectUri = 'https://app.example.org/integrations';
const CALENDAR = 'https://www.googleapis.com/auth/calendar.events';
const input: z.input<typeof initiateIntegration.input> = {
  provider: 'google',
  capabilities: ['calendar'],
  redirectUri,
};
const expiresAt = new Date(now.getTime() + 600_000).toISOString();
const started: OAuthFlowEvent = {
  type: 'OAuthFlowStarted',
  data: { flowId: 'flow', accountId: ada.id, provider: 'google', scopes: [CALENDAR], redirectUri, expiresAt },
};
const returned = (denied: boolean): OAuthFlowEvent => ({
  type: 'OAuthFlowReturned',
  data: { flowId: 'flow', accountId: ada.id, denied },
});
const mine = { flowId: 'flow', sameBrowser: true };
const strange = { flowId: 'flow', sameBrowser: false };

t.test('beginning to connect a provider', async (t) => {
  t.test('notes what is wanted, and for whom, for ten minutes', async () => {
    given().when(initiateIntegration, input, ada, facts).then(started);
    given()
      .when(initiateIntegration, { provider: 'google', scopes: [CALENDAR, CALENDAR], redirectUri }, ada, facts)
      .then(started);
  });
  t.test('is refused', async (t) => {
    t.test('for a plan that does not include it, before anything else', async () =>
      given()
        .when(initiateIntegration, { ...input, provider: 'github', capabilities: ['repos'] }, ada, {
          ...facts,
          configured: false,
        })
        .rejected('plan-required'),
    );
    t.test('where browsers may not come out', async () =>
      given()
        .when(initiateIntegration, input, ada, { ...facts, allowed: false })
        .rejected('redirect-not-allowed'),
    );
    t.test('where nothing is configured', async () =>
      given()
        .when(initiateIntegration, input, ada, { ...facts, configured: false })
        .rejected('provider-not-configured'),
    );
    t.test('for what is not offered or not known', async () => {
      given()
        .when(initiateIntegration, { ...input, capabilities: ['repos'] }, ada, facts)
        .rejected('input-invalid', 'capabilities.0');
      given()
        .when(initiateIntegration, { provider: 'google', scopes: ['all'], redirectUri }, ada, facts)
        .rejected('input-invalid', 'scopes.0');
      given()
        .when(initiateIntegration, { provider: 'google', redirectUri }, ada, facts)
        .rejected('input-invalid', 'capabilities');
    });
    t.test('twice', async () => given(started).when(initiateIntegration, input, ada, facts).rejected('contended'));
  });
});

t.test('coming back', async (t) => {
  const back = { state: 'state', code: 'code' };
  t.test('counts in the browser that began', async () =>
    given(started)
      .when(completeIntegration, back, user(id('eve')), mine)
      .then(returned(false)),
  );
  t.test('counts with the login of the account that began', async () =>
    given(started).when(completeIntegration, back, ada, strange).then(returned(false)),
  );
  t.test('may say no', async () =>
    given(started)
      .when(completeIntegration, { state: 'state', error: 'access_denied' }, ada, mine)
      .then(returned(true)),
  );
  t.test('is refused', async (t) => {
    t.test('to others', async () =>
      given(started)
        .when(completeIntegration, back, user(id('eve')), strange)
        .rejected('state-invalid'),
    );
    t.test('to the API key of the account', async () =>
      given(started)
        .when(completeIntegration, back, { ...ada, kind: 'api_key' }, strange)
        .rejected('state-invalid'),
    );
    t.test('twice, and on nothing', async () => {
      given(started, returned(false)).when(completeIntegration, back, ada, mine).rejected('state-invalid');
      given().when(completeIntegration, back, ada, mine).rejected('state-invalid');
    });
    t.test('after ten minutes', async () =>
      given(started)
        .when(completeIntegration, back, { now: new Date(expiresAt), actor: ada }, mine)
        .rejected('state-invalid'),
    );
    t.test('with neither code nor error', async () =>
      given(started).when(completeIntegration, { state: 'state' }, ada, mine).rejected('input-invalid', 'code'),
    );
  });
});
