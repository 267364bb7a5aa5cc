import t from 'tap';
import { appointmentIdOf, slotIdOf } from '../../../src/domain/booking/ids.ts';
import { type Provider, provider as providerDecider } from '../../../src/domain/booking/provider/index.ts';
import {
  bookAppointment,
  expireSlotHold,
  holdForOffer,
  holdSlot,
  releaseOfferHold,
  releaseSlotHold,
  removeTimeSlot,
  reserveSlot,
  type ScheduleEvent,
  schedule,
  setDayHours,
  updateTimeSlot,
} from '../../../src/domain/booking/schedule/index.ts';
import { id, newId, now, spec, user } from '../../support/spec.ts';

const given = spec(schedule);
const providerId = id('provider');
const doctor = user(providerId, 'manage:provider-appointments');
const [ada, ben] = [user(id('ada'), 'book:appointments'), user(id('ben'), 'book:appointments')];
const DAY = '2026-03-09';
const slot = (startTime: string) => ({
  slotId: slotIdOf({ providerId, day: DAY, startTime }),
  startTime,
  endTime: new Date(Date.parse(startTime) + 1_800_000).toISOString(),
});
const NINE = slot('2026-03-09T08:00:00.000Z');
const TEN = slot('2026-03-09T09:00:00.000Z');
const opened: ScheduleEvent = {
  type: 'TimeSlotsGenerated',
  data: { providerId, day: DAY, slots: [NINE, TEN], generationId: id('generation'), skipped: 0 },
};
const active: Provider = {
  ...providerDecider.initial,
  profile: { active: true, timezone: 'Europe/Luxembourg', priceCents: null, currency: null },
};
const facts = { provider: active, claims: [] };
const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
const iso = (seconds: number): string => after(seconds).toISOString();
const offerId = id('offer');

const held = (
  more: Partial<Extract<ScheduleEvent, { type: 'SlotHeld' }>['data']> = {},
  of: typeof NINE = NINE,
): ScheduleEvent => {
  const { slotId, startTime } = of;
  const data = { providerId, slotId, startTime, accountId: ada.id, heldAt: iso(0), until: iso(120), usedSeconds: 0 };
  return { type: 'SlotHeld', data: { ...data, ...more } };
};
const released = (
  seconds: number,
  because: Extract<ScheduleEvent, { type: 'SlotHoldReleased' }>['data']['because'],
  more: object = {},
): ScheduleEvent => {
  const { slotId, startTime } = NINE;
  const data = { providerId, slotId, startTime, accountId: ada.id, at: iso(seconds), because };
  return { type: 'SlotHoldReleased', data: { ...data, ...more } };
};
const offered = held({ offerId, until: iso(1800) });
const input = { slotId: NINE.slotId };
const at = (seconds: number, actor = ada) => ({ now: after(seconds), actor });

