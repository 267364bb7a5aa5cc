import { z } from 'zod';
import { commandsOf, decider, type EventOf, pii } from '../decider.ts';
import { DAY_MS, MINUTE_MS } from '../durations.ts';
import { instant, line, uuid } from '../fields.ts';

/** What looks like an attack. */
export const PATTERNS = ['refresh_reuse', 'password_spray', 'new_device', 'many_lockouts', 'access_probing'] as const;
export type Pattern = (typeof PATTERNS)[number];

const Evidence = z.record(z.string(), z.union([z.string(), z.int()]));

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  SuspiciousActivityDetected: z.object({
    accountId: z.string().optional().describe('Whom it concerns; absent when it concerns many'),
    pattern: z.enum(PATTERNS),
    ip: pii('ipKey', z.string().nullable()),
    ipKey: z.string().describe('Under whose key the address lies: the account, or the month where it concerns many'),
    evidence: Evidence.describe('Ids and numbers, nothing personal'),
    at: z.string(),
  }),
};
export type SuspicionEvent = EventOf<typeof events>;

/**
 * One suspicion: a pattern, whom or what it is about, and a clock hour (UTC), which all go into the stream's id. So none
 * is told twice, however often it is found.
 */
export const suspicion = decider<{ readonly detected: boolean }, SuspicionEvent>({
  category: 'suspicion',
  events,
  initial: { detected: false },
  evolve: (_state, { type }) => {
    switch (type) {
      case 'SuspiciousActivityDetected':
        return { detected: true };
    }
  },
});

/** Something that is suspicious when it comes in numbers: when, about what, and how often. */
export type Sign = { readonly at: string; readonly about: string; readonly count: number };

/** How many signs, about how many things, within how many milliseconds make a pattern. */
const CROWDS = {
  password_spray: { times: 10, things: 3, within: 15 * MINUTE_MS },
  access_probing: { times: 20, things: 1, within: 10 * MINUTE_MS },
  many_lockouts: { times: 3, things: 1, within: DAY_MS },
} as const satisfies Readonly<Partial<Record<Pattern, { times: number; things: number; within: number }>>>;

/** A pattern that takes many signs; of the others one is enough. */
export type CrowdPattern = keyof typeof CROWDS;

/** Whether the pattern takes many signs. */
export const isCrowd = (pattern: Pattern): pattern is CrowdPattern => Object.hasOwn(CROWDS, pattern);

/** Milliseconds by which those who look at the signs may be late. */
const LATE = 5 * MINUTE_MS;

/** Milliseconds after which a sign of the pattern is of no interest any more. */
export const signsKept = (pattern: CrowdPattern): number => CROWDS[pattern].within + LATE;

type Found = z.output<typeof Evidence>;

/** The evidence in the signs up to an instant; undefined when they are too few. Patterns of one sign need no others. */
const evidenceIn = (pattern: Pattern, at: string, signs: readonly Sign[]): Found | undefined => {
  if (!isCrowd(pattern)) return {};
  const crowd = CROWDS[pattern];
  const since = new Date(Date.parse(at) - crowd.within).toISOString();
  const counting = signs.filter((sign) => sign.at > since && sign.at <= at);
  const times = counting.reduce((sum, { count }) => sum + count, 0);
  const things = new Set(counting.map(({ about }) => about)).size;
  return times < crowd.times || things < crowd.things ? undefined : { times, things };
};

/** What FlagSuspiciousActivity must know beside its input. */
export type SuspicionFacts = { readonly signs: readonly Sign[] };

/** Tells a suspicion, once. Where it takes many signs and there are too few, nothing is told. */
export const flagSuspiciousActivity = commandsOf(suspicion)(
  'FlagSuspiciousActivity',
  z.object({
    pattern: z.enum(PATTERNS),
    accountId: uuid.optional(),
    ip: line(0, 100).nullable(),
    at: instant,
    evidence: Evidence.default({}),
  }),
  ({ pattern, accountId, ip, at, evidence }, { detected }, { facts }: { facts: SuspicionFacts }) => {
    const found = detected ? undefined : evidenceIn(pattern, at, facts.signs);
    if (found === undefined) return [];
    const ipKey = accountId ?? `month:${at.slice(0, 7)}`;
    const data = { pattern, ip, ipKey, evidence: { ...evidence, ...found }, at };
    return [{ type: 'SuspiciousActivityDetected', data: accountId === undefined ? data : { ...data, accountId } }];
  },
);
