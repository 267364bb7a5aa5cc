import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/booking/clientCalendar.ts';
import {
  cancelClientAppointments,
  claimTime,
  clientCalendar,
  settleTime,
} from '../../../src/domain/booking/clientCalendar.ts';
import { appointmentIdOf } from '../../../src/domain/booking/ids.ts';
import { model, movesIn, named } from '../../support/model.ts';
import { now as start } from '../../support/spec.ts';

const SECOND = 1000;
const accountId = named('ada');
const APPOINTMENTS = ['one', 'two', 'three'].map((name) =>
  appointmentIdOf({ providerId: named('doctor'), day: '2026-03-09', uuid: named(name) }),
);
/** Times that overlap now and then: half an hour each, a quarter of an hour apart. */
const timeAt = (quarter: number) => {
  const from = start.getTime() + 86_400_000 + quarter * 900_000;
  return { startTime: new Date(from).toISOString(), endTime: new Date(from + 1_800_000).toISOString() };
};
type Time = ReturnType<typeof timeAt>;
type Claim = Time & { readonly appointmentId: string; at: number };
/** What is claimed, and when the appointments that came about take place. */
type World = { claims: Claim[]; readonly takes: Map<string, Time> };
const on = movesIn<World>();
const which = fc.constantFrom(...APPOINTMENTS);
const meets = (a: Time, b: Time): boolean => a.startTime < b.endTime && b.startTime < a.endTime;

/** One client's time: nobody has two appointments at once, and what no appointment takes is given back. */
export const clientCalendarModel = model({
  decider: clientCalendar,
  commands,
  world: (): World => ({ claims: [], takes: new Map() }),
  waits: [SECOND, 20 * SECOND - 1, 20 * SECOND, 60 * SECOND - 1, 60 * SECOND],
  lives: 200,
  silent: ['CancelClientAppointments'],
  moves: {
    claim: on(
      fc.record({ appointmentId: which, quarter: fc.nat(7) }),
      ({ appointmentId, quarter }, world, { now }) => {
        const time = timeAt(quarter);
        return {
          command: claimTime,
          input: { accountId, appointmentId, ...time },
          twice: 'nothing',
          expect: () => {
            const { claims } = world;
            if (claims.some((claim) => claim.appointmentId !== appointmentId && meets(claim, time)))
              return 'own-overlap';
            const held = claims.find(
              (claim) => claim.appointmentId === appointmentId && claim.startTime === time.startTime,
            );
            if (held !== undefined && now.getTime() - held.at < 20 * SECOND) return [];
            world.claims = [...claims.filter((claim) => claim !== held), { appointmentId, ...time, at: now.getTime() }];
            return ['TimeClaimed'];
          },
        };
      },
      3,
    ),
    'comes about, or moves': on(which, (appointmentId, { claims, takes }) => {
      const claim = claims.findLast((one) => one.appointmentId === appointmentId);
      if (claim !== undefined) takes.set(appointmentId, { startTime: claim.startTime, endTime: claim.endTime });
      return undefined;
    }),
    'is cancelled': on(which, (appointmentId, { takes }) => {
      takes.delete(appointmentId);
      return undefined;
    }),
    settle: on(
      // Now and then for an appointment that has just come to take time which nobody claimed.
      fc.record({
        appointmentId: which,
        onlyStale: fc.boolean(),
        moved: fc.option(fc.nat(7), { nil: undefined, freq: 3 }),
      }),
      ({ appointmentId, onlyStale, moved }, world, { now }) => {
        const others = world.claims.filter((claim) => claim.appointmentId !== appointmentId);
        if (moved !== undefined && !others.some((claim) => meets(claim, timeAt(moved))))
          world.takes.set(appointmentId, timeAt(moved));
        const time = world.takes.get(appointmentId);
        return {
          command: settleTime,
          input: { accountId, appointmentId, onlyStale },
          facts: time === undefined ? {} : { time },
          twice: 'nothing',
          expect: () => {
            const own = world.claims.filter((claim) => claim.appointmentId === appointmentId);
            const idle = own.filter(
              (claim) => claim.startTime !== time?.startTime && (!onlyStale || now.getTime() - claim.at >= 60 * SECOND),
            );
            world.claims = world.claims.filter((claim) => !idle.includes(claim));
            const missing = time !== undefined && !own.some(({ startTime }) => startTime === time.startTime);
            if (missing) world.claims.push({ appointmentId, ...time, at: now.getTime() });
            return [...idle.map(() => 'TimeReleased'), ...(missing ? ['TimeClaimed'] : [])];
          },
        };
      },
      2,
    ),
    'the account is closed': on(fc.constant({ accountId }), (input) => ({
      command: cancelClientAppointments,
      input,
      expect: () => [],
    })),
  },
  seen: ({ claims }) => claims.map(({ appointmentId, startTime }) => `${startTime} ${appointmentId}`).sort(),
  expected: ({ claims }) => claims.map(({ appointmentId, startTime }) => `${startTime} ${appointmentId}`).sort(),
  always: ({ claims }) => {
    const pairs = claims.flatMap((a, index) => claims.slice(index + 1).map((b) => [a, b] as const));
    assert.ok(
      pairs.every(([a, b]) => a.appointmentId === b.appointmentId || !meets(a, b)),
      'no two appointments have a claim on the same time',
    );
  },
  refusals: ['own-overlap'],
});