t.test('holding a slot', async (t) => {
  t.test('keeps it for two minutes', async () => given(opened).when(holdSlot, input, ada, facts).then(held()));
  t.test('again right away changes nothing', async () => {
    given(opened, held()).when(holdSlot, input, at(19), facts).nothing();
  });
  t.test('again a little later keeps it longer, up to six minutes', async () => {
    given(opened, held())
      .when(holdSlot, input, at(100), facts)
      .then(held({ until: iso(220) }));
    given(opened, held({ until: iso(320) }))
      .when(holdSlot, input, at(310), facts)
      .then(held({ until: iso(360) }));
    given(opened, held({ until: iso(360) }))
      .when(holdSlot, input, at(359), facts)
      .nothing();
  });
  t.test('goes on where it left off when it has just run out', async () => {
    given(opened, held())
      .when(holdSlot, input, at(130), facts)
      .then(held({ heldAt: iso(130), until: iso(250), usedSeconds: 120 }));
    given(opened, held({ heldAt: iso(0), until: iso(120), usedSeconds: 200 }))
      .when(holdSlot, input, at(130), facts)
      .then(held({ heldAt: iso(130), until: iso(170), usedSeconds: 320 }));
  });
  t.test('is refused to whoever has had it for six minutes, until after a rest', async () => {
    const long = held({ until: iso(350) });
    const refused = given(opened, long).when(holdSlot, input, at(360), facts);
    refused.rejected('hold-used-up', 'slotId');
    t.match(refused.outcome, { retryAfter: 590 });
    given(opened, long)
      .when(holdSlot, input, at(950), facts)
      .then(held({ heldAt: iso(950), until: iso(1070) }));
  });
  t.test('counts only the time for which it was held', async () =>
    given(opened, held(), released(10, 'given-up'))
      .when(holdSlot, input, at(300), facts)
      .then(held({ heldAt: iso(300), until: iso(420), usedSeconds: 10 })),
  );
  t.test('lets another slot of the day go', async () =>
    given(opened, held())
      .when(holdSlot, { slotId: TEN.slotId }, at(30), facts)
      .then(released(30, 'another-slot'), held({ heldAt: iso(30), until: iso(150) }, TEN)),
  );
  t.test('lets no offer go', async () =>
    given(opened, offered)
      .when(holdSlot, { slotId: TEN.slotId }, at(30), facts)
      .then(held({ heldAt: iso(30), until: iso(150) }, TEN)),
  );
  t.test('changes nothing when the slot is offered to oneself', async () =>
    given(opened, offered).when(holdSlot, input, at(30), facts).nothing(),
  );
  t.test('is refused while somebody else holds it, but not a moment longer', async () => {
    given(opened, held()).when(holdSlot, input, at(119.999, ben), facts).rejected('slot-held', 'slotId');
    const his = held({ accountId: ben.id, heldAt: iso(120), until: iso(240) });
    given(opened, held()).when(holdSlot, input, at(120, ben), facts).then(his);
  });
  t.test('is refused for what cannot be booked', async () => {
    given(opened).when(holdSlot, input, doctor, facts).rejected('own-calendar');
    given().when(holdSlot, input, ada, facts).rejected('slot-unknown');
    const claims = [{ startTime: NINE.startTime, endTime: NINE.endTime }];
    given(opened)
      .when(holdSlot, input, ada, { ...facts, claims })
      .rejected('own-overlap');
    given(opened)
      .when(holdSlot, input, { now: new Date(NINE.startTime), actor: ada }, facts)
      .rejected('notice-too-short');
    const provider = { ...active, bufferMinutes: 30 };
    given(opened)
      .when(holdSlot, input, ada, { ...facts, provider, nearby: [slot('2026-03-09T07:30:00.000Z')] })
      .rejected('buffer-needed');
  });
});

t.test('a held slot', async (t) => {
  const appointmentId = appointmentIdOf({ providerId, day: DAY, uuid: newId('appointment') });
  const booking = { ...facts, beneficiaryExists: true, claims: [{ appointmentId, startTime: NINE.startTime }] };
  t.test('can be booked by its holder, and is held no more', async () => {
    const { outcome, state } = given(opened, held()).when(bookAppointment, input, at(60), booking);
    t.match(outcome, [{ type: 'AppointmentBooked' }]);
    t.match(state.slots[NINE.slotId], { heldBy: appointmentId, hold: undefined });
  });
  t.test('can be booked for its holder', async () => {
    const { outcome } = given(opened, held()).when(
      bookAppointment,
      { ...input, onBehalfOf: ada.id },
      at(60, doctor),
      booking,
    );
    t.match(outcome, [{ type: 'AppointmentBooked' }]);
  });
  t.test('cannot be booked by anybody else, until its time is over', async () => {
    given(opened, held()).when(bookAppointment, input, at(60, ben), booking).rejected('slot-held', 'slotId');
    const forBen = { ...input, onBehalfOf: ben.id };
    given(opened, held()).when(bookAppointment, forBen, at(60, doctor), booking).rejected('slot-held');
    const { outcome } = given(opened, held()).when(bookAppointment, input, at(120, ben), booking);
    t.match(outcome, [{ type: 'AppointmentBooked' }], 'without its release');
  });
  t.test('is reserved only for an appointment of its holder', async () => {
    const reservation = { ...input, appointmentId, reservationId: 'r' };
    given(opened, held()).when(reserveSlot, reservation, at(60, ben)).rejected('slot-held');
    const { outcome } = given(opened, held()).when(reserveSlot, { ...reservation, clientId: ada.id }, at(60, doctor));
    t.match(outcome, [{ type: 'SlotReserved' }]);
  });
  t.test('is blocked, removed or closed by the provider all the same', async () => {
    const blocked = given(opened, held()).when(updateTimeSlot, { ...input, isAvailable: false }, at(60, doctor), facts);
    t.match(blocked.state.slots[NINE.slotId], { blocked: true, hold: undefined });
    t.match(given(opened, held()).when(removeTimeSlot, input, at(60, doctor)).outcome, [{ type: 'TimeSlotRemoved' }]);
    const hours = { providerId, day: DAY, seq: 1, intervals: [], timezone: 'UTC' };
    const closed = given(opened, held()).when(setDayHours, hours, at(60, doctor));
    t.match(closed.state.slots[NINE.slotId], { closed: true, hold: undefined });
  });
});

