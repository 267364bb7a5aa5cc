import t from 'tap';
import { appointmentIdOf, slotIdOf } from '../../../src/domain/booking/ids.ts';
import { type Provider, provider as providerDecider } from '../../../src/domain/booking/provider/index.ts';
import {
  addTimeSlot,
  bookAppointment,
  cancelAppointment,
  cancelDisplacedAppointment,
  placeMovedSlot,
  removeTimeSlot,
  type ScheduleEvent,
  schedule,
  setDayHours,
  updateTimeSlot,
} from '../../../src/domain/booking/schedule/index.ts';
import { id, newId, spec, user } from '../../support/spec.ts';

const given = spec(schedule);
const providerId = id('provider');
const clientId = id('client');
const doctor = user(providerId, 'manage:availability', 'manage:provider-appointments');
const other = user(id('other provider'), 'manage:availability');
const client = user(clientId, 'book:appointments');

const DAY = '2026-03-09';
const span = (startTime: string) => ({
  startTime,
  endTime: new Date(Date.parse(startTime) + 1_800_000).toISOString(),
});
const slot = (startTime: string) => ({
  slotId: slotIdOf({ providerId, day: startTime.slice(0, 10), startTime }),
  ...span(startTime),
});
/** By the clock of the provider, an hour before UTC. */
const NINE = slot('2026-03-09T08:00:00.000Z');
const TEN = slot('2026-03-09T09:00:00.000Z');
const NIGHT = slot('2026-03-09T20:00:00.000Z');
const TUESDAY = slot('2026-03-10T08:00:00.000Z');

const practising: Provider = {
  ...providerDecider.initial,
  profile: { active: true, timezone: 'Europe/Luxembourg', priceCents: null, currency: null },
  weekly: [1, 2].map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start: '09:00', end: '12:00' }] })),
};
const facts = { provider: practising };
const added = (of = NINE, more: object = {}): ScheduleEvent => ({
  type: 'TimeSlotAdded',
  data: { providerId, ...of, isAvailable: true, ...more },
});
const updated = (of = NINE, isAvailable = true, more: object = {}): ScheduleEvent => ({
  type: 'TimeSlotUpdated',
  data: { providerId, ...of, isAvailable, ...more },
});
const removed = (more: object = {}): ScheduleEvent => ({
  type: 'TimeSlotRemoved',
  data: { providerId, ...NINE, ...more },
});
const appointmentId = appointmentIdOf({ providerId, day: DAY, uuid: newId('appointment') });
const booked: ScheduleEvent = {
  type: 'AppointmentBooked',
  data: {
    ...{ appointmentId, providerId, clientId, ...NINE, notes: null, timezone: null, bookedBy: 'client' },
    ...{ priceCents: null, currency: null },
  },
};
type HoursData = Extract<ScheduleEvent, { type: 'DayHoursChanged' }>['data'];
const hours = (seq: number, intervals: HoursData['intervals'], more: Partial<HoursData> = {}): ScheduleEvent => ({
  type: 'DayHoursChanged',
  data: { providerId, day: DAY, seq, intervals, closed: [], opened: [], ...more },
});
const at = ({ slotId, startTime }: typeof NINE) => ({ slotId, startTime });
const shut = hours(1, [], { closed: [at(NINE)] });

t.test('opening one slot', async (t) => {
  const input = span(NINE.startTime);
  t.test('does so in the working hours', async () => given().when(addTimeSlot, input, doctor, facts).then(added()));
  t.test('does so elsewhere when it is forced', async () => {
    given().when(addTimeSlot, span(NIGHT.startTime), doctor, facts).rejected('outside-working-hours', 'startTime');
    given()
      .when(addTimeSlot, { ...span(NIGHT.startTime), force: true }, doctor, facts)
      .then(added(NIGHT));
  });
  t.test('counts the hours of an exception as working hours', async () => {
    const exceptions = [{ exceptionId: id('e'), from: DAY, to: DAY, intervals: [{ start: '21:00', end: '22:00' }] }];
    const away = { provider: { ...practising, exceptions } };
    given().when(addTimeSlot, input, doctor, away).rejected('outside-working-hours');
    given().when(addTimeSlot, span(NIGHT.startTime), doctor, away).then(added(NIGHT));
  });
  t.test('does not offer it while the day is closed', async () =>
    given(hours(1, []))
      .when(addTimeSlot, input, doctor, facts)
      .then(added(NINE, { closed: true })),
  );
  t.test('is refused a second time, and across another slot', async () =>
    given(added()).when(addTimeSlot, input, doctor, facts).rejected('slot-overlap', 'startTime'),
  );
  t.test('is refused in the past, off the grid, of another length and without a profile', async () => {
    given().when(addTimeSlot, span('2026-03-02T09:30:00.000Z'), doctor, facts).rejected('in-the-past', 'startTime');
    given().when(addTimeSlot, span('2026-03-09T08:10:00.000Z'), doctor, facts).rejected('off-grid', 'startTime');
    given()
      .when(addTimeSlot, { ...input, endTime: TEN.endTime }, doctor, facts)
      .rejected('input-invalid', 'endTime');
    given().when(addTimeSlot, input, doctor, { provider: providerDecider.initial }).rejected('no-provider-profile');
  });
});

