import t from 'tap';
import { appointmentIdOf, slotIdOf } from '../../../src/domain/booking/ids.ts';
import type { ScheduleEvent } from '../../../src/domain/booking/schedule/index.ts';
import { availabilityTopic } from '../../../src/http/live/availabilityTopic.ts';
import { id } from '../../support/spec.ts';

const providerId = id('provider');
const day = '2026-03-09';
const startTime = '2026-03-09T08:00:00.000Z';
const endTime = '2026-03-09T08:30:00.000Z';
/** A slot that was opened at another time of the day and then moved: its id does not tell where it lies. */
const slotId = slotIdOf({ providerId, day, startTime: '2026-03-09T10:00:00.000Z' });
const slot = { providerId, slotId, startTime, endTime };
const appointmentId = appointmentIdOf({ providerId, day, uuid: id('appointment') });
const guest = appointmentIdOf({ providerId, day: '2026-03-10', uuid: id('guest') });

type Handlers = Readonly<Record<string, (event: unknown) => readonly { readonly data: unknown }[]>>;
/** What the topic tells of an event, before the slot begins unless said otherwise. */
const told = ({ type, data }: { type: ScheduleEvent['type']; data: object }, recordedAt = '2026-03-02T10:00:00.000Z') =>
  (availabilityTopic.on as unknown as Handlers)[type]?.({ type, data, recordedAt }).map((message) => message.data);
const free = { slotId, startTime, isAvailable: true };
const taken = { slotId, startTime, isAvailable: false };

t.test('slots that come, change and go are told of', async (t) => {
  t.strictSame(told({ type: 'TimeSlotAdded', data: { ...slot, isAvailable: true } }), [free]);
  t.strictSame(told({ type: 'TimeSlotAdded', data: { ...slot, isAvailable: true, closed: true } }), [taken]);
  t.strictSame(told({ type: 'TimeSlotAdded', data: { ...slot, isAvailable: true } }, endTime), [taken], 'past ones');
  t.strictSame(told({ type: 'TimeSlotUpdated', data: { ...slot, isAvailable: false } }), [taken], 'blocked ones');
  t.strictSame(told({ type: 'TimeSlotUpdated', data: { ...slot, isAvailable: true } }), [free]);
  t.strictSame(told({ type: 'TimeSlotRemoved', data: slot }), [taken]);
  t.strictSame(told({ type: 'TimeSlotsGenerated', data: { slots: [{ ...slot, closed: true }, slot] } }), [taken, free]);
});

t.test('slots that are held and let go are told of', async (t) => {
  t.strictSame(told({ type: 'SlotHeld', data: slot }), [taken]);
  t.strictSame(told({ type: 'SlotHoldReleased', data: slot }), [free]);
  t.strictSame(told({ type: 'SlotHoldReleased', data: slot }, endTime), [taken], 'too late');
});

t.test('days that an exception closes and opens are told of slot by slot', async (t) => {
  const other = { slotId: slotIdOf({ providerId, day, startTime: endTime }), startTime: endTime };
  const data = { closed: [{ slotId, startTime }], opened: [{ ...other, isAvailable: false }] };
  t.strictSame(told({ type: 'DayHoursChanged', data }), [taken, { ...other, isAvailable: false }], 'one is booked');
  const back = { closed: [], opened: [{ slotId, startTime, isAvailable: true }] };
  t.strictSame(told({ type: 'DayHoursChanged', data: back }), [free]);
});

t.test('what is given back outside the hours is not available', async (t) => {
  const cancelled = { slotId, startTime, appointmentId };
  t.strictSame(told({ type: 'AppointmentCancelled', data: cancelled }), [free]);
  t.strictSame(told({ type: 'AppointmentCancelled', data: { ...cancelled, closed: true } }), [taken]);
  t.strictSame(told({ type: 'AppointmentCancelled', data: { ...cancelled, appointmentId: guest } }), []);
  t.strictSame(told({ type: 'SlotReleased', data: { ...cancelled, appointmentId: guest, closed: true } }), [taken]);
  const old = { slotId, appointmentId: guest };
  t.strictSame(
    told({ type: 'SlotReleased', data: old }),
    [{ ...free, startTime: '2026-03-09T10:00:00.000Z' }],
    'older events',
  );
  const moved = {
    fromSlotId: slotId,
    oldStartTime: startTime,
    toSlotId: slotId,
    startTime,
    appointmentId,
    closed: true,
  };
  t.strictSame(told({ type: 'AppointmentRescheduled', data: moved }), [taken, taken]);
});
