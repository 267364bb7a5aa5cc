import { planned } from '../../domain/booking/grid.ts';
import { scheduleId } from '../../domain/booking/ids.ts';
import { completeSlotGeneration, type Provider, provider } from '../../domain/booking/provider/index.ts';
import { openDaySlots, overlapping, schedule } from '../../domain/booking/schedule/index.ts';
import type { Outcome, Step } from '../binding.ts';
import { latest } from '../outcomes.ts';
import type { Reads } from '../reads.ts';

type Generation = Provider['generations'][number];
type Plan = Generation['plan'];
type Result = NonNullable<Generation['result']>;

const formerResult = async (providerId: string, generationId: string, reads: Reads): Promise<Result | undefined> =>
  (await reads.history(provider, providerId))
    .filter((event) => event.type === 'SlotGenerationCompleted')
    .find(({ data }) => data.generationId === generationId)?.data;

const daysOf = (plan: Plan) => planned({ ...plan, timeZone: plan.timezone });

/** Whether a plan meets slots that are there already. Days that the same generation has opened do not count. */
export const meetsExisting = async (plan: Plan, reads: Reads): Promise<boolean> => {
  const { providerId, generationId } = plan;
  const met = await Promise.all(
    daysOf(plan).map(async ({ day, slots }) => {
      const { state } = await reads.load(schedule, scheduleId({ providerId, day }));
      return state.generations[generationId] === undefined && overlapping(state, slots).length > 0;
    }),
  );
  return met.includes(true);
};

/**
 * Opens every day of a generation that its provider's stream knows, then notes the result there. Safe to repeat: days
 * opened before stay as they are and count as they did, and a result once noted is given again.
 */
export const openGeneration = async (
  { providerId, generationId }: { readonly providerId: string; readonly generationId: string },
  { reads, step }: { readonly reads: Reads; readonly step: Step },
  started: Outcome,
): Promise<{ readonly outcome: Outcome; readonly result: Result | undefined }> => {
  if (!started.ok) return { outcome: started, result: undefined };
  const { state } = await reads.load(provider, providerId);
  const generation = state.generations.find(({ plan }) => plan.generationId === generationId);
  if (generation === undefined)
    return { outcome: started, result: await formerResult(providerId, generationId, reads) };
  if (generation.result !== undefined) return { outcome: started, result: generation.result };

  const days = daysOf(generation.plan);
  const opened = await Promise.all(
    days.map(async ({ day, slots }) => {
      const id = scheduleId({ providerId, day });
      const outcome = await step(openDaySlots, id, {
        ...{ providerId, day, generationId, timezone: generation.plan.timezone },
        slots: [...slots],
      });
      if (!outcome.ok) return { outcome, created: 0, skipped: 0 };
      const done = (await reads.load(schedule, id)).state.generations[generationId];
      return { outcome, ...(done ?? { created: 0, skipped: slots.length }) };
    }),
  );
  const failed = opened.find(({ outcome }) => !outcome.ok);
  if (failed !== undefined) return { outcome: failed.outcome, result: undefined };
  const result = {
    providerId,
    generationId,
    created: opened.reduce((sum, { created }) => sum + created, 0),
    skipped: opened.reduce((sum, { skipped }) => sum + skipped, 0),
    firstStart: days[0]?.slots[0]?.startTime ?? null,
    lastEnd: days.at(-1)?.slots.at(-1)?.endTime ?? null,
  };
  const noted = await step(completeSlotGeneration, providerId, result);
  return { outcome: latest(started, noted, ...opened.map(({ outcome }) => outcome)), result };
};
