import { type LogEvent, textOf, type Violation } from './violation.ts';

const CHECK = 'booking';

/** An appointment as its events make it, folded here and not by the service. */
export type Booked = {
  readonly clientId: string;
  readonly slotId: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly status: 'SCHEDULED' | 'CANCELLED' | 'COMPLETED';
  readonly version: number;
  readonly last: LogEvent;
};

/**
 * Goes through the log and looks at every position: no slot is taken by two appointments, no client has two at once, and
 * nothing is moved, cancelled or completed that does not stand.
 */
export const bookingViolations = (
  events: readonly LogEvent[],
  planted: ReadonlySet<string> = new Set(),
): { readonly violations: Violation[]; readonly appointments: ReadonlyMap<string, Booked> } => {
  const violations: Violation[] = [];
  const say = (what: string, ...evidence: readonly LogEvent[]): void => {
    violations.push({ check: CHECK, what, events: evidence });
  };
  const appointments = new Map<string, Booked>();
  const slots = new Set<string>();
  const bySlot = new Map<string, string>();
  const byClient = new Map<string, Set<string>>();

  const take = (id: string, booked: Booked): void => {
    const { slotId, clientId, startTime, endTime, last } = booked;
    if (!slots.has(slotId)) say('a slot is taken that was never opened', last);
    const holder = bySlot.get(slotId);
    const held = holder === undefined ? undefined : appointments.get(holder);
    if (held !== undefined && holder !== id) say(`slot ${slotId} is taken twice`, held.last, last);
    const own = byClient.get(clientId) ?? new Set<string>();
    for (const other of own) {
      const there = appointments.get(other);
      if (there !== undefined && other !== id && there.startTime < endTime && startTime < there.endTime)
        say(`client ${clientId} has two appointments at once`, there.last, last);
    }
    bySlot.set(slotId, id);
    byClient.set(clientId, own.add(id));
    appointments.set(id, booked);
  };
  const leave = (id: string, { slotId, clientId }: Booked): void => {
    if (bySlot.get(slotId) === id) bySlot.delete(slotId);
    byClient.get(clientId)?.delete(id);
  };

  for (const event of events) {
    if (planted.has(event.id)) continue;
    const id = textOf(event, 'appointmentId');
    const before = appointments.get(id);
    switch (event.type) {
      case 'TimeSlotsGenerated':
        for (const { slotId } of slotsIn(event)) {
          if (slots.has(slotId)) say(`slot ${slotId} was opened twice`, event);
          slots.add(slotId);
        }
        break;
      case 'TimeSlotAdded':
        if (slots.has(textOf(event, 'slotId'))) say(`slot ${textOf(event, 'slotId')} was opened twice`, event);
        slots.add(textOf(event, 'slotId'));
        break;
      case 'TimeSlotRemoved':
        if (bySlot.has(textOf(event, 'slotId'))) say(`slot ${textOf(event, 'slotId')} was removed while taken`, event);
        slots.delete(textOf(event, 'slotId'));
        break;
      case 'AppointmentBooked':
        if (before !== undefined) say(`appointment ${id} was booked twice`, before.last, event);
        take(id, {
          clientId: textOf(event, 'clientId'),
          slotId: textOf(event, 'slotId'),
          startTime: textOf(event, 'startTime'),
          endTime: textOf(event, 'endTime'),
          status: 'SCHEDULED',
          version: 0,
          last: event,
        });
        break;
      case 'AppointmentRescheduled': {
        if (before?.status !== 'SCHEDULED' || before.slotId !== textOf(event, 'fromSlotId')) {
          say(`appointment ${id} was moved from where it was not`, ...(before ? [before.last] : []), event);
          break;
        }
        leave(id, before);
        take(id, {
          ...before,
          slotId: textOf(event, 'toSlotId'),
          startTime: textOf(event, 'startTime'),
          endTime: textOf(event, 'endTime'),
          version: before.version + 1,
          last: event,
        });
        break;
      }
      case 'AppointmentCancelled':
      case 'AppointmentCompleted': {
        if (before?.status !== 'SCHEDULED') {
          say(`appointment ${id} was ended although it did not stand`, ...(before ? [before.last] : []), event);
          break;
        }
        leave(id, before);
        const status = event.type === 'AppointmentCancelled' ? 'CANCELLED' : 'COMPLETED';
        appointments.set(id, { ...before, status, version: before.version + 1, last: event });
        break;
      }
    }
  }
  return { violations, appointments };
};

const slotsIn = ({ data }: LogEvent): readonly { readonly slotId: string }[] =>
  Array.isArray(data.slots) ? (data.slots as { slotId: string }[]) : [];

/** Reservations in the log that no appointment stands behind: time of clients and slots of other days set aside. */
export const reservationsLeft = (
  events: readonly LogEvent[],
  appointments: ReadonlyMap<string, Booked>,
  planted: ReadonlySet<string> = new Set(),
): readonly LogEvent[] => {
  const left = new Map<string, LogEvent>();
  for (const event of events) {
    if (planted.has(event.id)) continue;
    const time = `time ${textOf(event, 'appointmentId')} ${textOf(event, 'startTime')}`;
    const slot = `slot ${textOf(event, 'appointmentId')} ${textOf(event, 'slotId')}`;
    if (event.type === 'TimeClaimed') left.set(time, event);
    else if (event.type === 'TimeReleased') left.delete(time);
    else if (event.type === 'SlotReserved') left.set(slot, event);
    else if (event.type === 'SlotReleased') left.delete(slot);
  }
  return [...left.values()].filter((event) => {
    const standing = appointments.get(textOf(event, 'appointmentId'));
    if (standing?.status !== 'SCHEDULED') return true;
    return event.type === 'TimeClaimed'
      ? standing.startTime !== textOf(event, 'startTime')
      : standing.slotId !== textOf(event, 'slotId');
  });
};
