import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/messaging/oauthFlow.ts';
import { completeIntegration, initiateIntegration, oauthFlow } from '../../../src/domain/messaging/oauthFlow.ts';
import { model, movesIn, person } from '../../support/model.ts';

const MINUTE = 60_000;
const ada = person('ada');
const actor = fc.constantFrom(ada, person('ben'), person('cleo', 'integrate:external-services'), {
  ...ada,
  kind: 'api_key' as const,
});
const often = fc.integer({ min: 0, max: 6 }).map((drawn) => drawn > 0);

type World = { stage: 'none' | 'started' | 'done'; holder: string; ends: number };
const on = movesIn<World>();
const flowId = 'of the state';

/** One way to a provider and back, to connect it: once, in time, for whoever began. */
export const oauthFlowModel = model({
  decider: oauthFlow,
  commands,
  world: (): World => ({ stage: 'none', holder: '', ends: 0 }),
  waits: [1, MINUTE],
  moments: ({ ends }) => [ends - 1, ends],
  first: 'initiate',
  lives: 200,
  moves: {
    initiate: on(
      fc.record({ actor, google: often, configured: often, allowed: often }),
      ({ actor, google, configured, allowed }, world, { now }) => ({
        command: initiateIntegration,
        input: {
          provider: google ? 'google' : 'github',
          capabilities: [google ? 'calendar' : 'repos'],
          redirectUri: 'https://app.example.org/integrations',
        },
        actor,
        facts: { flowId, configured, allowed },
        expect: () => {
          if (!google && !actor.permissions.includes('integrate:external-services')) return 'plan-required';
          if (!allowed) return 'redirect-not-allowed';
          if (!configured) return 'provider-not-configured';
          if (world.stage !== 'none') return 'contended';
          Object.assign(world, { stage: 'started', holder: actor.id, ends: now.getTime() + 10 * MINUTE });
          const scopes = [google ? 'https://www.googleapis.com/auth/calendar.events' : 'repo'];
          return [{ type: 'OAuthFlowStarted', data: { flowId, accountId: actor.id, scopes } }];
        },
      }),
    ),
    comeBack: on(
      fc.record({ actor, sameBrowser: fc.boolean(), denied: fc.boolean() }),
      ({ actor, sameBrowser, denied }, world, { now }) => ({
        command: completeIntegration,
        input: { state: 'of the service', ...(denied ? { error: 'access_denied' } : { code: 'c' }) },
        actor,
        facts: { flowId, sameBrowser },
        expect: () => {
          const proved = sameBrowser || (actor.kind === 'user' && actor.id === world.holder);
          if (world.stage !== 'started' || !proved || now.getTime() >= world.ends) return 'state-invalid';
          world.stage = 'done';
          return [{ type: 'OAuthFlowReturned', data: { flowId, accountId: world.holder, denied } }];
        },
      }),
      2,
    ),
  },
  seen: ({ status }) => status,
  expected: ({ stage }) => stage,
  always: (_state, _world, history) => assert.ok(history.length <= 2, 'nothing happens twice'),
  refusals: ['plan-required', 'redirect-not-allowed', 'provider-not-configured', 'contended', 'state-invalid'],
});
