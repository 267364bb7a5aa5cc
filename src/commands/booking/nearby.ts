import type { Span } from '../../domain/booking/grid.ts';
import { dayOfSlot, scheduleId } from '../../domain/booking/ids.ts';
import type { Provider } from '../../domain/booking/provider/index.ts';
import { schedule } from '../../domain/booking/schedule/index.ts';
import type { Reads } from '../reads.ts';

/**
 * The taken slots of the days around a slot, as far as a buffer reaches; those of the day that judges itself and those
 * that the appointment takes left out.
 */
export const takenNearby = async (
  slotId: string,
  { bufferMinutes, profile }: Provider,
  of: { readonly judgedBy: string; readonly appointmentId?: string },
  reads: Reads,
): Promise<readonly Span[]> => {
  if (bufferMinutes === 0 || profile === undefined) return [];
  const { providerId, day } = dayOfSlot(slotId);
  const around = [-1, 0, 1]
    .map((days) => scheduleId({ providerId, day: Temporal.PlainDate.from(day).add({ days }).toString() }))
    .filter((id) => id !== of.judgedBy);
  const states = await Promise.all(around.map((id) => reads.load(schedule, id)));
  return states.flatMap(({ state: { slots } }) =>
    Object.values(slots).filter(({ heldBy }) => heldBy !== undefined && heldBy !== of.appointmentId),
  );
};
