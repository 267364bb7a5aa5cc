import { randomUUID } from 'node:crypto';
import { appointmentIdOf, scheduleId, slotIdOf } from '../src/domain/booking/ids.ts';
import type { ScheduleEvent } from '../src/domain/booking/schedule/index.ts';

/** Events of one provider's day: its slots, then ten appointments of ten events each, one with nine. */
export const EVENTS_A_DAY = 100;
/** Appointments of one provider's day. */
export const ROWS_A_DAY = 10;
/** Appends that a day's events come in. */
export const PHASES = 10;

const DAYS_A_PROVIDER = 100;
const CLIENTS = 5_000;

/** One provider's day in the log. */
export type Day = {
  readonly stream: string;
  /** What is appended in each phase: the next event of each appointment. */
  readonly phase: (number: number) => readonly ScheduleEvent[];
};

/**
 * Appointments as a busy practice has them: booked, then moved and annotated for weeks, at last kept or cancelled. Written
 * phase by phase over all days, so that an appointment's next event comes a tenth of the log later, and hardly ever two of
 * them fall into one batch of a reader.
 */
export const days = (count: number): readonly Day[] => {
  const clients = Array.from({ length: Math.min(CLIENTS, count * ROWS_A_DAY) }, () => randomUUID());
  const providers = Array.from({ length: Math.ceil(count / DAYS_A_PROVIDER) }, () => randomUUID());
  return Array.from({ length: count }, (_, index) => {
    const providerId = providers[Math.floor(index / DAYS_A_PROVIDER)] ?? '';
    const day = new Date(Date.UTC(2026, 0, 1 + (index % DAYS_A_PROVIDER))).toISOString().slice(0, 10);
    return dayOf(providerId, day, (place) => clients[(index * ROWS_A_DAY + place) % clients.length] ?? '');
  });
};

const dayOf = (providerId: string, day: string, clientOf: (place: number) => string): Day => {
  const slots = Array.from({ length: 2 * ROWS_A_DAY }, (_, half) => {
    const start = Date.parse(`${day}T08:00:00Z`) + half * 1_800_000;
    const [startTime, endTime] = [new Date(start).toISOString(), new Date(start + 1_800_000).toISOString()];
    return { slotId: slotIdOf({ providerId, day, startTime }), startTime, endTime };
  });
  const appointments = Array.from({ length: ROWS_A_DAY }, (_, place) => ({
    place,
    appointmentId: appointmentIdOf({ providerId, day, uuid: randomUUID() }),
    clientId: clientOf(place),
  }));

  /** The event of an appointment in a phase: every other one moves it between its two slots. */
  const eventOf = ({ place, appointmentId, clientId }: (typeof appointments)[number], phase: number): ScheduleEvent => {
    const slotAt = (moves: number) => slots[2 * place + (moves % 2)] ?? { slotId: '', startTime: '', endTime: '' };
    const moves = Math.floor(phase / 2);
    const slot = slotAt(moves);
    const ids = { appointmentId, providerId, clientId };
    const { slotId, startTime } = slot;
    if (phase === 0) {
      const price = { priceCents: 4_500, currency: 'EUR' };
      const notes = 'First visit, referred by a friend; prefers the ground floor';
      const data = { ...ids, ...slot, notes, timezone: 'Europe/Luxembourg', bookedBy: 'client' as const, ...price };
      return { type: 'AppointmentBooked', data };
    }
    if (phase === PHASES - 1)
      return place % 3 === 0
        ? {
            type: 'AppointmentCancelled',
            data: { ...ids, slotId, startTime, by: 'client', actorId: clientId, reason: 'Has to travel that week' },
          }
        : { type: 'AppointmentCompleted', data: { ...ids, slotId, startTime, by: 'provider', outcome: 'attended' } };
    if (phase % 2 === 1)
      return {
        type: 'AppointmentNotesUpdated',
        data: { ...ids, notes: `Asked for reminder ${phase}, and brings the documents of last year`, by: 'client' },
      };
    const before = slotAt(moves - 1);
    return {
      type: 'AppointmentRescheduled',
      data: {
        ...ids,
        fromSlotId: before.slotId,
        toSlotId: slotId,
        oldStartTime: before.startTime,
        startTime,
        endTime: slot.endTime,
        by: 'client',
      },
    };
  };

  return {
    stream: `schedule-${scheduleId({ providerId, day })}`,
    phase: (number) => {
      const next = appointments.map((appointment) => eventOf(appointment, number));
      if (number === 0)
        return [{ type: 'TimeSlotsGenerated', data: { providerId, day, slots, generationId: randomUUID() } }, ...next];
      // The one appointment left open makes a hundred events of the day.
      return number === PHASES - 1 ? next.slice(1) : next;
    },
  };
};
