import { z } from 'zod';
import { type Context, type Rejection, reject } from '../../decider.ts';
import { isoDate, line, uuid } from '../../fields.ts';
import { common, dateIn, datesBetween, daysFrom, intervalsField } from '../grid.ts';
import type { ProviderEvent } from './events.ts';
import { CONTENDED, command, type Exception, NO_PROFILE, type Provider } from './state.ts';

/** Days that one call may change: each is a stream that has to agree. */
const MOST_DAYS = 1_100;
const MOST_EXCEPTIONS = 366;

export const cancelBooked = z
  .boolean()
  .default(false)
  .describe('Cancel the appointments that stand in the way; otherwise they keep the exception from coming about');

const exceptionFields = z.object({
  from: isoDate.describe('First date, in the zone of the provider'),
  to: isoDate.describe('Last date, at most 366 days later'),
  closed: z.boolean().optional().describe('The provider is not there at all'),
  intervals: intervalsField.optional().describe('The hours in which he is there'),
  reason: line(0, 200).nullish(),
});

type Refuse = (field: string, message: string) => void;
const checkException = ({ from, to, closed, intervals }: z.output<typeof exceptionFields>, refuse: Refuse): void => {
  if (to < from) refuse('to', 'Must not be before from');
  else if (daysFrom(from, to) > 366) refuse('to', 'At most 366 days after from');
  const open = (intervals?.length ?? 0) > 0;
  if (closed === true && open) refuse('intervals', 'Not on closed days');
  if (closed !== true && !open) refuse('closed', 'Give either closed or intervals');
};

const exceptionField = exceptionFields.check(({ value, issues }) => {
  // Dates that are none have been refused already, and nothing can be said about their span.
  if (issues.length > 0) return;
  checkException(value, (field, message) => issues.push({ code: 'custom', input: value, path: [field], message }));
});
/** An exception as it is asked for. */
export type WantedException = z.output<typeof exceptionFields>;

const overlap = (a: Dates, b: Dates): boolean => a.from <= b.to && b.from <= a.to;
type Dates = { readonly from: string; readonly to: string };

/** A whole list of exceptions, none of which overlap. */
export const exceptionsField = z
  .array(exceptionField)
  .max(MOST_EXCEPTIONS)
  .check(({ value, issues }) => {
    value.forEach((one, index) => {
      if (value.slice(0, index).some((other) => overlap(one, other)))
        issues.push({ code: 'custom', input: one, path: [index, 'from'], message: 'Overlaps another exception' });
    });
  });

/** What is to become of a provider's exceptions. */
export type PlannedChange = {
  readonly changeId: string;
  readonly added: readonly Exception[];
  readonly removed: readonly string[];
  readonly cancelBooked: boolean;
};

/** What of some stretches of dates is not over by `today`. */
const ahead = (days: readonly Dates[], today: string): readonly Dates[] =>
  days.filter(({ to }) => to >= today).map(({ from, to }) => ({ from: from < today ? today : from, to }));

/** The single dates of some stretches of dates, each once, in order. */
export const eachDay = (days: readonly Dates[]): readonly string[] =>
  [...new Set(days.flatMap(({ from, to }) => datesBetween(from, to)))].sort();

/** The hours outside which nothing is offered on a date, as far as the exceptions say; null for none such. */
export const hoursLeft = (exceptions: readonly Exception[], day: string) => {
  const exception = exceptions.find(({ from, to }) => from <= day && day <= to);
  return exception === undefined ? null : [...exception.intervals];
};

/**
 * The days that have to agree to a change, and the hours that they are to keep to until it comes about: those that hold
 * both before and after it. What it opens is opened afterwards, so that nobody books where in the end nothing opens.
 */
export const daysToAsk = (
  { exceptions }: Pick<Provider, 'exceptions'>,
  { added }: Pick<PlannedChange, 'added'>,
  today: string,
) =>
  eachDay(ahead(added, today)).map((day) => {
    const [before, after] = [hoursLeft(exceptions, day), hoursLeft(added, day) ?? []];
    return { day, intervals: before === null ? after : [...common(before, after)] };
  });

