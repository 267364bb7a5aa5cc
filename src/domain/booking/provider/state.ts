import type { z } from 'zod';
import { type Context, can, commandsOf, decider, type Rejection, reject } from '../../decider.ts';
import { dayOfWeek, type Hours, type Interval } from '../grid.ts';
import { events, type ProviderEvent } from './events.ts';

type Started = z.output<typeof events.SlotGenerationStarted>;
type Completed = z.output<typeof events.SlotGenerationCompleted>;

/** Dates on which other hours hold than those of their weekdays; none of them when closed. The reason is not kept here. */
export type Exception = {
  readonly exceptionId: string;
  readonly from: string;
  readonly to: string;
  readonly intervals: readonly Interval[];
};
/** A change of exceptions that asks day by day whether it may come about. */
export type ExceptionChange = Omit<Extract<ProviderEvent, { type: 'ExceptionChangeStarted' }>['data'], 'providerId'>;

/** A provider as rules see him. */
export type Provider = {
  /** Undefined: there is no such provider. */
  readonly profile?: {
    readonly active: boolean;
    readonly timezone: string;
    readonly priceCents: number | null;
    readonly currency: string | null;
  };
  readonly weekly: readonly Hours[];
  readonly minNoticeMinutes: number;
  readonly maxAdvanceDays: number;
  /** Minutes that clients keep between appointments, and before the start for cancelling and moving; 0 for none. */
  readonly bufferMinutes: number;
  readonly cancelCutoffMinutes: number;
  readonly moveCutoffMinutes: number;
  /** In order of their dates; they do not overlap. */
  readonly exceptions: readonly Exception[];
  readonly change?: ExceptionChange;
  /** Counts the beginnings and the ends of changes of exceptions. */
  readonly seq: number;
  /** The latest changes that came about, oldest first. */
  readonly changes: readonly string[];
  /** Of profile and availability: counts their changes from 0, generations of slots left out. */
  readonly version: number;
  /** No slot was ever asked for that ends later. */
  readonly latestSlotEnd: string | null;
  /** Generations under way and the latest completed ones, oldest first. */
  readonly generations: readonly { readonly plan: Started; readonly result?: Completed }[];
};

/** Notice and horizon of providers who never set their own. */
export const DEFAULT_NOTICE_MINUTES = 60;
export const DEFAULT_ADVANCE_DAYS = 90;
export const DEFAULT_TIME_ZONE = 'Europe/Luxembourg';
/** Changes of exceptions that a repeated call is still known by. */
const REMEMBERED_CHANGES = 20;
/** Completed generations whose result a repeated call is still told. */
const REMEMBERED_GENERATIONS = 20;

const later = (a: string | null, b: string | null): string | null => (a === null || (b !== null && b > a) ? b : a);

/** Every generation under way, for somebody has to finish it, and the latest completed ones. */
const remembered = (generations: Provider['generations']): Provider['generations'] => {
  const completed = generations.filter(({ result }) => result !== undefined);
  const forgotten = new Set(completed.slice(0, -REMEMBERED_GENERATIONS));
  return generations.filter((generation) => !forgotten.has(generation));
};

/** The state with one change of availability more; what began it is settled with its first event. */
const changed = (state: Provider, { changeId }: { readonly changeId?: string | undefined }): Provider => {
  const version = state.version + 1;
  if (changeId === undefined) return { ...state, version };
  const { change, ...rest } = state;
  const changes = state.changes.includes(changeId) ? state.changes : [...state.changes, changeId];
  const settled = change?.changeId === changeId ? { ...rest, seq: state.seq + 1 } : state;
  return { ...settled, version, changes: changes.slice(-REMEMBERED_CHANGES) };
};

