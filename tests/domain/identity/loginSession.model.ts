import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/loginSession.ts';
import {
  beganAt,
  endLoginSession,
  isAlive,
  loginSession,
  refreshSession,
  revokeLoginSession,
  startLoginSession,
} from '../../../src/domain/identity/loginSession.ts';
import { model, movesIn, named, person } from '../../support/model.ts';

const DAY = 86_400_000;
const sessionId = named('session');
const [ada, eve, root] = [person('ada'), person('eve'), person('root', '*:*')];
const origin = { ip: '203.0.113.7', userAgent: 'curl' };
const tokenOf = (number: number): string => `token ${number}`;

/** The tokens given out so far are numbered from 0; the last one counts. */
type World = { tokens: number; began?: number; expires: number; ended: boolean };
const on = movesIn<World>();
const alive = ({ tokens, expires, ended }: World, now: Date): boolean =>
  tokens > 0 && !ended && now.getTime() < expires;

/** One log-in: of all its refresh tokens the last one counts, and the use of an earlier one ends it. */
export const loginSessionModel = model({
  decider: loginSession,
  commands,
  world: (): World => ({ tokens: 0, expires: 0, ended: false }),
  waits: [DAY, 7 * DAY - 1, 1],
  moves: {
    start: on(
      fc.constant({ sessionId, accountId: ada.id, method: 'password', refreshTokenHash: tokenOf(0), ...origin }),
      (input, world, { now }) => ({
        command: startLoginSession,
        input,
        twice: 'nothing',
        expect: () => {
          if (world.tokens > 0) return [];
          Object.assign(world, { tokens: 1, began: now.getTime(), expires: now.getTime() + 7 * DAY });
          return ['LoginSessionStarted'];
        },
      }),
    ),
    refresh: on(
      // How long ago the token was given out: 0 is the last one, below that a token that never was.
      fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -1, max: 3 }) }),
      (ago, world, { now }) => {
        const presented = ago < world.tokens ? world.tokens - 1 - ago : world.tokens;
        return {
          command: refreshSession,
          input: { refreshToken: 'in the clear' },
          facts: {
            sessionId,
            presented: { hash: tokenOf(presented), generation: presented },
            behind: false,
            nextHash: tokenOf(world.tokens),
            ip: origin.ip,
          },
          expect: () => {
            if (!alive(world, now) || presented >= world.tokens) return 'refresh-token-invalid';
            if (ago > 0) {
              world.ended = true;
              return ['RefreshTokenReuseDetected', { type: 'LoginSessionRevoked', data: { by: 'reuse' } }];
            }
            Object.assign(world, { tokens: world.tokens + 1, expires: now.getTime() + 7 * DAY });
            return ['LoginSessionRefreshed'];
          },
        };
      },
      6,
    ),
    revoke: on(fc.constantFrom(ada, { ...ada, sessionId }, eve, root), (actor, world) => ({
      command: revokeLoginSession,
      input: { sessionId },
      actor,
      twice: 'nothing',
      expect: () => {
        if (world.tokens === 0 || actor === eve) return 'session-unknown';
        if (world.ended) return [];
        world.ended = true;
        const own = actor.sessionId === sessionId ? 'logout' : 'owner';
        return [{ type: 'LoginSessionRevoked', data: { by: actor.id === ada.id ? own : 'admin' } }];
      },
    })),
    end: on(fc.constantFrom('logout', 'password_change', 'deactivation', 'breach'), (by, world) => ({
      command: endLoginSession,
      input: { sessionId, by },
      twice: 'nothing',
      expect: () => {
        if (world.tokens === 0 || world.ended) return [];
        world.ended = true;
        return [{ type: 'LoginSessionRevoked', data: { by } }];
      },
    })),
  },
  seen: (state, { now }) => ({
    alive: isAlive(state, now),
    token: state.refreshTokenHash,
    began: state.accountId === undefined ? undefined : beganAt(state),
  }),
  expected: (world, { now }) => ({
    alive: alive(world, now),
    token: world.tokens === 0 ? '' : tokenOf(world.tokens - 1),
    began: world.began,
  }),
  always: (_state, _world, history) => {
    const end = history.findIndex(({ type }) => type === 'LoginSessionRevoked');
    assert.ok(end < 0 || end === history.length - 1, 'nothing happens to a session that has ended');
  },
  refusals: ['refresh-token-invalid', 'session-unknown'],
});
