import t from 'tap';
import { appointmentIdOf, dayOfSlot, slotIdOf } from '../../../src/domain/booking/ids.ts';
import { type Provider, provider as providerDecider } from '../../../src/domain/booking/provider/index.ts';
import {
  bookAppointment,
  cancelAppointment,
  completeAppointment,
  openDaySlots,
  rescheduleAppointment,
  reserveSlot,
  type ScheduleEvent,
  schedule,
  settleSlot,
  updateAppointmentNotes,
} from '../../../src/domain/booking/schedule/index.ts';
import { id, newId, now, spec, system, user } from '../../support/spec.ts';

const given = spec(schedule);
const providerId = id('provider');
const clientId = id('client');
const client = user(clientId, 'book:appointments');
const doctor = user(providerId, 'book:appointments', 'manage:provider-appointments');
const admin = user(id('admin'), '*:*');
const stranger = user(id('stranger'), 'book:appointments');

const DAY = '2026-03-09';
const slot = (startTime: string, day = startTime.slice(0, 10)) => ({
  slotId: slotIdOf({ providerId, day, startTime }),
  startTime,
  endTime: new Date(Date.parse(startTime) + 1_800_000).toISOString(),
});
const NINE = slot('2026-03-09T08:00:00.000Z');
const TEN = slot('2026-03-09T09:00:00.000Z');
const NEXT_DAY = slot('2026-03-10T08:00:00.000Z');
const opened: ScheduleEvent = {
  type: 'TimeSlotsGenerated',
  data: { providerId, day: DAY, slots: [NINE, TEN], generationId: id('generation'), skipped: 0 },
};
const openedNext: ScheduleEvent = {
  type: 'TimeSlotsGenerated',
  data: { providerId, day: '2026-03-10', slots: [NEXT_DAY], generationId: id('generation') },
};

const active: Provider = {
  ...providerDecider.initial,
  profile: { active: true, timezone: 'Europe/Luxembourg', priceCents: 5000, currency: 'EUR' },
};
const inactive: Provider = { ...active, profile: { ...active.profile, active: false } as never };

const appointmentId = appointmentIdOf({ providerId, day: DAY, uuid: newId('appointment') });
const ids = { appointmentId, providerId, clientId };
const claims = [NINE, TEN, NEXT_DAY].map(({ startTime }) => ({ appointmentId, startTime }));
const facts = { provider: active, beneficiaryExists: true, claims };
type Booked = Extract<ScheduleEvent, { type: 'AppointmentBooked' }>['data'];
const booked = (more: Partial<Booked> = {}): ScheduleEvent => ({
  type: 'AppointmentBooked',
  data: {
    ...ids,
    ...NINE,
    notes: null,
    timezone: null,
    bookedBy: 'client',
    priceCents: 5000,
    currency: 'EUR',
    ...more,
  },
});
const another = booked({
  appointmentId: appointmentIdOf({ providerId, day: DAY, uuid: id('another') }),
  clientId: id('other client'),
  ...TEN,
});
const moved = (to = TEN, from = NINE, by: 'client' | 'provider' = 'client'): ScheduleEvent => ({
  type: 'AppointmentRescheduled',
  data: {
    ...ids,
    fromSlotId: from.slotId,
    toSlotId: to.slotId,
    oldStartTime: from.startTime,
    startTime: to.startTime,
    endTime: to.endTime,
    by,
  },
});
const noted = (notes: string | null): ScheduleEvent => ({
  type: 'AppointmentNotesUpdated',
  data: { ...ids, notes, by: 'client' },
});
const cancelled = (
  more: Partial<Extract<ScheduleEvent, { type: 'AppointmentCancelled' }>['data']> = {},
): ScheduleEvent => ({
  type: 'AppointmentCancelled',
  data: {
    ...ids,
    slotId: NINE.slotId,
    startTime: NINE.startTime,
    by: 'client',
    actorId: clientId,
    reason: null,
    ...more,
  },
});
const completed = (by: 'provider' | 'system' = 'provider'): ScheduleEvent => ({
  type: 'AppointmentCompleted',
  data: { ...ids, slotId: NINE.slotId, startTime: NINE.startTime, by, outcome: 'attended' },
});
const at = (instant: string, actor = client) => ({ now: new Date(instant), actor });

