import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Actor } from '../../../../../src/domain/decider.ts';
import type { Preferences } from '../../../../../src/domain/identity/account/events.ts';
import {
  replacePreferences,
  replaceProfile,
  updatePreferences,
  updateProfile,
} from '../../../../../src/domain/identity/account/index.ts';
import { accountId, ada, eve, isThere, newWorld, on, root, support, unproved, type World } from './world.ts';

const anybody = fc.oneof(
  { weight: 4, arbitrary: fc.constant(ada) },
  { weight: 3, arbitrary: fc.constantFrom(root, support, eve, unproved) },
);
/** How far the version that the change is meant for lies back, if it is told. */
const behind = fc.constantFrom(undefined, undefined, undefined, 0, 1);
const photoURL = fc.constantFrom(null, 'https://example.org/ada.png');
const timezone = fc.constantFrom('UTC', 'Europe/Berlin');
const name = fc.constantFrom('Ada', 'Ada L.');

const wishes = fc.record(
  {
    theme: fc.constantFrom('light' as const, 'dark' as const, 'auto' as const),
    notifications: fc.oneof(
      fc.boolean(),
      fc.record({ email: fc.boolean(), push: fc.boolean(), reminder: fc.boolean() }, { requiredKeys: [] }),
    ),
    language: fc.constantFrom('en', 'de'),
    timezone,
    timeFormat: fc.constantFrom('12h' as const, '24h' as const),
  },
  { requiredKeys: [] },
);
type Wishes = typeof wishes extends fc.Arbitrary<infer Drawn> ? Drawn : never;

/** What is preferred in all: language and time zone are those of the account. */
export const preferred = ({ preferences, language, timezone }: World): Preferences => ({
  ...preferences,
  language,
  timezone,
});
const switched = (wish: Wishes['notifications'], before: Preferences['notifications']): Preferences['notifications'] =>
  typeof wish === 'boolean' ? { email: wish, push: wish, reminder: wish } : { ...before, ...wish };

/** Fulfils the wishes on the ground of what is preferred, or of what one begins with. */
const prefer = (world: World, wishes: Wishes, from: World['preferences']) => {
  const before = preferred(world);
  const { language = world.language, timezone = world.timezone, notifications, ...rest } = wishes;
  const preferences = { ...from, ...rest, notifications: switched(notifications, from.notifications) };
  if (isDeepStrictEqual({ ...preferences, language, timezone }, before)) return [];
  Object.assign(world, { preferences, language, timezone });
  return [{ type: 'PreferencesUpdated', data: { accountId, preferences: preferred(world) } }];
};

type Fields = Partial<Pick<World, 'displayName' | 'photoURL' | 'timezone'>>;
/** Sets the fields that differ. */
const change = (world: World, fields: Fields) => {
  const changed = Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => value !== undefined && world[name as keyof Fields] !== value),
  );
  Object.assign(world, changed);
  return Object.keys(changed).length === 0 ? [] : [{ type: 'ProfileUpdated', data: { accountId, changed } }];
};

type Asked = { readonly by: Actor; readonly behind: number | undefined };
const refusal = ({ by, behind }: Asked, world: World, others: readonly Actor[]): string | undefined => {
  if (by !== ada && !others.includes(by)) return 'permission-missing';
  if (!isThere(world)) return 'account-unknown';
  return behind === undefined || behind === 0 ? undefined : 'stale-version';
};
const whose = ({ by, behind }: Asked, { events }: World) => ({
  ...(by === ada ? {} : { accountId }),
  ...(behind === undefined ? {} : { version: Math.max(0, events - 1 - behind) }),
});
const asked = { by: anybody, behind };
/** A version that cannot be told, because nothing or too little has happened yet. */
const unspeakable = ({ behind }: Asked, { events }: World): boolean => behind !== undefined && events - 1 - behind < 0;

/** Profile and preferences: by the holder, or by those who may; PATCH merges, PUT replaces. */
export const profile = {
  'change the profile': on(
    fc.record({
      ...asked,
      fields: fc.record({ displayName: name, photoURL, timezone, preferences: wishes }, { requiredKeys: [] }),
    }),
    ({ fields, ...drawn }, world) => {
      if (unspeakable(drawn, world)) return undefined;
      return {
        command: updateProfile,
        input: { ...fields, ...whose(drawn, world) },
        actor: drawn.by,
        facts: { displayName: world.displayName, photoURL: world.photoURL },
        expect: () => {
          const refused = refusal(drawn, world, [root, support]);
          if (refused !== undefined) return refused;
          const { preferences: wished, ...own } = fields;
          const changed = change(world, own);
          return wished === undefined ? changed : [...changed, ...prefer(world, wished, world.preferences)];
        },
      };
    },
    2,
  ),
  'replace the profile': on(
    fc.record({
      ...asked,
      displayName: name,
      rest: fc.record({ photoURL, timezone }, { requiredKeys: [] }),
    }),
    ({ displayName, rest, ...drawn }, world) => {
      if (unspeakable(drawn, world)) return undefined;
      return {
        command: replaceProfile,
        input: { displayName, ...rest, ...whose(drawn, world) },
        actor: drawn.by,
        facts: { displayName: world.displayName, photoURL: world.photoURL },
        expect: () =>
          refusal(drawn, world, [root, support]) ??
          change(world, { displayName, photoURL: null, timezone: 'UTC', ...rest }),
      };
    },
  ),
  'change the preferences': on(fc.record({ ...asked, wishes }), ({ wishes, ...drawn }, world) => {
    if (unspeakable(drawn, world)) return undefined;
    return {
      command: updatePreferences,
      input: { ...wishes, ...whose(drawn, world) },
      actor: drawn.by,
      expect: () => refusal(drawn, world, [root]) ?? prefer(world, wishes, world.preferences),
    };
  }),
  'replace the preferences': on(fc.record({ ...asked, wishes }), ({ wishes, ...drawn }, world) => {
    if (unspeakable(drawn, world)) return undefined;
    return {
      command: replacePreferences,
      input: { ...wishes, ...whose(drawn, world) },
      actor: drawn.by,
      expect: () => refusal(drawn, world, [root]) ?? prefer(world, wishes, newWorld().preferences),
    };
  }),
};
