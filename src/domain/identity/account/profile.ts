import { z } from 'zod';
import { type Actor, type Rejection, reject } from '../../decider.ts';
import { httpsUrl, language, line, timeZone, uuid, version } from '../../fields.ts';
import type { AccountEvent, Preferences } from './events.ts';
import { accountUnknown, refuseForeign } from './refusals.ts';
import { type Account, command } from './state.ts';

const color = z
  .string()
  .trim()
  .regex(/^#[0-9A-Fa-f]{6}$/, 'Must be a colour such as #1D4ED8');
const switches = z.object({
  email: z.boolean().optional(),
  push: z.boolean().optional(),
  reminder: z.boolean().optional(),
});

const preferences = {
  theme: z.enum(['light', 'dark', 'auto']).optional(),
  accentColor: color.optional(),
  defaultView: line(1, 30).optional(),
  notifications: z
    .union([z.boolean(), switches], { error: 'Must be true, false, or an object of email, push and reminder' })
    .optional()
    .describe('One value for all three switches, or some of them'),
  language: language.optional(),
  timezone: timeZone.optional(),
  dateFormat: line(1, 20).optional(),
  timeFormat: z.enum(['12h', '24h']).optional(),
};
const Some = z.object(preferences);
type SomePreferences = z.output<typeof Some>;

type Place = Pick<Account, 'language' | 'timezone' | 'preferences'>;

/** What an account prefers that has never said so. Language and time zone are those of the account. */
const defaultsOf = ({ language, timezone }: Place): Preferences => ({
  theme: 'auto',
  accentColor: '#1D4ED8',
  defaultView: 'week',
  notifications: { email: true, push: true, reminder: true },
  language,
  timezone,
  dateFormat: 'YYYY-MM-DD',
  timeFormat: '24h',
});

/** What an account prefers, with the defaults filled in. */
export const preferencesOf = (of: Place): Preferences => ({
  ...(of.preferences ?? defaultsOf(of)),
  language: of.language,
  timezone: of.timezone,
});

const defined = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

const merged = (before: Preferences, { notifications, ...rest }: SomePreferences): Preferences => {
  const all = typeof notifications === 'boolean' ? notifications : undefined;
  const some = typeof notifications === 'object' ? defined(notifications) : {};
  return {
    ...before,
    ...defined(rest),
    notifications: all === undefined ? { ...before.notifications, ...some } : { email: all, push: all, reminder: all },
  };
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const preferencesAfter = (state: Account, accountId: string, after: Preferences): readonly AccountEvent[] =>
  same(after, preferencesOf(state)) ? [] : [{ type: 'PreferencesUpdated', data: { accountId, preferences: after } }];

const refuse = (
  accountId: string,
  { status }: Account,
  actor: Pick<Actor, 'id' | 'permissions' | 'verified'>,
  others: string,
): Rejection | undefined =>
  refuseForeign(accountId, actor, others) ??
  (status === 'active' || status === 'deactivated' ? undefined : accountUnknown());

const refuseStale = (state: Account, wanted: number | undefined): Rejection | undefined =>
  wanted === undefined || wanted === state.version
    ? undefined
    : reject('CONFLICT', 'stale-version', 'The account was changed meanwhile', 'version');

/** The fields of a profile that no state may hold, as the history tells them. */
export type ProfileFacts = { readonly displayName: string; readonly photoURL: string | null };

type Changed = Extract<AccountEvent, { type: 'ProfileUpdated' }>['data']['changed'];
type ProfileContext = { readonly actor: Actor; readonly facts: ProfileFacts };

const profileAfter = (
  state: Account,
  accountId: string,
  wanted: Changed,
  facts: ProfileFacts,
): readonly AccountEvent[] => {
  const before: Required<Changed> = { ...facts, timezone: state.timezone };
  const changed: Changed = Object.fromEntries(
    Object.entries(defined(wanted)).filter(([name, value]) => before[name as keyof Changed] !== value),
  );
  return Object.keys(changed).length === 0 ? [] : [{ type: 'ProfileUpdated', data: { accountId, changed } }];
};

const whose = { accountId: uuid.optional().describe('The own account when omitted') };
const meantFor = { version: version.optional().describe('Of the account that the change is meant for') };
const photoURL = httpsUrl.nullable();

/** Changes the fields given of a profile, and of the preferences; the others stay. */
export const updateProfile = command(
  'UpdateProfile',
  z.object({
    ...whose,
    displayName: line(1, 100).optional(),
    photoURL: photoURL.optional(),
    timezone: timeZone.optional(),
    preferences: Some.optional(),
    ...meantFor,
  }),
  ({ accountId: named, version: wanted, preferences: some, ...input }, state, { actor, facts }: ProfileContext) => {
    const accountId = named ?? actor.id;
    const refusal = refuse(accountId, state, actor, 'write:users') ?? refuseStale(state, wanted);
    if (refusal !== undefined) return refusal;
    const profile = profileAfter(state, accountId, input as Changed, facts);
    if (some === undefined) return profile;
    const timezone = input.timezone ?? state.timezone;
    return [
      ...profile,
      ...preferencesAfter({ ...state, timezone }, accountId, merged(preferencesOf({ ...state, timezone }), some)),
    ];
  },
);

/** Replaces a profile: what is not given is as it was on the first day. */
export const replaceProfile = command(
  'ReplaceProfile',
  z.object({
    ...whose,
    displayName: line(1, 100),
    photoURL: photoURL.default(null),
    timezone: timeZone.default('UTC'),
    ...meantFor,
  }),
  ({ accountId: named, version: wanted, ...input }, state, { actor, facts }: ProfileContext) => {
    const accountId = named ?? actor.id;
    return (
      refuse(accountId, state, actor, 'write:users') ??
      refuseStale(state, wanted) ??
      profileAfter(state, accountId, input, facts)
    );
  },
);

/** Changes the preferences given; the others stay. */
export const updatePreferences = command(
  'UpdatePreferences',
  z.object({ ...whose, ...preferences, ...meantFor }),
  ({ accountId: named, version: wanted, ...some }, state, { actor }) => {
    const accountId = named ?? actor.id;
    return (
      refuse(accountId, state, actor, '*:*') ??
      refuseStale(state, wanted) ??
      preferencesAfter(state, accountId, merged(preferencesOf(state), some))
    );
  },
);

/** Replaces the preferences: what is not given takes its default; language and time zone stay. */
export const replacePreferences = command(
  'ReplacePreferences',
  z.object({ ...whose, ...preferences, ...meantFor }),
  ({ accountId: named, version: wanted, ...some }, state, { actor }) => {
    const accountId = named ?? actor.id;
    return (
      refuse(accountId, state, actor, '*:*') ??
      refuseStale(state, wanted) ??
      preferencesAfter(state, accountId, merged(defaultsOf(state), some))
    );
  },
);