const OVERLAP = reject('CONFLICT', 'exception-overlap', 'There is an exception on some of those days already', 'from');

/** Why a change cannot even be tried. */
const refuseChange = (state: Provider, change: PlannedChange, now: Date): Rejection | undefined => {
  const { profile, exceptions } = state;
  if (profile === undefined) return NO_PROFILE;
  const today = dateIn(profile.timezone, now);
  if (change.added.some(({ to }) => to < today))
    return reject('VALIDATION_ERROR', 'in-the-past', 'Must not be before today', 'to');
  const kept = exceptions.filter(({ exceptionId }) => !change.removed.includes(exceptionId));
  if (change.added.some((one) => kept.some((other) => overlap(one, other)))) return OVERLAP;
  const gone = change.removed.some((id) => !exceptions.some(({ exceptionId }) => exceptionId === id));
  if (gone) return reject('NOT_FOUND', 'exception-unknown', 'No such exception', 'exceptionId');
  const removed = exceptions.filter(({ exceptionId }) => change.removed.includes(exceptionId));
  return eachDay(ahead([...change.added, ...removed], today)).length > MOST_DAYS
    ? reject('VALIDATION_ERROR', 'too-many-days', `More than ${MOST_DAYS} days in one call`, 'exceptions')
    : undefined;
};

/** Says what is to change before the first day is asked. Only one change is under way at a time. */
export const startExceptionChange = command(
  'StartExceptionChange',
  z.object({
    providerId: uuid,
    changeId: uuid,
    // Made by the service from what it has parsed.
    added: z.array(
      z.object({
        exceptionId: z.string(),
        from: z.string(),
        to: z.string(),
        intervals: z.array(z.object({ start: z.string(), end: z.string() })),
      }),
    ),
    removed: z.array(z.string()),
    cancelBooked: z.boolean(),
  }),
  ({ providerId, ...change }, state, { now }) => {
    if (state.change?.changeId === change.changeId) return [];
    const refusal = refuseChange(state, change, now);
    if (refusal !== undefined) return refusal;
    if (state.change !== undefined) return CONTENDED;
    const data = { providerId, ...change, seq: state.seq + 1, startedAt: now.toISOString() };
    return [{ type: 'ExceptionChangeStarted', data }];
  },
);

/** Which change of exceptions a command brings about; undefined when it has nothing to change. */
export type ChangeFacts = { readonly changeId: string | undefined };

const sameDates = (one: Dates, other: Dates): boolean => one.from === other.from && one.to === other.to;

/** The events by which a change comes about that every day has agreed to. `wanted` gives the reasons. */
export const comeAbout = (
  { change, exceptions, seq }: Provider,
  providerId: string,
  { changeId, wanted = [] }: { readonly changeId: string; readonly wanted?: readonly WantedException[] | undefined },
): readonly ProviderEvent[] | Rejection => {
  if (change?.changeId !== changeId) return CONTENDED;
  const { added, removed, cancelBooked } = change;
  return [
    ...exceptions
      .filter(({ exceptionId }) => removed.includes(exceptionId))
      .map(({ exceptionId, from, to }): ProviderEvent => {
        const data = { providerId, exceptionId, from, to, seq: seq + 1, changeId };
        return { type: 'AvailabilityExceptionRemoved', data };
      }),
    ...added.map((one): ProviderEvent => {
      const reason = wanted.find((other) => sameDates(one, other))?.reason || null;
      const more = { closed: one.intervals.length === 0, reason, ...(cancelBooked && { cancelBooked }), changeId };
      return { type: 'AvailabilityExceptionAdded', data: { providerId, ...one, ...more } };
    }),
  ];
};

/** The exception that one asked for is to be. */
export const exceptionOf = ({ from, to, intervals = [] }: WantedException, exceptionId: string): Exception => ({
  exceptionId,
  from,
  to,
  intervals: [...intervals],
});

