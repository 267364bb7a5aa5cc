import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/booking/appointmentReminder.ts';
import { appointmentReminder, sendAppointmentReminder } from '../../../src/domain/booking/appointmentReminder.ts';
import { appointmentIdOf } from '../../../src/domain/booking/ids.ts';
import { model, movesIn, named } from '../../support/model.ts';
import { now as start } from '../../support/spec.ts';

const HOUR = 3_600_000;
const appointmentId = appointmentIdOf({ providerId: named('practice'), day: '2026-03-04', uuid: named('appointment') });
const ids = { appointmentId, clientId: named('ada'), emailId: named('mail') };
const starts = [2, 30, 54].map((hours) => new Date(start.getTime() + hours * HOUR).toISOString());
const startTime = fc.constantFrom(...starts);

type World = { stands?: string | undefined; readonly reminded: Set<string> };
const on = movesIn<World>();

/** One appointment that is moved, cancelled and booked again while timers of all its starts run out. */
export const appointmentReminderModel = model({
  decider: appointmentReminder,
  commands,
  world: (): World => ({ reminded: new Set() }),
  waits: [0, HOUR, 20 * HOUR],
  moments: () => starts.flatMap((time) => [Date.parse(time) - HOUR, Date.parse(time) - HOUR + 1]),
  moves: {
    change: on(fc.option(startTime, { nil: undefined }), (time, world) => {
      world.stands = time;
      return undefined;
    }),
    remind: on(
      startTime,
      (time, world, { now }) => ({
        command: sendAppointmentReminder,
        input: { ...ids, startTime: time },
        facts: world.stands === undefined ? {} : { time: { startTime: world.stands } },
        twice: 'nothing',
        expect: () => {
          const late = Date.parse(time) - now.getTime() < HOUR;
          if (time !== world.stands || world.reminded.has(time) || late) return [];
          world.reminded.add(time);
          return [{ type: 'AppointmentReminderSent', data: { ...ids, startTime: time } }];
        },
      }),
      3,
    ),
  },
  seen: ({ startTimes }) => [...startTimes].sort(),
  expected: ({ reminded }) => [...reminded].sort(),
  always: (_state, _world, history) =>
    assert.equal(new Set(history.map(({ data }) => data.startTime)).size, history.length, 'once for each start'),
  refusals: [],
});
