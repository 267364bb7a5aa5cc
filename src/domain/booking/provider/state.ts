import type { z } from 'zod';
import { type Context, can, commandsOf, decider, type Rejection, reject } from '../../decider.ts';
import type { Hours } from '../grid.ts';
import { events, type ProviderEvent } from './events.ts';

type Started = z.output<typeof events.SlotGenerationStarted>;
type Completed = z.output<typeof events.SlotGenerationCompleted>;

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
/** Completed generations whose result a repeated call is still told. */
const REMEMBERED_GENERATIONS = 20;

const later = (a: string | null, b: string | null): string | null => (a === null || (b !== null && b > a) ? b : a);

/** Every generation under way, for somebody has to finish it, and the latest completed ones. */
const remembered = (generations: Provider['generations']): Provider['generations'] => {
  const completed = generations.filter(({ result }) => result !== undefined);
  const forgotten = new Set(completed.slice(0, -REMEMBERED_GENERATIONS));
  return generations.filter((generation) => !forgotten.has(generation));
};

export const provider = decider<Provider, ProviderEvent>({
  category: 'provider',
  events,
  initial: {
    weekly: [],
    minNoticeMinutes: DEFAULT_NOTICE_MINUTES,
    maxAdvanceDays: DEFAULT_ADVANCE_DAYS,
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
        const profile = state.profile && { ...state.profile, timezone };
        const next = { ...state, version: state.version + 1, weekly, minNoticeMinutes, maxAdvanceDays };
        return profile === undefined ? next : { ...next, profile };
      }
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
