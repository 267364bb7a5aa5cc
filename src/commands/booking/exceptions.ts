import { dateIn } from '../../domain/booking/grid.ts';
import { dayOfAppointment, scheduleId } from '../../domain/booking/ids.ts';
import {
  abandonExceptionChange,
  addAvailabilityException,
  type ChangeFacts,
  cancelDisplacedAppointments,
  daysToAsk,
  eachDay,
  exceptionOf,
  hoursLeft,
  type PlannedChange,
  planReplacement,
  provider,
  type ReasonedException,
  refuseAvailability,
  removeAvailabilityException,
  restoreDayHours,
  setAvailability,
  startExceptionChange,
} from '../../domain/booking/provider/index.ts';
import { cancelDisplacedAppointment, displaced, schedule, setDayHours } from '../../domain/booking/schedule/index.ts';
import { reject } from '../../domain/decider.ts';
import { bind, internal, type Outcome } from '../binding.ts';
import { latest, refused } from '../outcomes.ts';
import { newest, type Reads } from '../reads.ts';
import { AvailabilityAnswer, availabilityAnswer, ExceptionAnswer, exceptionAnswer } from './answers.ts';
import { cancellation, type Tools } from './settling.ts';

const CONTENDED = refused(
  reject('CONFLICT', 'contended', 'Too many others are changing this at the same moment; try again'),
);

/** The exceptions of a provider with their reasons, as his history tells them up to a position. */
const reasoned = async (providerId: string, reads: Reads, until?: bigint): Promise<readonly ReasonedException[]> => {
  const exceptions = new Map<string, ReasonedException>();
  for (const { type, data, position } of await reads.history(provider, providerId)) {
    if (until !== undefined && position > until) break;
    if (type === 'AvailabilityExceptionRemoved') exceptions.delete(data.exceptionId);
    if (type !== 'AvailabilityExceptionAdded') continue;
    const { exceptionId, from, to, intervals, reason } = data;
    exceptions.set(exceptionId, { exceptionId, from, to, intervals, reason });
  }
  return [...exceptions.values()].sort((a, b) => (a.from < b.from ? -1 : 1));
};

/** Gives days the hours that the exceptions leave them. Days that a later change has reached keep what it gave them. */
const restoreDays = async (
  { providerId, seq, days }: { readonly providerId: string; readonly seq: number; readonly days: Dates },
  { reads, step }: Tools,
): Promise<readonly Outcome[]> => {
  const { profile, exceptions } = await newest(reads, provider, providerId);
  const timezone = profile?.timezone ?? 'UTC';
  const today = dateIn(timezone, reads.now());
  const still = eachDay(days).filter((day) => day >= today);
  return Promise.all(
    still.map((day) => {
      // Hours only become longer by this, and that cannot be refused.
      const hours = { intervals: hoursLeft(exceptions, day), timezone, cancelBooked: true };
      return step(setDayHours, scheduleId({ providerId, day }), { providerId, day, seq, ...hours });
    }),
  );
};
type Dates = readonly { readonly from: string; readonly to: string }[];

const abandon = async (providerId: string, changeId: string, tools: Tools): Promise<void> => {
  await tools.step(abandonExceptionChange, providerId, { providerId, changeId });
  const abandoned = (await tools.reads.history(provider, providerId))
    .filter((event) => event.type === 'ExceptionChangeAbandoned')
    .findLast(({ data }) => data.changeId === changeId);
  if (abandoned !== undefined) await restoreDays(abandoned.data, tools);
};

/**
 * Brings about a change of exceptions as a whole or not at all: says so in the provider's stream, asks every day in its
 * own, and lets `judge` store that it came about once all have agreed. A day that has agreed takes no booking outside
 * its new hours; when one does not agree, all are brought back. What opens is opened last. A policy takes back, or
 * finishes, what a crash has interrupted.
 */
