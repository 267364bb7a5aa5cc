import { z } from 'zod';
import { type Context, reject } from '../../decider.ts';
import { isoDate, uuid } from '../../fields.ts';
import { ageInSeconds, RENEW_AFTER_SECONDS, SETTLE_AFTER_SECONDS } from '../clientCalendar.ts';
import type { Span } from '../grid.ts';
import { appointmentIdField, dayOfSlot, slotIdField, unusedSlotId } from '../ids.ts';
import { refuseHeld, refuseTaken } from './booking.ts';
import { closedOn } from './hours.ts';
import { command, type Schedule } from './state.ts';

/** The slots of a plan that meet slots which are there already. */
export const overlapping = ({ slots }: Schedule, plan: readonly Span[]): readonly Span[] => {
  const existing = Object.values(slots);
  return plan.filter((slot) =>
    existing.some(({ startTime, endTime }) => startTime < slot.endTime && slot.startTime < endTime),
  );
};

/** Opens the slots of one day of a generation. Slots that meet existing ones are skipped; a repeat opens nothing more. */
export const openDaySlots = command(
  'OpenDaySlots',
  z.object({
    providerId: uuid,
    day: isoDate,
    generationId: uuid,
    timezone: z.string().describe('The zone by whose clock the slots were planned'),
    // Made by the service's own grid, thousands in a call: to parse them again would cost more than to make them.
    slots: z.array(z.object({ startTime: z.string(), endTime: z.string() })).max(100),
  }),
  ({ providerId, day, generationId, slots, timezone }, state) => {
    if (state.generations[generationId] !== undefined) return [];
    const met = new Set(overlapping(state, slots));
    const closed = closedOn(state, day, timezone);
    const opened = slots
      .filter((slot) => !met.has(slot))
      .map(({ startTime, endTime }) => ({
        slotId: unusedSlotId(state.slots, { providerId, day, startTime }),
        startTime,
        endTime,
        ...closed(startTime),
      }));
    if (opened.length === 0) return [];
    return [{ type: 'TimeSlotsGenerated', data: { providerId, day, slots: opened, generationId, skipped: met.size } }];
  },
);

/**
 * Takes a slot for an appointment of another day that is about to move here. Only one attempt to move holds a slot; one
 * that was left behind can be taken over by another attempt of the same appointment.
 */
export const reserveSlot = command(
  'ReserveSlot',
  z.object({
    slotId: slotIdField,
    appointmentId: appointmentIdField,
    reservationId: z.string().min(1).max(64),
    clientId: uuid.optional().describe('Whose appointment it is: the slot may be held for him'),
  }),
  ({ slotId, appointmentId, reservationId, clientId }, { slots }, { now, actor }) => {
    const slot = slots[slotId];
    if (slot === undefined) return reject('NOT_FOUND', 'slot-unknown', 'No such slot', 'slotId');
    const taken = refuseTaken(slot, appointmentId) ?? refuseHeld(slot, [actor.id, clientId], now);
    if (taken !== undefined) return taken;
    if (slot.reservation !== undefined) {
      const age = ageInSeconds(slot.reservation.at, now);
      if (slot.reservation.id === reservationId && age < RENEW_AFTER_SECONDS) return [];
      if (slot.reservation.id !== reservationId && age < SETTLE_AFTER_SECONDS)
        return reject('CONFLICT', 'move-under-way', 'The appointment is being moved already');
    }
    const { providerId } = dayOfSlot(slotId);
    const { startTime } = slot;
    const data = { providerId, slotId, appointmentId, reservationId, reservedAt: now.toISOString(), startTime };
    return [{ type: 'SlotReserved', data }];
  },
);

/** The slot that an appointment takes at present, as its own stream says. */
export type TakenSlot = { readonly slotId?: string | undefined };

/**
 * Frees a slot reserved for an appointment that does not take it after all, or no longer. Without the id of the
 * reservation only one that no command can still be waiting for is freed.
 */
export const settleSlot = command(
  'SettleSlot',
  z.object({
    slotId: slotIdField,
    appointmentId: appointmentIdField,
    reservationId: z.string().min(1).max(64).optional(),
  }),
  ({ slotId, appointmentId, reservationId }, { slots }, { now, facts }: Context<TakenSlot>) => {
    const slot = slots[slotId];
    if (slot?.reservation === undefined || slot.heldBy !== appointmentId || facts.slotId === slotId) return [];
    const ours = slot.reservation.id === reservationId;
    if (!ours && ageInSeconds(slot.reservation.at, now) < SETTLE_AFTER_SECONDS) return [];
    const { startTime, closed } = slot;
    const { providerId } = dayOfSlot(slotId);
    return [
      { type: 'SlotReleased', data: { providerId, slotId, appointmentId, startTime, ...(closed && { closed }) } },
    ];
  },
);