t.test('changing one slot', async (t) => {
  const { slotId } = NINE;
  t.test('blocks it and offers it again, once each', async () => {
    given(added()).when(updateTimeSlot, { slotId, isAvailable: false }, doctor, facts).then(updated(NINE, false));
    given(added(), updated(NINE, false)).when(updateTimeSlot, { slotId, isAvailable: false }, doctor, facts).nothing();
    given(added(), updated(NINE, false))
      .when(updateTimeSlot, { slotId, isAvailable: true }, doctor, facts)
      .then(updated());
  });
  t.test('moves it within its day under its id, also by its end', async () => {
    const moved = updated({ ...TEN, slotId });
    given(added()).when(updateTimeSlot, { slotId, startTime: TEN.startTime }, doctor, facts).then(moved);
    given(added()).when(updateTimeSlot, { slotId, endTime: TEN.endTime }, doctor, facts).then(moved);
    const { slotId: next } = slot('2026-03-09T08:01:00.000Z');
    given(added(), moved)
      .when(addTimeSlot, span(NINE.startTime), doctor, facts)
      .then(added({ ...NINE, slotId: next }));
  });
  t.test('lets it go to another day, which opens it once', async () => {
    const movedTo = { moveId: newId('move'), day: '2026-03-10', ...span(TUESDAY.startTime), isAvailable: true };
    given(added())
      .when(updateTimeSlot, { slotId, startTime: TUESDAY.startTime }, doctor, facts)
      .then(removed({ movedTo }));
    const input = { providerId, ...movedTo, from: { day: DAY, ...span(NINE.startTime) } };
    const arrived = added(TUESDAY, { moveId: movedTo.moveId });
    given()
      .when(placeMovedSlot, input, doctor, { ...facts, putBack: false })
      .then(arrived);
    given(arrived)
      .when(placeMovedSlot, input, doctor, { ...facts, putBack: false })
      .nothing();
    given()
      .when(placeMovedSlot, input, doctor, { ...facts, putBack: true })
      .nothing();
    given(added(TUESDAY))
      .when(placeMovedSlot, input, doctor, { ...facts, putBack: false })
      .rejected('slot-overlap');
  });
  t.test('is refused while it is booked, unless nothing changes', async () => {
    for (const change of [{ isAvailable: false }, { startTime: TEN.startTime }])
      given(added(), booked)
        .when(updateTimeSlot, { slotId, ...change }, doctor, facts)
        .rejected('slot-booked');
    given(added(), booked).when(updateTimeSlot, { slotId, isAvailable: true }, doctor, facts).nothing();
    given(added(), booked).when(removeTimeSlot, { slotId }, doctor).rejected('slot-booked');
  });
  t.test('is refused where there is none, and to others', async () => {
    given().when(updateTimeSlot, { slotId, isAvailable: false }, doctor, facts).rejected('slot-unknown');
    given(added()).when(updateTimeSlot, { slotId, isAvailable: false }, other, facts).rejected('slot-unknown');
    given(added()).when(removeTimeSlot, { slotId }, other).rejected('slot-unknown');
    given(added()).when(updateTimeSlot, { slotId }, doctor, facts).rejected('input-invalid', 'isAvailable');
  });
  t.test('takes it away, once', async () => {
    given(added()).when(removeTimeSlot, { slotId }, doctor).then(removed());
    given(added(), removed()).when(removeTimeSlot, { slotId }, doctor).rejected('slot-unknown');
  });
});