t.test('opening the slots of a day', async (t) => {
  const input = {
    providerId,
    day: DAY,
    generationId: id('generation'),
    timezone: 'Europe/Luxembourg',
    slots: [NINE, TEN].map(({ startTime, endTime }) => ({ startTime, endTime })),
  };
  t.test('opens them all at once', async () => given().when(openDaySlots, input).then(opened));
  t.test('skips those that exist, and says so', async () =>
    given({ ...opened, data: { ...opened.data, slots: [NINE], generationId: id('earlier') } } as ScheduleEvent)
      .when(openDaySlots, input)
      .then({ ...opened, data: { ...opened.data, slots: [TEN], skipped: 1 } } as ScheduleEvent),
  );
  t.test('twice is safe, and with all there changes nothing', async () => {
    given(opened).when(openDaySlots, input).nothing();
    given(opened)
      .when(openDaySlots, { ...input, generationId: id('later') })
      .nothing();
  });
});

t.test('booking an appointment', async (t) => {
  const input = { slotId: NINE.slotId };
  t.test('takes a free slot', async () => given(opened).when(bookAppointment, input, client, facts).then(booked()));
  t.test('keeps notes and zone', async () =>
    given(opened)
      .when(bookAppointment, { ...input, notes: ' knee ', timezone: 'Asia/Kolkata' }, client, facts)
      .then(booked({ notes: 'knee', timezone: 'Asia/Kolkata' })),
  );
  t.test('is refused when the slot is taken, and fine once it is free again', async () => {
    given(opened, another)
      .when(bookAppointment, { slotId: TEN.slotId }, client, facts)
      .rejected('slot-taken', 'slotId');
    const ended = { appointmentId: appointmentIdOf({ providerId, day: DAY, uuid: id('another') }) };
    given(opened, another, cancelled({ ...ended, clientId: id('other client'), slotId: TEN.slotId }))
      .when(bookAppointment, { slotId: TEN.slotId }, client, facts)
      .then(booked(TEN));
  });
  t.test('changes nothing when this very command has booked it', async () =>
    given(opened, booked()).when(bookAppointment, input, client, facts).nothing(),
  );
  t.test('is refused on nothing and with an inactive provider', async () => {
    given().when(bookAppointment, input, client, facts).rejected('slot-unknown');
    given(opened)
      .when(bookAppointment, input, client, { ...facts, provider: inactive })
      .rejected('slot-unknown');
  });
  t.test('is refused in the past for everybody', async () => {
    const late = '2026-03-09T08:00:01.000Z';
    given(opened).when(bookAppointment, input, at(late), facts).rejected('in-the-past', 'startTime');
    given(opened)
      .when(bookAppointment, { ...input, onBehalfOf: clientId }, at(late, admin), facts)
      .rejected('in-the-past', 'startTime');
    given().when(bookAppointment, { startTime: NINE.startTime }, at(late), facts).rejected('in-the-past', 'startTime');
  });
  t.test('keeps notice and horizon for clients alone', async () => {
    const close = '2026-03-09T07:00:01.000Z';
    given(opened).when(bookAppointment, input, at(close), facts).rejected('notice-too-short', 'startTime');
    given(opened).when(bookAppointment, input, at('2026-03-09T07:00:00.000Z'), facts).then(booked());
    given(opened)
      .when(bookAppointment, input, at('2025-12-09T07:59:59.000Z'), facts)
      .rejected('beyond-horizon', 'startTime');
    given(opened)
      .when(bookAppointment, { ...input, onBehalfOf: clientId }, at(close, doctor), facts)
      .then(booked({ bookedBy: 'provider' }));
  });
  t.test('is refused while the calendar of the client has not set the time aside', async () =>
    given(opened)
      .when(bookAppointment, input, client, { ...facts, claims: [] })
      .rejected('contended'),
  );
  t.test('of oneself is refused', async () => {
    given(opened).when(bookAppointment, input, doctor, facts).rejected('own-calendar');
    given(opened)
      .when(bookAppointment, { ...input, onBehalfOf: providerId }, admin, facts)
      .rejected('own-calendar');
  });
  t.test('for others is for the provider in his own calendar and for administrators', async () => {
    const other = { ...input, onBehalfOf: clientId };
    given(opened).when(bookAppointment, other, stranger, facts).rejected('not-on-behalf');
    given(opened)
      .when(bookAppointment, other, user(id('other provider'), 'manage:provider-appointments'), facts)
      .rejected('not-on-behalf');
    given(opened)
      .when(bookAppointment, other, admin, facts)
      .then(booked({ bookedBy: 'admin' }));
    given(opened)
      .when(bookAppointment, other, admin, { ...facts, beneficiaryExists: false })
      .rejected('account-unknown', 'onBehalfOf');
  });
  t.test('names exactly one slot', async () => {
    given(opened).when(bookAppointment, {}, client, facts).rejected('input-invalid', 'slotId');
    given(opened).when(bookAppointment, { slotId: 'nonsense' }, client, facts).rejected('input-invalid', 'slotId');
    given(opened)
      .when(bookAppointment, { ...input, startTime: NINE.startTime }, client, facts)
      .rejected('input-invalid', 'slotId');
  });
});

