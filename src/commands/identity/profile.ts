import { z } from 'zod';
import * as accounts from '../../domain/identity/account/index.ts';
import { account, preferencesOf } from '../../domain/identity/account/index.ts';
import { bind, type Outcome, type Run } from '../binding.ts';
import type { Reads } from '../reads.ts';

/** What an account prefers. */
export const PreferencesView = z.object({
  theme: z.enum(['light', 'dark', 'auto']),
  accentColor: z.string(),
  defaultView: z.string(),
  notifications: z.object({ email: z.boolean(), push: z.boolean(), reminder: z.boolean() }),
  language: z.string(),
  timezone: z.string(),
  dateFormat: z.string(),
  timeFormat: z.enum(['12h', '24h']),
});

const ProfileView = z.object({
  userId: z.string(),
  displayName: z.string(),
  photoURL: z.string().nullable(),
  timezone: z.string(),
  preferences: PreferencesView,
  version: z.int(),
});

/** Name and picture as the history tells them, for no state may hold them. */
const profileFacts = async (reads: Reads, accountId: string): Promise<accounts.ProfileFacts> => {
  let profile: accounts.ProfileFacts = { displayName: '', photoURL: null };
  for (const { type, data } of await reads.history(account, accountId)) {
    if (type === 'AccountRegistered') profile = { displayName: data.displayName, photoURL: null };
    if (type === 'ProfileUpdated') {
      const { displayName = profile.displayName, photoURL = profile.photoURL } = data.changed;
      profile = { displayName, photoURL };
    }
  }
  return profile;
};

type Target = { readonly accountId?: string | undefined };
const accountOf = ({ accountId }: Target, actor: { readonly id: string }): string => accountId ?? actor.id;

const change = async <
  Input extends Target & { readonly displayName?: string | undefined; readonly photoURL?: string | null | undefined },
>(
  run: Run<Input, accounts.ProfileFacts>,
): Promise<Outcome> => {
  const { input, actor, reads, judge } = run;
  const userId = accountOf(input, actor);
  const facts = await profileFacts(reads, userId);
  const outcome = await judge(input, facts);
  if (!outcome.ok) return outcome;
  const { state } = await reads.load(account, userId);
  const { displayName = facts.displayName, photoURL = facts.photoURL } = input;
  const { timezone, version } = state;
  return { ...outcome, data: { userId, displayName, photoURL, timezone, preferences: preferencesOf(state), version } };
};

const own = {
  access: 'loggedIn',
  unverified: true,
  apiKey: 'write:own-profile',
  stream: (input: Target, { actor }: { actor: { readonly id: string } }) => accountOf(input, actor),
} as const;

const preferences = {
  schema: PreferencesView,
  of: ({ state }: { state: accounts.Account }) => preferencesOf(state),
};

/** What people say of themselves and how they like the service to be. */
export const profileBindings = [
  bind(accounts.updateProfile, {
    ...own,
    path: 'PATCH /users/me',
    process: change,
    answer: { schema: ProfileView },
    summary: 'Changes fields of the own profile and preferences',
    example: { displayName: 'Ada', preferences: { theme: 'dark' } },
  }),
  bind(accounts.replaceProfile, {
    ...own,
    process: change,
    answer: { schema: ProfileView },
    summary: 'Replaces the own profile',
    example: { displayName: 'Ada', photoURL: 'https://example.org/ada.png', timezone: 'Europe/London' },
  }),
  bind(accounts.updatePreferences, {
    ...own,
    path: 'PATCH /users/me/preferences',
    answer: preferences,
    summary: 'Changes some of the own preferences',
    example: { theme: 'dark' },
  }),
  bind(accounts.replacePreferences, {
    ...own,
    path: 'PUT /users/me/preferences',
    answer: preferences,
    summary: 'Replaces the own preferences; what is not given takes its default',
    example: { theme: 'dark', notifications: false },
  }),
];