export const provider = decider<Provider, ProviderEvent>({
  category: 'provider',
  events,
  initial: {
    weekly: [],
    minNoticeMinutes: DEFAULT_NOTICE_MINUTES,
    maxAdvanceDays: DEFAULT_ADVANCE_DAYS,
    bufferMinutes: 0,
    cancelCutoffMinutes: 0,
    moveCutoffMinutes: 0,
    exceptions: [],
    seq: 0,
    changes: [],
    version: -1,
    latestSlotEnd: null,
    generations: [],
  },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'ProviderProfileCreated': {
        const { timezone, priceCents, currency } = data;
        return { ...state, version: state.version + 1, profile: { active: true, timezone, priceCents, currency } };
      }
      case 'ProviderProfileUpdated': {
        const { timezone, priceCents, currency } = data;
        const active = state.profile?.active ?? true;
        return { ...state, version: state.version + 1, profile: { active, timezone, priceCents, currency } };
      }
      case 'ProviderDeactivated':
      case 'ProviderActivated': {
        const version = state.version + 1;
        const active = type === 'ProviderActivated';
        return { ...state, version, ...(state.profile && { profile: { ...state.profile, active } }) };
      }
      case 'AvailabilitySet': {
        const { weekly, minNoticeMinutes, maxAdvanceDays, timezone } = data;
        const { bufferMinutes = 0, cancelCutoffMinutes = 0, moveCutoffMinutes = 0 } = data;
        const profile = state.profile && { ...state.profile, timezone };
        const clients = { bufferMinutes, cancelCutoffMinutes, moveCutoffMinutes };
        const next = { ...changed(state, data), weekly, minNoticeMinutes, maxAdvanceDays, ...clients };
        return profile === undefined ? next : { ...next, profile };
      }
      case 'ExceptionChangeStarted': {
        const { providerId: _own, ...change } = data;
        return { ...state, change, seq: data.seq };
      }
      case 'ExceptionChangeAbandoned': {
        const { change, ...rest } = state;
        return { ...(change?.changeId === data.changeId ? rest : state), seq: data.seq };
      }
      case 'AvailabilityExceptionAdded': {
        const { exceptionId, from, to, intervals } = data;
        const exceptions = [...state.exceptions, { exceptionId, from, to, intervals }];
        return { ...changed(state, data), exceptions: exceptions.sort((a, b) => (a.from < b.from ? -1 : 1)) };
      }
      case 'AvailabilityExceptionRemoved': {
        const exceptions = state.exceptions.filter(({ exceptionId }) => exceptionId !== data.exceptionId);
        return { ...changed(state, data), exceptions };
      }
      case 'SlotsAnnounced':
        return { ...state, latestSlotEnd: later(state.latestSlotEnd, data.latestEnd) };
      case 'SlotGenerationStarted':
        return {
          ...state,
          latestSlotEnd: later(state.latestSlotEnd, data.latestEnd),
          generations: [...state.generations, { plan: data }],
        };
      case 'SlotGenerationCompleted':
        return {
          ...state,
          generations: remembered(
            state.generations.map((generation) =>
              generation.plan.generationId === data.generationId ? { ...generation, result: data } : generation,
            ),
          ),
        };
    }
  },
});
/** The constructor of a provider's commands. */
export const command = commandsOf(provider);

/** The account is no provider. */
export const NO_PROFILE = reject('FORBIDDEN', 'no-provider-profile', 'This account gives no appointments');

/** Somebody else was faster; the same call again may succeed. */
export const CONTENDED = reject(
  'CONFLICT',
  'contended',
  'Too many others are changing this at the same moment; try again',
);

/** The hours in which a provider works on a date: those of an exception, else those of its weekday. */
export const hoursOn = ({ exceptions, weekly }: Provider, day: string): readonly Interval[] =>
  exceptions.find(({ from, to }) => from <= day && day <= to)?.intervals ??
  weekly.find((hours) => hours.dayOfWeek === dayOfWeek(day))?.intervals ??
  [];

/** Refuses another time zone while slots lie ahead: their days are those of the zone they were made in. */
export const refuseZone = ({ profile, latestSlotEnd }: Provider, timezone: string, now: Date): Rejection | undefined =>
  timezone !== profile?.timezone && latestSlotEnd !== null && latestSlotEnd > now.toISOString()
    ? reject('CONFLICT', 'zone-in-use', 'The time zone cannot change while slots lie ahead', 'timezone')
    : undefined;

/** Refuses a change that was meant for another version of profile and availability. */
export const refuseStale = (state: Provider, wanted: number | undefined): Rejection | undefined =>
  wanted !== undefined && wanted !== state.version
    ? reject('CONFLICT', 'stale-version', 'Profile or availability was changed meanwhile', 'version')
    : undefined;

/** Whether an account may act as this provider in his calendar. */
export const isProvider = (actor: Context['actor'], providerId: string): boolean =>
  actor.id === providerId && can(actor, 'manage:provider-appointments');
