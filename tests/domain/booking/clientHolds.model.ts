import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/booking/clientHolds.ts';
import { allowHold, clientHolds, leaveWaitingLists, returnHold } from '../../../src/domain/booking/clientHolds.ts';
import { model, movesIn, named } from '../../support/model.ts';

const accountId = named('ada');
const dayOf = (number: number): string => `${named('doctor')}~2026-03-0${number + 1}`;

/** Until when the account holds a slot of each day, in milliseconds. */
type World = Map<string, number>;
const on = movesIn<World>();
const living = (world: World, now: Date): readonly string[] =>
  [...world].filter(([, until]) => until > now.getTime()).map(([day]) => day);

/** The days on which one account holds a slot: three at once. */
export const clientHoldsModel = model({
  decider: clientHolds,
  commands,
  world: (): World => new Map(),
  waits: [1000, 30_000, 90_000],
  moves: {
    allow: on(
      fc.record({ number: fc.nat(5), seconds: fc.constantFrom(30, 120, 360) }),
      ({ number, seconds }, world, { now }) => {
        const day = dayOf(number);
        const until = now.getTime() + seconds * 1000;
        return {
          command: allowHold,
          input: { accountId, day, until: new Date(until).toISOString() },
          twice: 'nothing',
          expect: () => {
            if (living(world, now).filter((other) => other !== day).length >= 3) return 'too-many-holds';
            if ((world.get(day) ?? 0) >= until) return [];
            world.set(day, until);
            return [
              { type: 'HoldAllowed', data: { day, at: now.toISOString(), until: new Date(until).toISOString() } },
            ];
          },
        };
      },
      3,
    ),
    leave: on(fc.constant(null), (_args, _world, { now }) => ({
      command: leaveWaitingLists,
      input: { accountId, before: now.toISOString() },
      expect: () => [],
    })),
    return: on(fc.nat(5), (number, world, { now }) => {
      const day = dayOf(number);
      // What has run out may be forgotten: then there is nothing to return.
      if ((world.get(day) ?? 0) <= now.getTime()) return undefined;
      return {
        command: returnHold,
        input: { accountId, day },
        twice: 'nothing',
        expect: () => {
          world.delete(day);
          return ['HoldReturned'];
        },
      };
    }),
  },
  seen: ({ days }, { now }) =>
    Object.keys(days)
      .filter((day) => (days[day] ?? '') > now.toISOString())
      .sort(),
  expected: (world, { now }) => [...living(world, now)].sort(),
  always: ({ days }) => assert.ok(Object.keys(days).length <= 6, 'what has run out is forgotten'),
  silent: ['LeaveWaitingLists'],
  refusals: ['too-many-holds'],
});
