import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/suspicion.ts';
import { flagSuspiciousActivity, PATTERNS, type Pattern, suspicion } from '../../../src/domain/identity/suspicion.ts';
import { model, movesIn, named } from '../../support/model.ts';
import { system } from '../../support/spec.ts';

const MINUTE = 60_000;
/** In minutes. */
const DAY = 24 * 60;
const accountId = named('somebody');

/** Around the ends of the windows. */
const minutes = fc.oneof(fc.nat(20), fc.integer({ min: DAY - 2, max: DAY + 2 }));
type Signs = readonly { readonly minutes: number; readonly about: number; readonly count: number }[];

/** Whether signs so many minutes old make the pattern. */
const isEnough = (pattern: Pattern, signs: Signs): boolean => {
  const within = (window: number): Signs => signs.filter(({ minutes }) => minutes < window);
  const times = (window: number): number => within(window).reduce((sum, { count }) => sum + count, 0);
  switch (pattern) {
    case 'refresh_reuse':
    case 'new_device':
      return true;
    case 'password_spray':
      return times(15) >= 10 && new Set(within(15).map(({ about }) => about)).size >= 3;
    case 'access_probing':
      return times(10) >= 20;
    case 'many_lockouts':
      return times(DAY) >= 3;
  }
};

type World = { told: boolean };
const on = movesIn<World>();

/** One suspicion: told once, and of those that take many signs none before there are enough. */
export const suspicionModel = model({
  decider: suspicion,
  commands,
  world: (): World => ({ told: false }),
  length: 10,
  moves: {
    flag: on(
      fc.record({
        pattern: fc.constantFrom(...PATTERNS),
        signs: fc.array(fc.record({ minutes, about: fc.nat(3), count: fc.integer({ min: 1, max: 8 }) }), {
          maxLength: 8,
        }),
      }),
      ({ pattern, signs }, world, { now }) => ({
        command: flagSuspiciousActivity,
        input: { pattern, accountId, ip: '203.0.113.7', at: now.toISOString() },
        actor: system,
        facts: {
          signs: signs.map(({ minutes, about, count }) => ({
            at: new Date(now.getTime() - minutes * MINUTE).toISOString(),
            about: String(about),
            count,
          })),
        },
        twice: 'nothing',
        expect: () => {
          if (world.told || !isEnough(pattern, signs)) return [];
          world.told = true;
          return [{ type: 'SuspiciousActivityDetected', data: { pattern, accountId, ipKey: accountId } }];
        },
      }),
    ),
  },
  seen: ({ detected }) => detected,
  expected: ({ told }) => told,
  always: (_state, _world, history) => assert.ok(history.length <= 1, 'told once'),
  refusals: [],
});