t.test('moving an appointment', async (t) => {
  const move = { appointmentId, slotId: TEN.slotId };
  const provider = { provider: active, claims };
  t.test('exchanges slots of the same day', async (t) => {
    const result = given(opened, booked()).when(rescheduleAppointment, move, client, provider);
    result.then(moved());
    t.match(result.state.slots, { [TEN.slotId]: { heldBy: appointmentId } });
    t.equal(result.state.slots[NINE.slotId]?.heldBy, undefined);
    t.equal(result.state.appointments[appointmentId]?.version, 1);
  });
  t.test('is open to the provider, not to administrators or strangers', async () => {
    given(opened, booked())
      .when(rescheduleAppointment, move, doctor, provider)
      .then(moved(TEN, NINE, 'provider'));
    given(opened, booked()).when(rescheduleAppointment, move, admin, provider).rejected('not-a-party');
    given(opened, booked()).when(rescheduleAppointment, move, stranger, provider).rejected('appointment-unknown');
    given(opened).when(rescheduleAppointment, move, client, provider).rejected('appointment-unknown');
  });
  t.test('brings notes along', async () =>
    given(opened, booked())
      .when(rescheduleAppointment, { ...move, notes: 'later' }, client, provider)
      .then(moved(), noted('later')),
  );
  t.test('to the slot already held changes nothing', async () =>
    given(opened, booked())
      .when(rescheduleAppointment, { ...move, slotId: NINE.slotId }, client, provider)
      .nothing(),
  );
  t.test('is refused to a taken slot, an unknown one, or one of another provider', async () => {
    given(opened, booked(), another).when(rescheduleAppointment, move, client, provider).rejected('slot-taken');
    given(opened, booked())
      .when(rescheduleAppointment, { ...move, slotId: slot('2026-03-09T15:00:00.000Z').slotId }, client, provider)
      .rejected('slot-unknown');
    const foreign = slotIdOf({ ...dayOfSlot(TEN.slotId), providerId: id('other provider') });
    given(opened, booked())
      .when(rescheduleAppointment, { ...move, slotId: foreign }, client, provider)
      .rejected('other-provider', 'slotId');
  });
  t.test('is refused once it has begun, ended, or for another version', async () => {
    given(opened, booked())
      .when(rescheduleAppointment, move, at(NINE.startTime), provider)
      .rejected('appointment-started');
    given(opened, booked(), cancelled())
      .when(rescheduleAppointment, move, client, provider)
      .rejected('appointment-ended');
    given(opened, booked())
      .when(rescheduleAppointment, { ...move, version: 1 }, client, provider)
      .rejected('stale-version', 'version');
  });
  t.test('is refused while the calendar of the client has not set the new time aside', async () =>
    given(opened, booked())
      .when(rescheduleAppointment, move, client, { ...provider, claims: [] })
      .rejected('contended'),
  );
  t.test('to another day needs that slot to be held for it', async (t) => {
    const away = { appointmentId, slotId: NEXT_DAY.slotId };
    const target = { startTime: NEXT_DAY.startTime, endTime: NEXT_DAY.endTime };
    const held = (seconds: number) => ({
      provider: active,
      claims,
      target: {
        ...target,
        heldBy: appointmentId,
        reservation: { id: 'r', at: new Date(now.getTime() - seconds * 1000).toISOString() },
      },
    });
    const result = given(opened, booked()).when(rescheduleAppointment, away, client, held(0));
    result.then(moved(NEXT_DAY));
    t.equal(result.state.slots[NINE.slotId]?.heldBy, undefined, 'and frees the slot of its own day');
    given(opened, booked())
      .when(rescheduleAppointment, away, client, { provider: active, claims, target })
      .rejected('contended');
    given(opened, booked()).when(rescheduleAppointment, away, client, held(41)).rejected('contended');
    given(opened, booked())
      .when(rescheduleAppointment, away, client, { provider: active, claims, target: { ...target, heldBy: 'another' } })
      .rejected('slot-taken');
  });
});

