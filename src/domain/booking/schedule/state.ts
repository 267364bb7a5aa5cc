import { type Actor, can, commandsOf, decider, reject } from '../../decider.ts';
import type { Interval } from '../grid.ts';
import { isProvider } from '../provider/index.ts';
import { events, type Party, type ScheduleEvent } from './events.ts';

/**
 * What keeps a free slot for one account. It is live until its instant, unless it was released before; afterwards it only
 * tells how long the account has held the slot.
 */
export type Hold = {
  readonly accountId: string;
  readonly since: string;
  readonly until: string;
  /** How long the account had held the slot already when this hold began. */
  readonly usedSeconds: number;
  /** The offer of the waiting list that it belongs to. */
  readonly offerId?: string;
  /** Its end is stored. */
  readonly over?: true;
};

/** Whether a hold keeps others from its slot: a matter of the clock, so that a late or lost timer blocks nothing. */
export const isLive = (hold: Hold | undefined, now: Date): boolean =>
  hold !== undefined && hold.over === undefined && Date.parse(hold.until) > now.getTime();

/** A slot of the day. */
export type Slot = {
  readonly startTime: string;
  readonly endTime: string;
  /** The appointment that takes it; undefined while it is free. */
  readonly heldBy?: string;
  /** Only for appointments of other days: the attempt to move that took it, and when. */
  readonly reservation?: { readonly id: string; readonly at: string };
  /** Only while it is free: for whom it is kept, or was last. */
  readonly hold?: Hold;
  /** The provider does not offer it. */
  readonly blocked?: true;
  /** It lies outside the hours that an exception leaves to the day. */
  readonly closed?: true;
};

/** An appointment first booked on the day, wherever it lies now. */
export type Appointment = {
  readonly clientId: string;
  readonly slotId: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly status: 'SCHEDULED' | 'COMPLETED' | 'CANCELLED';
  readonly bookedBy: Party;
  readonly outcome?: 'attended' | 'no_show';
  readonly hasNotes: boolean;
  /** Counts the events of its own history from 0. */
  readonly version: number;
};

/** One local day of one provider. */
export type Schedule = {
  readonly slots: Readonly<Record<string, Slot>>;
  readonly appointments: Readonly<Record<string, Appointment>>;
  /** What each generation of slots did to this day. */
  readonly generations: Readonly<Record<string, { readonly created: number; readonly skipped: number }>>;
  /** The hours outside which nothing is offered, null for none such; and the change of exceptions that set them. */
  readonly hours?: { readonly seq: number; readonly intervals: readonly Interval[] | null };
  /** Moves that brought a slot from another day. */
  readonly arrivals: Readonly<Record<string, true>>;
};

const withSlot = (state: Schedule, slotId: string, change: (slot: Slot) => Slot): Schedule => {
  const slot = state.slots[slotId];
  return slot === undefined ? state : { ...state, slots: { ...state.slots, [slotId]: change(slot) } };
};

const unheld = ({ heldBy: _holder, reservation: _attempt, hold: _kept, ...slot }: Slot): Slot => slot;
const unkept = ({ hold: _kept, ...slot }: Slot): Slot => slot;

const free =
  (appointmentId: string) =>
  (slot: Slot): Slot =>
    slot.heldBy === appointmentId ? unheld(slot) : slot;

const take =
  (appointmentId: string) =>
  (slot: Slot): Slot => ({ ...unheld(slot), heldBy: appointmentId });

const released =
  ({ accountId, at }: Extract<ScheduleEvent, { type: 'SlotHoldReleased' }>['data']) =>
  (slot: Slot): Slot => {
    const { hold } = slot;
    if (hold === undefined || hold.accountId !== accountId) return slot;
    return { ...slot, hold: { ...hold, until: at < hold.until ? at : hold.until, over: true } };
  };

const opened = (
  { startTime, endTime }: Pick<Slot, 'startTime' | 'endTime'>,
  { isAvailable = true, closed }: { readonly isAvailable?: boolean; readonly closed?: true | undefined },
): Slot => ({ startTime, endTime, ...(isAvailable ? {} : { blocked: true }), ...(closed && { closed }) });

