import { z } from 'zod';
import { type Context, can, reject } from '../../decider.ts';
import { currency, httpsUrl, line, lines, timeZone, uuid, version } from '../../fields.ts';
import type { ProviderEvent } from './events.ts';
import { command, DEFAULT_TIME_ZONE, NO_PROFILE, refuseStale, refuseZone } from './state.ts';

/** The highest price in the smallest unit of its currency: what read models hold, with room to spare. */
const MOST_CENTS = 1_000_000_000;

const profileFields = {
  displayName: line(1, 100),
  bio: lines(0, 1000).nullish(),
  meetingLink: httpsUrl.nullish(),
  location: line(0, 200).nullish(),
  priceCents: z.int().min(0).max(MOST_CENTS, 'At most 1,000,000,000').nullish(),
  currency: currency.nullish(),
};

type Presentation = z.output<z.ZodObject<typeof profileFields>>;
/** How a provider presents himself, as an input says it: what is left out is empty. */
export const presented = (providerId: string, fields: Presentation) => ({
  providerId,
  displayName: fields.displayName,
  bio: fields.bio || null,
  meetingLink: fields.meetingLink ?? null,
  location: fields.location || null,
  priceCents: fields.priceCents ?? null,
  currency: fields.currency ?? null,
});

/** What creating a profile must know of the account. */
export type AccountFacts = { readonly accountExists: boolean };

/** Makes an account a provider of appointments: one profile per account, active at once, without working hours yet. */
export const createProviderProfile = command(
  'CreateProviderProfile',
  z.object({ accountId: uuid, ...profileFields, timezone: timeZone.default(DEFAULT_TIME_ZONE) }),
  (input, { profile }, { facts }: Context<AccountFacts>) => {
    if (!facts.accountExists) return reject('NOT_FOUND', 'account-unknown', 'No such account', 'accountId');
    if (profile !== undefined)
      return reject('CONFLICT', 'profile-exists', 'The account has a provider profile already');
    const { accountId, timezone } = input;
    const data = { ...presented(accountId, input), accountId, timezone };
    return [{ type: 'ProviderProfileCreated', data }];
  },
);

/** The fields of a profile that its provider edits. */
export type ProfileFields = Omit<
  Extract<ProviderEvent, { type: 'ProviderProfileUpdated' }>['data'],
  'accountId' | 'timezone'
>;
/** The profile as its history tells it, for no state may hold names, and the version at which it was read. */
export type ProfileFacts = { readonly fields: ProfileFields | undefined; readonly version: number };

/**
 * Replaces the profile, and opens or closes the calendar: a provider who is not active keeps his slots and appointments,
 * but nobody sees or books what is free. The time zone stays as it is when none is given, and while slots lie ahead.
 */
export const updateProviderProfile = command(
  'UpdateProviderProfile',
  z.object({
    providerId: uuid.optional().describe('Whose profile; the own one when left out'),
    ...profileFields,
    timezone: timeZone.optional(),
    active: z.boolean().optional(),
    version: version.optional().describe('Of the profile that the change is meant for'),
  }),
  (input, state, { actor, now, facts }: Context<ProfileFacts>) => {
    const providerId = input.providerId ?? actor.id;
    if (providerId !== actor.id && !can(actor, '*:*'))
      return reject('FORBIDDEN', 'not-own-profile', 'Only administrators change the profile of another account');
    const { profile } = state;
    if (profile === undefined)
      return input.providerId === undefined ? NO_PROFILE : reject('NOT_FOUND', 'provider-unknown', 'No such provider');
    const timezone = input.timezone ?? profile.timezone;
    const refusal = refuseStale(state, input.version) ?? refuseZone(state, timezone, now);
    if (refusal !== undefined) return refusal;
    const fields = presented(providerId, input);
    const same =
      timezone === profile.timezone &&
      facts.version === state.version &&
      Object.entries(fields).every(([name, value]) => facts.fields?.[name as keyof ProfileFields] === value);
    const updated: ProviderEvent = {
      type: 'ProviderProfileUpdated',
      data: { ...fields, accountId: providerId, timezone },
    };
    const active = input.active ?? profile.active;
    const switched: ProviderEvent = {
      type: active ? 'ProviderActivated' : 'ProviderDeactivated',
      data: { providerId },
    };
    return [...(same ? [] : [updated]), ...(active === profile.active ? [] : [switched])];
  },
);

/**
 * Closes the calendar of a provider whose account is closed; nothing once it is open again. The appointments with him are cancelled each in its own
 * stream.
 */
export const closeProvider = command(
  'CloseProvider',
  z.object({ accountId: uuid }),
  ({ accountId }, { profile }, { facts: { isOpen } }: Context<{ readonly isOpen: boolean }>) =>
    profile?.active && !isOpen ? [{ type: 'ProviderDeactivated', data: { providerId: accountId } }] : [],
);
