import { z } from 'zod';
import { isHome, slotRef } from '../../domain/booking/ids.ts';
import type { Provider } from '../../domain/booking/provider/state.ts';
import { uuid } from '../../domain/fields.ts';
import { idOf } from '../../eventstore/event.ts';
import type { Refusal } from './subscription.ts';
import type { Message, TopicKind } from './topics.ts';

const messages = {
  'slot:changed': z.object({
    slotId: z.string(),
    startTime: z.string(),
    isAvailable: z
      .boolean()
      .describe('Free and still to come; notice, horizon and buffer are judged when it is booked'),
  }),
} as const;

type Told = {
  readonly slotId: string;
  /** Where the event says it; in older ones only the id does. */
  readonly startTime?: string | undefined;
  /** Outside the hours of an exception. */
  readonly closed?: true | undefined;
};

/** Tells of a slot; one whose time has come is not available, nor is one that is closed, whoever gave it back. */
const slot = (
  { slotId, startTime = slotRef(slotId)?.startTime, closed }: Told,
  isFree: boolean,
  now: string,
): Message => {
  const start = startTime ?? now;
  return { event: 'slot:changed', data: { slotId, startTime: start, isAvailable: isFree && !closed && start > now } };
};

/** A slot of another day is told of by that day's own events. */
const slotOfDay = (told: Told, appointmentId: string, isFree: boolean, now: string): readonly Message[] =>
  isHome(told.slotId, appointmentId) ? [slot(told, isFree, now)] : [];

const closed: Refusal = { code: 'NOT_FOUND', message: 'This provider takes no appointments' };

/** Which slots of a provider come and go, for everybody with a verified address: never who takes them. */
export const availabilityTopic: TopicKind<Provider> = {
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
    TimeSlotsGenerated: ({ data: { slots }, recordedAt }) => slots.map((one) => slot(one, true, recordedAt)),
    TimeSlotAdded: ({ data, recordedAt }) => [slot(data, data.isAvailable, recordedAt)],
    TimeSlotUpdated: ({ data, recordedAt }) => [slot(data, data.isAvailable, recordedAt)],
    TimeSlotRemoved: ({ data, recordedAt }) => [slot(data, false, recordedAt)],
    DayHoursChanged: ({ data: { closed, opened }, recordedAt }) => [
      ...closed.map((one) => slot(one, false, recordedAt)),
      ...opened.map((one) => slot(one, one.isAvailable, recordedAt)),
    ],
    SlotReserved: ({ data, recordedAt }) => [slot(data, false, recordedAt)],
    SlotReleased: ({ data, recordedAt }) => [slot(data, true, recordedAt)],
    SlotHeld: ({ data, recordedAt }) => [slot(data, false, recordedAt)],
    SlotHoldReleased: ({ data, recordedAt }) => [slot(data, true, recordedAt)],
    AppointmentBooked: ({ data: { slotId, startTime }, recordedAt }) => [
      slot({ slotId, startTime }, false, recordedAt),
    ],
    AppointmentRescheduled: ({ data, recordedAt }) => {
      const { fromSlotId, oldStartTime, closed, toSlotId, startTime, appointmentId } = data;
      const left = { slotId: fromSlotId, startTime: oldStartTime, closed };
      return [
        ...slotOfDay(left, appointmentId, true, recordedAt),
        ...slotOfDay({ slotId: toSlotId, startTime }, appointmentId, false, recordedAt),
      ];
    },
    AppointmentCancelled: ({ data, recordedAt }) => slotOfDay(data, data.appointmentId, true, recordedAt),
  },
  rechecks: {
    ProviderDeactivated: ({ data }) => data.providerId,
    AccountDeactivated: ({ data }) => data.accountId,
    AccountErased: ({ data }) => data.accountId,
  },
  authorise: async (id, _actor, { stateOf, activeOf }) => {
    const [provider, active] = await Promise.all([stateOf(id), activeOf(id)]);
    return provider?.profile?.active === false || active === false ? closed : undefined;
  },
};