t.test('holding a slot for an appointment of another day', async (t) => {
  const input = { slotId: NEXT_DAY.slotId, appointmentId, reservationId: 'first' };
  const reserved = (reservationId = 'first', seconds = 0): ScheduleEvent => ({
    type: 'SlotReserved',
    data: {
      providerId,
      slotId: NEXT_DAY.slotId,
      appointmentId,
      reservationId,
      reservedAt: new Date(now.getTime() - seconds * 1000).toISOString(),
      startTime: NEXT_DAY.startTime,
    },
  });
  const released: ScheduleEvent = {
    type: 'SlotReleased',
    data: { providerId, slotId: NEXT_DAY.slotId, appointmentId, startTime: NEXT_DAY.startTime },
  };
  t.test('takes a free slot, and twice is safe', async () => {
    given(openedNext).when(reserveSlot, input).then(reserved());
    given(openedNext, reserved()).when(reserveSlot, input).nothing();
    given(openedNext, reserved('first', 30)).when(reserveSlot, input).then(reserved());
  });
  t.test('is refused for another appointment, or while another attempt is under way', async () => {
    const other = { ...input, appointmentId: appointmentIdOf({ providerId, day: DAY, uuid: id('another') }) };
    given(openedNext, reserved()).when(reserveSlot, other).rejected('slot-taken');
    given(openedNext, reserved('second', 59)).when(reserveSlot, input).rejected('move-under-way');
    given(openedNext, reserved('second', 60)).when(reserveSlot, input).then(reserved());
    given().when(reserveSlot, input).rejected('slot-unknown');
  });
  t.test('ends when the appointment does not take it', async () => {
    const settle = { slotId: NEXT_DAY.slotId, appointmentId };
    given(openedNext, reserved())
      .when(settleSlot, { ...settle, reservationId: 'first' }, system, {})
      .then(released);
    given(openedNext, reserved()).when(settleSlot, settle, system, {}).nothing();
    given(openedNext, reserved('first', 60)).when(settleSlot, settle, system, {}).then(released);
    given(openedNext, reserved('first', 60)).when(settleSlot, settle, system, { slotId: NEXT_DAY.slotId }).nothing();
    given(openedNext, reserved('second'))
      .when(settleSlot, { ...settle, reservationId: 'first' }, system, {})
      .nothing();
    given(openedNext, reserved(), released)
      .when(settleSlot, { ...settle, reservationId: 'first' }, system, {})
      .nothing();
  });
});

