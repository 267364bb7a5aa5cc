import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/oauthSignIn.ts';
import {
  completeOAuthSignIn,
  continueOAuthSignIn,
  oauthSignIn,
  proveOAuthSignIn,
  startOAuthSignIn,
} from '../../../src/domain/identity/oauthSignIn.ts';
import { model, movesIn, person } from '../../support/model.ts';

const MINUTE = 60_000;
const ada = person('ada');
const actor = fc.constantFrom(ada, person('ben'), { ...ada, kind: 'api_key' as const });
const provider = fc.constantFrom(...(['google', 'google', 'google', 'github'] as const));
const often = (weight: number) => fc.integer({ min: 0, max: weight }).map((drawn) => drawn > 0);

type World = {
  stage: 'none' | 'started' | 'returned' | 'proved' | 'done';
  provider?: string;
  holder?: string | undefined;
  ends: number;
};
const on = movesIn<World>();
const stateHash = 'of the state';

/** One way to a provider and back: every step once, in order, in time, by the browser, the client and the holder that began. */
export const oauthSignInModel = model({
  decider: oauthSignIn,
  commands,
  world: (): World => ({ stage: 'none', ends: 0 }),
  waits: [1, MINUTE - 1],
  moments: ({ ends }) => [ends - 1, ends],
  first: 'start',
  lives: 200,
  moves: {
    start: on(fc.record({ provider, actor }), ({ provider, actor }, world, { now }) => ({
      command: startOAuthSignIn,
      input: { provider, redirect_uri: 'https://app.example.org/in', state: 'of the client' },
      actor,
      facts: { stateHash, clientStateHash: 'of the client' },
      expect: () => {
        if (world.stage !== 'none') return 'contended';
        world.stage = 'started';
        world.provider = provider;
        world.holder = actor.kind === 'user' ? actor.id : undefined;
        world.ends = now.getTime() + 10 * MINUTE;
        return [{ type: 'OAuthSignInStarted', data: { accountId: world.holder, provider } }];
      },
    })),
    comeBack: on(
      fc.record({ provider, sameBrowser: often(6), denied: often(1) }),
      ({ provider, sameBrowser, denied: yes }, world, { now }) => ({
        command: continueOAuthSignIn,
        input: { provider, state: 'of the service', ...(yes ? { code: 'c' } : { error: 'access_denied' }) },
        facts: { stateHash, sameBrowser },
        expect: () => {
          const right = world.stage === 'started' && sameBrowser && provider === world.provider;
          if (!right || now.getTime() >= world.ends) return 'state-invalid';
          world.stage = yes ? 'returned' : 'done';
          return [{ type: 'OAuthCallbackReceived', data: { denied: !yes } }];
        },
      }),
      3,
    ),
    prove: on(
      fc.constant({}),
      (_drawn, world, { now }) => ({
        command: proveOAuthSignIn,
        input: { stateHash, codeHash: 'of the code' },
        expect: () => {
          if (world.stage !== 'returned') return 'state-invalid';
          world.stage = 'proved';
          world.ends = now.getTime() + MINUTE;
          return ['OAuthSignInProved'];
        },
      }),
      3,
    ),
    complete: on(
      fc.record({ provider, actor, rightCode: often(6), rightClient: often(6) }),
      ({ provider, actor, rightCode, rightClient }, world, { now }) => ({
        command: completeOAuthSignIn,
        input: { provider, code: 'c', state: 'of the client' },
        actor,
        facts: {
          stateHash,
          byCode: {
            codeHash: rightCode ? 'of the code' : 'of another',
            clientStateHash: rightClient ? 'of the client' : 'of another',
          },
        },
        expect: () => {
          const counts =
            world.stage === 'proved' && rightCode && provider === world.provider && now.getTime() < world.ends;
          if (!counts) return 'sign-in-invalid';
          if (!rightClient) return 'state-invalid';
          const holds = world.holder === undefined || (actor.kind === 'user' && actor.id === world.holder);
          if (!holds) return 'holder-required';
          world.stage = 'done';
          return ['OAuthSignInCompleted'];
        },
      }),
      4,
    ),
    idToken: on(fc.constant({}), (_drawn, world) => ({
      command: completeOAuthSignIn,
      input: { provider: 'google', idToken: 'of Google' },
      facts: { stateHash },
      expect: () => {
        if (world.stage !== 'none') return 'sign-in-invalid';
        world.stage = 'done';
        return ['OAuthIdTokenUsed'];
      },
    })),
  },
  seen: ({ status }) => status,
  expected: ({ stage }) => stage,
  always: (_state, _world, history) => {
    const types = history.map(({ type }) => type);
    assert.equal(new Set(types).size, types.length, 'nothing happens twice');
  },
  refusals: ['contended', 'state-invalid', 'sign-in-invalid', 'holder-required'],
});
