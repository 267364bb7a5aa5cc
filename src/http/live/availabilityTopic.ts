import { z } from 'zod';
import { isHome, slotRef } from '../../domain/booking/ids.ts';
import { uuid } from '../../domain/fields.ts';
import { idOf } from '../../eventstore/event.ts';
import type { Refusal } from './subscription.ts';
import type { Message, TopicKind } from './topics.ts';

const messages = {
  'slot:changed': z.object({
    slotId: z.string(),
    startTime: z.string(),
    isAvailable: z.boolean().describe('Free and still to come; notice and horizon are judged when it is booked'),
  }),
} as const;

/** Tells of a slot; one whose time has come is not available, whoever gave it back. */
const slot = (slotId: string, isFree: boolean, now: string): Message => {
  const startTime = slotRef(slotId)?.startTime ?? now;
  return { event: 'slot:changed', data: { slotId, startTime, isAvailable: isFree && startTime > now } };
};

/** A slot of another day is told of by that day's own events. */
const slotOfDay = (slotId: string, appointmentId: string, isFree: boolean, now: string): readonly Message[] =>
  isHome(slotId, appointmentId) ? [slot(slotId, isFree, now)] : [];

const unverified: Refusal = { code: 'FORBIDDEN', message: 'Please verify your address first' };

/** Which slots of a provider come and go, for everybody with a verified address: never who takes them. */
export const availabilityTopic: TopicKind = {
  name: 'availability',
  id: uuid,
  summary: 'Which slots of a provider become free or taken. For every account with a verified address.',
  category: 'schedule',
  topicOf: (stream) => {
    const id = idOf(stream);
    const end = id.indexOf('~');
    return end === -1 ? id : id.slice(0, end);
  },
  messages,
  on: {
    TimeSlotsGenerated: ({ data: { slots }, recordedAt }) => slots.map(({ slotId }) => slot(slotId, true, recordedAt)),
    SlotReserved: ({ data: { slotId }, recordedAt }) => [slot(slotId, false, recordedAt)],
    SlotReleased: ({ data: { slotId }, recordedAt }) => [slot(slotId, true, recordedAt)],
    AppointmentBooked: ({ data: { slotId }, recordedAt }) => [slot(slotId, false, recordedAt)],
    AppointmentRescheduled: ({ data: { fromSlotId, toSlotId, appointmentId }, recordedAt }) => [
      ...slotOfDay(fromSlotId, appointmentId, true, recordedAt),
      ...slotOfDay(toSlotId, appointmentId, false, recordedAt),
    ],
    AppointmentCancelled: ({ data: { slotId, appointmentId }, recordedAt }) =>
      slotOfDay(slotId, appointmentId, true, recordedAt),
  },
  authorise: async (_id, { verified }) => (verified ? undefined : unverified),
};