const changeExceptions = async (
  providerId: string,
  plan: PlannedChange,
  tools: Tools,
  judge: (facts: ChangeFacts) => Promise<Outcome>,
): Promise<Outcome> => {
  const { reads, step } = tools;
  const { changeId, cancelBooked } = plan;
  const added = plan.added.map((one) => ({ ...one, intervals: [...one.intervals] }));
  const started = await step(startExceptionChange, providerId, {
    ...{ providerId, changeId, cancelBooked, added },
    removed: [...plan.removed],
  });
  if (!started.ok) return started;
  const { state } = await reads.load(provider, providerId);
  if (state.change?.changeId !== changeId) return CONTENDED;
  const { seq } = state.change;
  const timezone = state.profile?.timezone ?? 'UTC';
  const asked = await Promise.all(
    daysToAsk(state, plan, dateIn(timezone, reads.now())).map(({ day, intervals }) => {
      const hours = { intervals, timezone, cancelBooked };
      return step(setDayHours, scheduleId({ providerId, day }), { providerId, day, seq, ...hours });
    }),
  );
  const outcome = asked.find(({ ok }) => !ok) ?? (await judge({ changeId }));
  const pending = (await reads.load(provider, providerId)).state.change?.changeId === changeId;
  if (pending) await abandon(providerId, changeId, tools);
  if (!outcome.ok) return outcome;
  const removed = state.exceptions.filter(({ exceptionId }) => plan.removed.includes(exceptionId));
  const opened = await restoreDays({ providerId, seq: seq + 1, days: removed }, tools);
  if (!cancelBooked) return latest(outcome, ...asked, ...opened);
  const cancelled = await Promise.all(
    plan.added.map(({ exceptionId }) => cancelDisplaced({ providerId, exceptionId }, tools)),
  );
  return latest(outcome, ...asked, ...opened, ...cancelled.flat());
};

/** Cancels the appointments that an exception stands in the way of, for as long as it stands. */
const cancelDisplaced = async (
  { providerId, exceptionId }: { readonly providerId: string; readonly exceptionId: string },
  tools: Tools,
): Promise<readonly Outcome[]> => {
  const { reads, step } = tools;
  const exception = (await reasoned(providerId, reads)).find((one) => one.exceptionId === exceptionId);
  const { profile } = (await reads.load(provider, providerId)).state;
  if (exception === undefined || profile === undefined) return [];
  const today = dateIn(profile.timezone, reads.now());
  const cancelled: Outcome[] = [];
  for (const day of eachDay([exception]).filter((date) => date >= today)) {
    const { state } = await reads.load(schedule, scheduleId({ providerId, day }));
    for (const { slotId, appointmentId } of displaced(state, reads.now())) {
      const { reason } = exception;
      const home = scheduleId(dayOfAppointment(appointmentId));
      const cancel = () => step(cancelDisplacedAppointment, home, { appointmentId, slotId }, { reason });
      cancelled.push(await cancellation(tools, appointmentId, cancel));
    }
  }
  return cancelled;
};

const nothingChanged = async (): Promise<ChangeFacts> => ({ changeId: undefined });
const version = ({ version }: { readonly version: number }) => (version < 0 ? undefined : version);