const without = <T>(of: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> => {
  const { [key]: _gone, ...rest } = of;
  return rest;
};

const offered = ({ closed: _within, ...slot }: Slot): Slot => slot;

const withHours = (state: Schedule, data: Extract<ScheduleEvent, { type: 'DayHoursChanged' }>['data']): Schedule => {
  const slots = { ...state.slots };
  for (const { slotId } of data.closed) {
    const slot = slots[slotId];
    if (slot !== undefined) slots[slotId] = { ...unkept(slot), closed: true };
  }
  for (const { slotId } of data.opened) {
    const slot = slots[slotId];
    if (slot !== undefined) slots[slotId] = offered(slot);
  }
  return { ...state, slots, hours: { seq: data.seq, intervals: data.intervals } };
};

const withAppointment = (state: Schedule, id: string, change: Partial<Appointment>): Schedule => {
  const before = state.appointments[id];
  return before === undefined
    ? state
    : {
        ...state,
        appointments: { ...state.appointments, [id]: { ...before, ...change, version: before.version + 1 } },
      };
};

export const schedule = decider<Schedule, ScheduleEvent>({
  category: 'schedule',
  events,
  initial: { slots: {}, appointments: {}, generations: {}, arrivals: {} },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'TimeSlotsGenerated': {
        const added = data.slots.map((slot) => [slot.slotId, opened(slot, slot)] as const);
        const result = { created: data.slots.length, skipped: data.skipped ?? 0 };
        return {
          ...state,
          slots: { ...state.slots, ...Object.fromEntries(added) },
          generations: { ...state.generations, [data.generationId]: result },
        };
      }
      case 'TimeSlotAdded': {
        const slots = { ...state.slots, [data.slotId]: opened(data, data) };
        const arrivals =
          data.moveId === undefined ? state.arrivals : { ...state.arrivals, [data.moveId]: true as const };
        return { ...state, slots, arrivals };
      }
      case 'TimeSlotUpdated':
        return withSlot(state, data.slotId, () => opened(data, data));
      case 'TimeSlotRemoved':
        return { ...state, slots: without(state.slots, data.slotId) };
      case 'DayHoursChanged':
        return withHours(state, data);
      case 'SlotReserved': {
        const reservation = { id: data.reservationId, at: data.reservedAt };
        return withSlot(state, data.slotId, (slot) => ({ ...take(data.appointmentId)(slot), reservation }));
      }
      case 'SlotReleased':
        return withSlot(state, data.slotId, free(data.appointmentId));
      case 'SlotHeld': {
        const { accountId, heldAt: since, until, usedSeconds, offerId } = data;
        const hold = { accountId, since, until, usedSeconds, ...(offerId === undefined ? {} : { offerId }) };
        return withSlot(state, data.slotId, (slot) => ({ ...slot, hold }));
      }
      case 'SlotHoldReleased':
        return withSlot(state, data.slotId, released(data));
      case 'AppointmentBooked': {
        const { appointmentId, clientId, slotId, startTime, endTime, bookedBy, notes } = data;
        const times = { slotId, startTime, endTime };
        const appointment = { clientId, ...times, status: 'SCHEDULED', bookedBy, hasNotes: notes !== null, version: 0 };
        const appointments = { ...state.appointments, [appointmentId]: appointment as Appointment };
        return withSlot({ ...state, appointments }, slotId, take(appointmentId));
      }
      case 'AppointmentRescheduled': {
        const { appointmentId, fromSlotId, toSlotId, startTime, endTime } = data;
        const moved = withAppointment(state, appointmentId, { slotId: toSlotId, startTime, endTime });
        return withSlot(withSlot(moved, fromSlotId, free(appointmentId)), toSlotId, take(appointmentId));
      }
      case 'AppointmentNotesUpdated':
        return withAppointment(state, data.appointmentId, { hasNotes: data.notes !== null });
      case 'AppointmentCancelled': {
        const cancelled = withAppointment(state, data.appointmentId, { status: 'CANCELLED' });
        return withSlot(cancelled, data.slotId, free(data.appointmentId));
      }
      case 'AppointmentCompleted':
        return withAppointment(state, data.appointmentId, { status: 'COMPLETED', outcome: data.outcome });
    }
  },
});
export const command = commandsOf(schedule);

/** The time that an appointment takes: undefined unless it is still to come about. */
export const timeOf = (state: Schedule, appointmentId: string) => {
  const appointment = state.appointments[appointmentId];
  return appointment?.status === 'SCHEDULED'
    ? { startTime: appointment.startTime, endTime: appointment.endTime }
    : undefined;
};

/** The slot that an appointment takes: undefined when it never came about or was cancelled. */
export const slotTakenBy = (state: Schedule, appointmentId: string): string | undefined => {
  const appointment = state.appointments[appointmentId];
  return appointment === undefined || appointment.status === 'CANCELLED' ? undefined : appointment.slotId;
};

/** What an actor is to an appointment; undefined when it is hidden from him. */
export const partyOf = (actor: Actor, providerId: string, clientId: string): Party | undefined => {
  if (actor.kind === 'system') return 'system';
  if (actor.id === clientId) return 'client';
  if (isProvider(actor, providerId)) return 'provider';
  return can(actor, '*:*') ? 'admin' : undefined;
};

export const APPOINTMENT_UNKNOWN = reject('NOT_FOUND', 'appointment-unknown', 'No such appointment');
export const NOT_SCHEDULED = reject(
  'CONFLICT',
  'appointment-ended',
  'The appointment has been cancelled or completed already',
);
