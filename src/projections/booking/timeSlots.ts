import { type Kysely, sql } from 'kysely';
import { SLOT_MINUTES } from '../../domain/booking/grid.ts';
import { isHome } from '../../domain/booking/ids.ts';
import type { ReadModels } from '../index.ts';
import { boolean, instant, nullable, projection, text, uuid } from '../projection.ts';

const unheld = { held_for: null, held_until: null };

type Placed = {
  readonly startTime: string;
  readonly endTime: string;
  readonly isAvailable: boolean;
  readonly closed?: true | undefined;
};
const placed = ({ startTime, endTime, isAvailable, closed }: Placed) => ({
  start_time: startTime,
  end_time: endTime,
  blocked: !isAvailable,
  closed: closed ?? false,
  ...unheld,
});
const taken = (appointment_id: string) => ({ appointment_id, ...unheld });

/** Every slot, and the appointment that takes it. */
export const timeSlots = projection({
  name: 'time_slots',
  version: 3,
  columns: {
    slot_id: text,
    provider_id: uuid,
    start_time: instant,
    end_time: instant,
    blocked: boolean,
    /** It lies outside the hours of an exception. */
    closed: boolean,
    appointment_id: nullable(text),
    /** The account that the slot is kept for until an instant. */
    held_for: nullable(uuid),
    held_until: nullable(instant),
  },
  key: {
    column: 'slot_id',
    of: ({ type, data }) => {
      switch (type) {
        case 'TimeSlotsGenerated':
          return data.slots.map(({ slotId }) => slotId);
        case 'AppointmentRescheduled':
          return [data.fromSlotId, data.toSlotId];
        case 'DayHoursChanged':
          return [...data.closed, ...data.opened].map(({ slotId }) => slotId);
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
          closed: slot.closed ?? false,
          ...unheld,
          appointment_id: null,
        }
      );
    },
    TimeSlotAdded: (_row, { data }, slot_id) => ({
      slot_id,
      provider_id: data.providerId,
      ...placed(data),
      appointment_id: null,
    }),
    TimeSlotUpdated: (row, { data }) => row && { ...row, ...placed(data) },
    TimeSlotRemoved: () => undefined,
    DayHoursChanged: (row, { data }, slot_id) =>
      row && {
        ...row,
        ...(data.closed.some(({ slotId }) => slotId === slot_id) ? { closed: true, ...unheld } : { closed: false }),
      },
    SlotHeld: (row, { data }) => row && { ...row, held_for: data.accountId, held_until: data.until },
    SlotHoldReleased: (row, { data }) => row && (row.held_for === data.accountId ? { ...row, ...unheld } : row),
    SlotReserved: (row, { data }) => row && { ...row, ...taken(data.appointmentId) },
    SlotReleased: (row) => row && { ...row, appointment_id: null },
    AppointmentBooked: (row, { data }) => row && { ...row, ...taken(data.appointmentId) },
    AppointmentRescheduled: (row, { data }, slot_id) => {
      if (slot_id === data.toSlotId) return row && { ...row, ...taken(data.appointmentId) };
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
 * Slots that a client may book now: free, held for nobody else, their provider active, their start neither past nor inside the notice nor
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
    accountId,
    now,
  }: Window & {
    readonly providerId?: string | undefined;
    /** Who asks: what is held for him is his to book. */
    readonly accountId: string;
    readonly now: Date;
  },
) => {
  const at = now.toISOString();
  const free = db
    .selectFrom('time_slots as slot')
    .innerJoin('provider_profiles as provider', 'provider.provider_id', 'slot.provider_id')
    .where('provider.active', '=', true)
    .where('slot.appointment_id', 'is', null)
    .where('slot.blocked', '=', false)
    .where('slot.closed', '=', false)
    .where(({ or, eb }) =>
      or([eb('slot.held_until', 'is', null), eb('slot.held_until', '<=', at), eb('slot.held_for', '=', accountId)]),
    )
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
    .where(sql<boolean>`(provider.buffer_minutes = 0 or not exists (
      select from time_slots as other
      where other.provider_id = slot.provider_id and other.appointment_id is not null
        and other.start_time < slot.end_time + make_interval(mins => provider.buffer_minutes)
        and other.start_time > slot.start_time - make_interval(mins => provider.buffer_minutes + ${SLOT_MINUTES}::int)))`)
    .$if(providerId !== undefined, (query) => query.where('slot.provider_id', '=', providerId ?? ''));
  const [items, count] = await Promise.all([
    free
      .select([
        'slot.slot_id',
        'slot.provider_id',
        'slot.start_time',
        'slot.end_time',
        'slot.held_until',
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

/** What a provider may narrow his list of slots to: each slot is one of them; `blocked` are those closed by an exception too. */
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
    .$if(status === 'blocked', (query) =>
      query
        .where('appointment_id', 'is', null)
        .where(({ or, eb }) => or([eb('blocked', '=', true), eb('closed', '=', true)])),
    )
    .$if(status === 'free', (query) =>
      query.where('appointment_id', 'is', null).where('blocked', '=', false).where('closed', '=', false),
    );
  const [items, count] = await Promise.all([
    slots.selectAll().orderBy('start_time').orderBy('slot_id').limit(limit).offset(offset).execute(),
    slots.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total: count.total };
};
