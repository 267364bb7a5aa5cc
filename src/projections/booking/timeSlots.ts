import { type Kysely, sql } from 'kysely';
import { isHome } from '../../domain/booking/ids.ts';
import type { ReadModels } from '../index.ts';
import { boolean, instant, nullable, projection, text, uuid } from '../projection.ts';

/** Every slot, and the appointment that takes it. */
export const timeSlots = projection({
  name: 'time_slots',
  version: 1,
  columns: {
    slot_id: text,
    provider_id: uuid,
    start_time: instant,
    end_time: instant,
    blocked: boolean,
    appointment_id: nullable(text),
  },
  key: {
    column: 'slot_id',
    of: ({ type, data }) => {
      switch (type) {
        case 'TimeSlotsGenerated':
          return data.slots.map(({ slotId }) => slotId);
        case 'AppointmentRescheduled':
          return [data.fromSlotId, data.toSlotId];
        default:
          return data.slotId;
      }
    },
  },
  indexes: [['provider_id', 'start_time'], ['start_time']],
  fold: {
    TimeSlotsGenerated: (_row, { data }, slot_id) => {
      const slot = data.slots.find(({ slotId }) => slotId === slot_id);
      return (
        slot && {
          slot_id,
          provider_id: data.providerId,
          start_time: slot.startTime,
          end_time: slot.endTime,
          blocked: false,
          appointment_id: null,
        }
      );
    },
    SlotReserved: (row, { data }) => row && { ...row, appointment_id: data.appointmentId },
    SlotReleased: (row) => row && { ...row, appointment_id: null },
    AppointmentBooked: (row, { data }) => row && { ...row, appointment_id: data.appointmentId },
    AppointmentRescheduled: (row, { data }, slot_id) => {
      if (slot_id === data.toSlotId) return row && { ...row, appointment_id: data.appointmentId };
      // A slot of another day than the appointment's own is free once that day's own stream has released it.
      return row && (isHome(slot_id, data.appointmentId) ? { ...row, appointment_id: null } : row);
    },
    AppointmentCancelled: (row, { data }, slot_id) =>
      row && (isHome(slot_id, data.appointmentId) ? { ...row, appointment_id: null } : row),
  },
});

type Window = {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
  readonly offset: number;
};

/**
 * Slots that a client may book now: free, their provider active, their start neither past nor inside the notice nor
 * beyond the horizon. In order of their starts.
 */
export const availableSlots = async (
  db: Kysely<ReadModels>,
  {
    from,
    to,
    limit,
    offset,
    providerId,
    now,
  }: Window & { readonly providerId?: string | undefined; readonly now: Date },
) => {
  const at = now.toISOString();
  const free = db
    .selectFrom('time_slots as slot')
    .innerJoin('provider_profiles as provider', 'provider.provider_id', 'slot.provider_id')
    .where('provider.active', '=', true)
    .where('slot.appointment_id', 'is', null)
    .where('slot.blocked', '=', false)
    .where('slot.start_time', '>=', from)
    .where('slot.start_time', '<', to)
    .where(
      'slot.start_time',
      '>=',
      sql<string>`${at}::timestamptz + make_interval(mins => provider.min_notice_minutes)`,
    )
    .where(
      'slot.start_time',
      '<=',
      sql<string>`${at}::timestamptz + make_interval(hours => 24 * provider.max_advance_days)`,
    )
    .$if(providerId !== undefined, (query) => query.where('slot.provider_id', '=', providerId ?? ''));
  const [items, count] = await Promise.all([
    free
      .select([
        'slot.slot_id',
        'slot.provider_id',
        'slot.start_time',
        'slot.end_time',
        'provider.display_name',
        'provider.timezone',
      ])
      .orderBy('slot.start_time')
      .orderBy('slot.slot_id')
      .limit(limit)
      .offset(offset)
      .execute(),
    free.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total: count.total };
};

/** What a provider may narrow his list of slots to. */
export const SLOT_STATUS = ['free', 'booked', 'blocked'] as const;
export type SlotStatus = (typeof SLOT_STATUS)[number];

/** The slots of one provider in order of their starts. */
export const slotsOfProvider = async (
  db: Kysely<ReadModels>,
  {
    providerId,
    from,
    to,
    limit,
    offset,
    status,
  }: Window & { readonly providerId: string; readonly status?: SlotStatus | undefined },
) => {
  const slots = db
    .selectFrom('time_slots')
    .where('provider_id', '=', providerId)
    .where('start_time', '>=', from)
    .where('start_time', '<', to)
    .$if(status === 'booked', (query) => query.where('appointment_id', 'is not', null))
    .$if(status === 'blocked', (query) => query.where('blocked', '=', true))
    .$if(status === 'free', (query) => query.where('appointment_id', 'is', null).where('blocked', '=', false));
  const [items, count] = await Promise.all([
    slots.selectAll().orderBy('start_time').orderBy('slot_id').limit(limit).offset(offset).execute(),
    slots.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total: count.total };
};
