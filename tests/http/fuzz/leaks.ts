import type { Reply, Sent } from './wire.ts';

/** Who takes part. The victim alone sends nothing once the attack has begun. */
export const CALLERS = [
  'nobody',
  'unverified',
  'stranger',
  'provider',
  'otherProvider',
  'mate',
  'auditor',
  'operator',
  'admin',
] as const;
export type CallerName = (typeof CALLERS)[number];

/** What the victim has that others might be shown, in groups that somebody may see together. */
export const GROUPS = [
  'identity',
  'name',
  'booking',
  'bookingIds',
  'session',
  'sessionIds',
  'roomName',
  'reason',
  'accountId',
  'loginSessionId',
  'card',
  'secret',
] as const;
export type Group = (typeof GROUPS)[number];

/**
 * Who is entitled to see what of the victim. Everything that is not listed is a leak.
 * - provider: the victim has appointments with him, so he knows client, notes and address.
 * - mate: sits in the victim's estimation session; sees all of it but the cards before their reveal.
 * - auditor: the trail by ids with the names of those who acted; personal fields are masked.
 * - operator: reads the outbox, so every mail with the address, name and links in it, and what it says of appointments.
 * - admin: everything but secrets, and cards before their reveal.
 * The card of an open round and what logs in are for nobody.
 */
export const entitled: Readonly<Record<CallerName, readonly Group[]>> = {
  nobody: [],
  unverified: [],
  stranger: [],
  provider: ['identity', 'name', 'accountId', 'booking', 'bookingIds'],
  otherProvider: [],
  mate: ['name', 'roomName', 'accountId', 'session', 'sessionIds'],
  auditor: ['name', 'accountId', 'bookingIds', 'sessionIds', 'loginSessionId'],
  operator: ['identity', 'name'],
  admin: [
    'identity',
    'name',
    'booking',
    'bookingIds',
    'session',
    'sessionIds',
    'roomName',
    'reason',
    'accountId',
    'loginSessionId',
  ],
};

/** What a right shows on its own pages alone: who may read roles reads their holders, with addresses and reasons. */
const entitledAt: readonly (readonly [caller: CallerName, path: RegExp, groups: readonly Group[]])[] = [
  ['auditor', /^\/api\/v1\/rbac\/(?:roles|users)\//, ['identity', 'reason']],
  ['operator', /^\/api\/v1\/ops\/outbox/, ['booking', 'bookingIds']],
];

/** A value of the victim's that occurs nowhere else. */
export type Canary = {
  readonly group: Group;
  readonly value: string;
  /** An id: it may come back to whoever sent it, and it may stand in the log. */
  readonly id?: true;
};

/** The cards of a deck are told to everyone at the table; which one was played is not. */
const withoutDeck = (text: string): string => text.replaceAll(/"customDeck":\[[^\]]*\]/g, '');

const textOf = ({ path, headers, body }: Sent): string => {
  const address = (() => {
    try {
      return decodeURIComponent(path);
    } catch {
      return path;
    }
  })();
  return [path, address, ...headers.map(([, value]) => value), body?.toString('utf8') ?? ''].join('\n').toLowerCase();
};

export type Leaks = {
  readonly add: (group: Group, value: string, id?: true) => void;
  /** From now on the caller may see it: a command made it so. */
  readonly entitle: (caller: string, groups: readonly Group[]) => void;
  /** The canary that an answer shows to somebody who may not see it. */
  readonly in: (sent: Sent, reply: Reply) => string | undefined;
  /** Canaries, ids excepted, that stand in a text that is for nobody. */
  readonly inText: (text: string) => readonly string[];
  readonly count: () => number;
  /** What callers were shown because they are entitled to it: the search finds what is there. */
  readonly shown: () => Readonly<Record<string, readonly Group[]>>;
};

export const createLeaks = (): Leaks => {
  const canaries: Canary[] = [];
  const more = new Map<string, Set<Group>>();
  const shown = new Map<string, Set<Group>>();
  const maySee = ({ as, path }: Sent, group: Group): boolean =>
    (entitled[as as CallerName] ?? []).includes(group) ||
    entitledAt.some(([caller, pattern, groups]) => caller === as && pattern.test(path) && groups.includes(group)) ||
    more.get(as)?.has(group) === true;
  return {
    add: (group, value, id) => {
      canaries.push({ group, value: value.toLowerCase(), ...(id ? { id } : {}) });
    },
    entitle: (caller, groups) => {
      more.set(caller, new Set([...(more.get(caller) ?? []), ...groups]));
    },
    in: (sent, { text, headers }) => {
      const answer = `${withoutDeck(text)}\n${JSON.stringify(headers)}`.toLowerCase();
      const said = textOf(sent);
      const there = canaries.filter(({ value }) => answer.includes(value) && !said.includes(value));
      const leak = there.find(({ group }) => !maySee(sent, group));
      if (leak === undefined)
        shown.set(sent.as, new Set([...(shown.get(sent.as) ?? []), ...there.map(({ group }) => group)]));
      return leak === undefined ? undefined : `shows ${sent.as} the victim's ${leak.group}: ${leak.value}`;
    },
    inText: (text) => {
      const plain = text.toLowerCase();
      return canaries
        .filter(({ id, value }) => id !== true && plain.includes(value))
        .map(({ group, value }) => `${group}: ${value}`);
    },
    count: () => canaries.length,
    shown: () => Object.fromEntries([...shown].map(([caller, groups]) => [caller, [...groups].sort()])),
  };
};
