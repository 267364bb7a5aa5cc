import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/suspicion.ts';
import { flagSuspiciousActivity, suspicion } from '../../../src/domain/identity/suspicion.ts';
import { model, movesIn, named } from '../../support/model.ts';
import { system } from '../../support/spec.ts';

const MINUTE = 60_000;
const accountId = named('somebody');

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
        pattern: fc.constantFrom('refresh_reuse' as const, 'password_spray' as const, 'access_probing' as const),
        signs: fc.array(fc.record({ minutes: fc.nat(20), about: fc.nat(3), count: fc.integer({ min: 1, max: 8 }) }), {
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
          const within = signs.filter(({ minutes }) => minutes < (pattern === 'password_spray' ? 15 : 10));
          const times = within.reduce((sum, { count }) => sum + count, 0);
          const things = new Set(within.map(({ about }) => about)).size;
          const enough =
            pattern === 'refresh_reuse' || (pattern === 'password_spray' ? times >= 10 && things >= 3 : times >= 20);
          if (world.told || !enough) return [];
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