t.test('the hours of a day', async (t) => {
  const input = { providerId, day: DAY, seq: 1, intervals: [], timezone: 'Europe/Luxembourg' };
  const narrow = [{ start: '10:00', end: '11:00' }];
  t.test('close the slots outside them and open those inside', async () => {
    given(added(), added(TEN))
      .when(setDayHours, { ...input, intervals: narrow }, doctor)
      .then(hours(1, narrow, { closed: [at(NINE)] }));
    given(added(), updated(NINE, false), shut)
      .when(setDayHours, { ...input, seq: 2, intervals: null }, doctor)
      .then(hours(2, null, { opened: [{ ...at(NINE), isAvailable: false }] }));
  });
  t.test('keep bookings away', async () => {
    const booking = { provider: practising, beneficiaryExists: true, claims: [] };
    given(added(), shut).when(bookAppointment, { slotId: NINE.slotId }, client, booking).rejected('slot-closed');
    given(added(), updated(NINE, false))
      .when(bookAppointment, { slotId: NINE.slotId }, client, booking)
      .rejected('slot-blocked');
  });
  t.test('are refused where somebody is booked, unless that is to be cancelled or over', async () => {
    given(added(), booked).when(setDayHours, input, doctor).rejected('slots-booked');
    given(added(), booked)
      .when(setDayHours, { ...input, cancelBooked: true }, doctor)
      .then(shut);
    given(added(), booked)
      .when(setDayHours, input, { actor: doctor, now: new Date(NINE.startTime) })
      .then(shut);
  });
  t.test('come through in the order of their numbers', async () => {
    given(hours(3, null)).when(setDayHours, input, doctor).nothing();
    given(shut)
      .when(setDayHours, { ...input, intervals: null }, doctor)
      .nothing();
  });
  t.test('cancel the appointments outside them in the name of the provider, and offer nothing of it', async () => {
    const cancelled: ScheduleEvent = {
      type: 'AppointmentCancelled',
      data: {
        ...{ appointmentId, providerId, clientId, ...at(NINE), by: 'provider', actorId: providerId },
        ...{ reason: 'Ill', closed: true },
      },
    };
    const displaced = { appointmentId, slotId: NINE.slotId };
    given(added(), booked, shut).when(cancelDisplacedAppointment, displaced, doctor, { reason: 'Ill' }).then(cancelled);
    given(added(), booked, shut, cancelled)
      .when(cancelDisplacedAppointment, displaced, doctor, { reason: 'Ill' })
      .nothing();
    given(added(), booked)
      .when(cancelDisplacedAppointment, { ...displaced, slotId: TEN.slotId }, doctor, { reason: 'Ill' })
      .nothing();
  });
});

t.test('what clients keep', async (t) => {
  const booking = (more: object = {}) => ({
    provider: { ...practising, bufferMinutes: 30, ...more },
    beneficiaryExists: true,
    claims: [{ appointmentId, startTime: NINE.startTime }],
  });
  const later: ScheduleEvent = {
    ...booked,
    data: {
      ...booked.data,
      ...TEN,
      appointmentId: appointmentIdOf({ providerId, day: DAY, uuid: id('another') }),
      clientId: id('x'),
    },
  } as ScheduleEvent;
  t.test('is a buffer to other appointments, of the days around too', async () => {
    given(added(), added(TEN), later)
      .when(bookAppointment, { slotId: NINE.slotId }, client, booking({ bufferMinutes: 31 }))
      .rejected('buffer-needed', 'slotId');
    given(added(), added(TEN), later).when(bookAppointment, { slotId: NINE.slotId }, client, booking()).then(booked);
    const nearby = [span('2026-03-09T07:30:00.000Z')];
    given(added())
      .when(bookAppointment, { slotId: NINE.slotId }, client, { ...booking(), nearby })
      .rejected('buffer-needed');
  });
  t.test('is a cut-off for cancelling', async () => {
    const now = new Date('2026-03-09T07:00:00.000Z');
    const strict = { provider: { ...practising, cancelCutoffMinutes: 60 } };
    given(added(), booked)
      .when(cancelAppointment, { appointmentId }, { now, actor: client }, strict)
      .rejected('too-late-to-cancel');
    const early = { now: new Date(now.getTime() - 1), actor: client };
    given(added(), booked)
      .when(cancelAppointment, { appointmentId }, early, strict)
      .then({
        type: 'AppointmentCancelled',
        data: { appointmentId, providerId, clientId, ...at(NINE), by: 'client', actorId: clientId, reason: null },
      });
  });
});