t.test('changing the notes', async (t) => {
  const change = (notes: string | null) => ({ appointmentId, notes });
  t.test('replaces them or takes them away', async () => {
    given(opened, booked()).when(updateAppointmentNotes, change('knee'), client).then(noted('knee'));
    given(opened, booked({ notes: 'knee' }))
      .when(updateAppointmentNotes, change(' '), client)
      .then(noted(null));
  });
  t.test('changes nothing when they are so already', async () => {
    given(opened, booked()).when(updateAppointmentNotes, change(null), client).nothing();
    given(opened, booked({ notes: 'knee' }))
      .when(updateAppointmentNotes, change('knee'), client, { notes: 'knee', version: 0 })
      .nothing();
    given(opened, booked({ notes: 'knee' }), noted('arm'))
      .when(updateAppointmentNotes, change('knee'), client, { notes: 'knee', version: 0 })
      .then(noted('knee'));
  });
  t.test('is for client and provider of an appointment to come', async () => {
    given(opened, booked()).when(updateAppointmentNotes, change('x'), admin).rejected('not-a-party');
    given(opened, booked()).when(updateAppointmentNotes, change('x'), stranger).rejected('appointment-unknown');
    given(opened, booked(), cancelled())
      .when(updateAppointmentNotes, change('x'), client)
      .rejected('appointment-ended');
    given(opened, booked())
      .when(updateAppointmentNotes, { ...change('x'), version: 7 }, client)
      .rejected('stale-version');
  });
});

t.test('cancelling', async (t) => {
  const input = { appointmentId };
  t.test('frees the slot', async (t) => {
    const result = given(opened, booked()).when(cancelAppointment, { ...input, reason: 'ill' }, client);
    result.then(cancelled({ reason: 'ill' }));
    t.equal(result.state.slots[NINE.slotId]?.heldBy, undefined);
    t.equal(result.state.appointments[appointmentId]?.status, 'CANCELLED');
  });
  t.test('is refused the second time and on nothing', async () => {
    given(opened, booked(), cancelled()).when(cancelAppointment, input, client).rejected('appointment-ended');
    given(opened).when(cancelAppointment, input, client).rejected('appointment-unknown');
    given(opened, booked()).when(cancelAppointment, input, stranger).rejected('appointment-unknown');
  });
  t.test('ends with the start for clients, a day later for provider and administrators', async () => {
    given(opened, booked()).when(cancelAppointment, input, at(NINE.startTime)).rejected('appointment-started');
    given(opened, booked())
      .when(cancelAppointment, input, at('2026-03-10T07:59:59.000Z', doctor))
      .then(cancelled({ by: 'provider', actorId: providerId }));
    given(opened, booked())
      .when(cancelAppointment, input, at('2026-03-10T07:59:59.000Z', admin))
      .then(cancelled({ by: 'admin', actorId: admin.id }));
    given(opened, booked())
      .when(cancelAppointment, input, at('2026-03-10T08:00:00.000Z', admin))
      .rejected('appointment-started');
  });
});

t.test('completing', async (t) => {
  const input = { appointmentId };
  t.test('is for the provider once it has begun', async () => {
    given(opened, booked()).when(completeAppointment, input, at(NINE.startTime, doctor)).then(completed());
    given(opened, booked()).when(completeAppointment, input, doctor).rejected('not-started');
    given(opened, booked()).when(completeAppointment, input, at(NINE.startTime)).rejected('not-the-provider');
    given(opened, booked()).when(completeAppointment, input, stranger).rejected('appointment-unknown');
    given(opened, booked(), completed())
      .when(completeAppointment, input, at(NINE.startTime, doctor))
      .rejected('appointment-ended');
  });
  t.test('by the timer waits for a day after the end', async () => {
    given(opened, booked())
      .when(completeAppointment, input, at('2026-03-10T08:30:00.000Z', system))
      .then(completed('system'));
    given(opened, booked())
      .when(completeAppointment, input, at('2026-03-10T08:29:59.000Z', system))
      .rejected('not-started');
  });
});