/** An exception with the reason that its provider gave, which no state holds. */
export type ReasonedException = Exception & { readonly reason: string | null };

const asked = (one: Exception & { readonly reason?: string | null | undefined }): string =>
  JSON.stringify([one.from, one.to, one.intervals, one.reason || null]);

/** What replacing all exceptions that end today or later by others comes to: those that are the same stay. */
export const planReplacement = (
  wanted: readonly WantedException[],
  standing: readonly ReasonedException[],
  {
    today,
    newId,
    ...change
  }: Pick<PlannedChange, 'changeId' | 'cancelBooked'> & {
    readonly today: string;
    readonly newId: Context['newId'];
  },
): PlannedChange | Rejection => {
  const over = wanted.findIndex(({ to }) => to < today);
  if (over >= 0) return reject('VALIDATION_ERROR', 'in-the-past', 'Must not be before today', `exceptions.${over}.to`);
  const current = standing.filter(({ to }) => to >= today);
  const next = wanted.map((one, index) => ({
    ...exceptionOf(one, newId(`exception ${index}`)),
    reason: one.reason || null,
  }));
  const [before, after] = [new Set(current.map(asked)), new Set(next.map(asked))];
  return {
    ...change,
    added: next.filter((one) => !before.has(asked(one))).map(({ reason: _kept, ...one }) => one),
    removed: current.filter((one) => !after.has(asked(one))).map(({ exceptionId }) => exceptionId),
  };
};

const addingInput = exceptionFields.extend({ cancelBooked }).check(({ value, issues }) => {
  if (issues.length > 0) return;
  checkException(value, (field, message) => issues.push({ code: 'custom', input: value, path: [field], message }));
});

/**
 * Closes dates, or narrows or widens their hours. Free slots outside are neither offered nor bookable while it stands;
 * an appointment there keeps all of it from coming about, unless such are to be cancelled.
 */
export const addAvailabilityException = command(
  'AddAvailabilityException',
  addingInput,
  (input, state, { actor, facts: { changeId } }: Context<ChangeFacts>) =>
    changeId === undefined ? CONTENDED : comeAbout(state, actor.id, { changeId, wanted: [input] }),
);

/** Takes an exception away: the slots that it closed are offered again. */
export const removeAvailabilityException = command(
  'RemoveAvailabilityException',
  z.object({ exceptionId: uuid }),
  ({ exceptionId }, state, { actor, facts: { changeId } }: Context<ChangeFacts>) => {
    if (!state.exceptions.some((one) => one.exceptionId === exceptionId))
      return reject('NOT_FOUND', 'exception-unknown', 'No such exception');
    return changeId === undefined ? CONTENDED : comeAbout(state, actor.id, { changeId });
  },
);

/** Gives up a change of exceptions that has not come about; its days are to be as before. */
export const abandonExceptionChange = command(
  'AbandonExceptionChange',
  z.object({ providerId: uuid, changeId: uuid }),
  ({ providerId, changeId }, state, { now }) => {
    const { change, profile, seq } = state;
    if (change?.changeId !== changeId) return [];
    const days = [...ahead(change.added, dateIn(profile?.timezone ?? 'UTC', now))];
    return [{ type: 'ExceptionChangeAbandoned', data: { providerId, changeId, seq: seq + 1, days } }];
  },
);

/** Brings days back to what the exceptions say; each in its own stream, so that there is nothing to add to the provider's. */
export const restoreDayHours = command(
  'RestoreDayHours',
  z.object({
    providerId: uuid,
    seq: z.int().min(0),
    days: z.array(z.object({ from: isoDate, to: isoDate })),
  }),
  () => [],
);

/** Cancels the appointments that an exception stands in the way of; each in its own stream. */
export const cancelDisplacedAppointments = command(
  'CancelDisplacedAppointments',
  z.object({ providerId: uuid, exceptionId: uuid }),
  () => [],
);