/** Commands on working hours and their exceptions. */
export const availabilityBindings = [
  bind(setAvailability, {
    path: 'PUT /provider/availability',
    access: 'manage:availability',
    summary: 'Set working hours, notice, horizon, buffer, cut-offs and exceptions',
    example: {
      timezone: 'Europe/Luxembourg',
      weekly: [{ dayOfWeek: 1, intervals: [{ start: '09:00', end: '12:00' }] }],
      minNoticeMinutes: 60,
      maxAdvanceDays: 90,
    },
    stream: (_input, { actor }) => actor.id,
    version,
    facts: nothingChanged,
    answer: { schema: AvailabilityAnswer, of: ({ state, id }) => availabilityAnswer(state, id) },
    process: async ({ input, actor, newId, reads, step, judge }) => {
      const providerId = actor.id;
      const { state } = await reads.load(provider, providerId);
      const today = dateIn(state.profile?.timezone ?? 'UTC', reads.now());
      const bringAbout = async (): Promise<Outcome> => {
        const { exceptions, cancelBooked } = input;
        const changeId = newId('change');
        const refusal = refuseAvailability(input, state, reads.now());
        if (exceptions === undefined || refusal !== undefined || state.changes.includes(changeId)) return judge();
        const change = { changeId, cancelBooked, today, newId };
        const plan = planReplacement(exceptions, await reasoned(providerId, reads), change);
        if ('code' in plan) return refused(plan);
        if (plan.added.length + plan.removed.length === 0) return judge();
        return changeExceptions(providerId, plan, { reads, step }, (facts) => judge(input, facts));
      };
      const outcome = await bringAbout();
      if (!outcome.ok) return outcome;
      const standing = (await reasoned(providerId, reads, outcome.position)).filter(({ to }) => to >= today);
      return { ...outcome, data: { ...(outcome.data as object), exceptions: standing.map(exceptionAnswer) } };
    },
  }),
  bind(addAvailabilityException, {
    path: 'POST /provider/availability/exceptions',
    access: 'manage:availability',
    status: 201,
    summary: 'Close dates, or set other hours for them',
    example: { from: '2027-08-02', to: '2027-08-13', closed: true, reason: 'Summer holidays' },
    stream: (_input, { actor }) => actor.id,
    version,
    facts: nothingChanged,
    answer: {
      schema: ExceptionAnswer,
      of: ({ events }) => {
        const added = events.find((event) => event.type === 'AvailabilityExceptionAdded');
        if (added === undefined) throw new TypeError('An exception came about without its event');
        return exceptionAnswer(added.data);
      },
    },
    process: async ({ input, actor, newId, reads, step, judge }) => {
      const changeId = newId('change');
      const { state } = await reads.load(provider, actor.id);
      if (state.changes.includes(changeId)) return judge();
      const added = [exceptionOf(input, newId('exception'))];
      const plan = { changeId, added, removed: [], cancelBooked: input.cancelBooked };
      return changeExceptions(actor.id, plan, { reads, step }, (facts) => judge(input, facts));
    },
  }),
  bind(removeAvailabilityException, {
    path: 'DELETE /provider/availability/exceptions/:exceptionId',
    access: 'manage:availability',
    summary: 'Take an exception away: its slots are offered again',
    example: { exceptionId: '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b' },
    stream: (_input, { actor }) => actor.id,
    version,
    facts: nothingChanged,
    process: async ({ input, actor, newId, reads, step, judge }) => {
      const { exceptions } = (await reads.load(provider, actor.id)).state;
      const removed = [input.exceptionId];
      if (!exceptions.some(({ exceptionId }) => exceptionId === input.exceptionId)) return judge();
      const plan = { changeId: newId('change'), added: [], removed, cancelBooked: false };
      return changeExceptions(actor.id, plan, { reads, step }, (facts) => judge(input, facts));
    },
  }),
  internal(startExceptionChange, ({ providerId }) => providerId),
  internal(abandonExceptionChange, ({ providerId }) => providerId),
  internal(restoreDayHours, ({ providerId }) => providerId, {
    process: async ({ input, reads, step, judge }) =>
      latest(await judge(), ...(await restoreDays(input, { reads, step }))),
  }),
  internal(cancelDisplacedAppointments, ({ providerId }) => providerId, {
    process: async ({ input, reads, step, judge }) =>
      latest(await judge(), ...(await cancelDisplaced(input, { reads, step }))),
  }),
  internal(setDayHours, scheduleId),
  internal(cancelDisplacedAppointment, ({ appointmentId }) => scheduleId(dayOfAppointment(appointmentId)), {
    facts: async () => ({ reason: null }),
  }),
];