t.test('letting a slot go', async (t) => {
  t.test('ends the hold, once', async () => {
    given(opened, held()).when(releaseSlotHold, input, at(60)).then(released(60, 'given-up'));
    given(opened, held(), released(60, 'given-up')).when(releaseSlotHold, input, at(61)).nothing();
  });
  t.test('says so when it had run out', async () =>
    given(opened, held()).when(releaseSlotHold, input, at(121)).then(released(121, 'expired')),
  );
  t.test('is refused to whoever does not hold it', async () => {
    given(opened, held()).when(releaseSlotHold, input, ben).rejected('hold-unknown');
    given(opened).when(releaseSlotHold, input, ada).rejected('hold-unknown');
    given(opened, offered).when(releaseSlotHold, input, ada).rejected('hold-unknown');
  });
});

t.test('the end of a hold', async (t) => {
  const expiry = { ...input, accountId: ada.id };
  t.test('is noted once, even if the timer is a moment early', async () => {
    given(opened, held()).when(expireSlotHold, expiry, at(120)).then(released(120, 'expired'));
    given(opened, held()).when(expireSlotHold, expiry, at(119.5)).then(released(119.5, 'expired'));
    given(opened, held(), released(120, 'expired')).when(expireSlotHold, expiry, at(121)).nothing();
  });
  t.test('is not noted before, nor after the slot was taken or held by another', async () => {
    given(opened, held({ until: iso(220) }))
      .when(expireSlotHold, expiry, at(121))
      .nothing();
    given(opened, held({ accountId: ben.id }))
      .when(expireSlotHold, expiry, at(121))
      .nothing();
    given(opened).when(expireSlotHold, expiry, at(121)).nothing();
  });
});

t.test('holding a slot for an offer', async (t) => {
  const offer = { ...input, offerId, accountId: ada.id, until: iso(1800) };
  t.test('keeps it until the deadline', async () => given(opened).when(holdForOffer, offer, ada, facts).then(offered));
  t.test('twice is safe, also when it is over', async () => {
    given(opened, offered).when(holdForOffer, offer, ada, facts).nothing();
    given(opened, offered, released(60, 'offer-ended', { offerId }))
      .when(holdForOffer, offer, ada, facts)
      .nothing();
  });
  t.test('is refused while anybody holds it, and where nobody can book', async () => {
    given(opened, held()).when(holdForOffer, offer, at(60), facts).rejected('slot-held');
    given().when(holdForOffer, offer, ada, facts).rejected('slot-unknown');
  });
  t.test('ends with the offer, once', async () => {
    const gone = released(60, 'offer-ended', { offerId });
    given(opened, offered)
      .when(releaseOfferHold, { ...input, offerId }, at(60))
      .then(gone);
    given(opened, offered, gone)
      .when(releaseOfferHold, { ...input, offerId }, at(61))
      .nothing();
    given(opened, held())
      .when(releaseOfferHold, { ...input, offerId }, at(61))
      .nothing();
  });
});
