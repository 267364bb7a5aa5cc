import type { Violation } from '../checks/violation.ts';
import { type Attempt, acknowledgementOf, type Entry, type Kind, type Ledger } from '../ledger.ts';
import type { World } from '../world/world.ts';
import { type Person, renew } from './person.ts';
import { type Request, send } from './request.ts';

/** One command that somebody wants done. */
export type Wish = {
  readonly id: string;
  readonly kind: Kind;
  readonly person: Person;
  readonly key: string | undefined;
  readonly asked: Readonly<Record<string, string>>;
  readonly request: Omit<Request, 'token' | 'key'>;
};

/** The round as its clients see it. */
export type Stage = {
  readonly world: World;
  readonly ledger: Ledger;
  readonly round: number;
  /** What went wrong in an answer itself. */
  readonly violations: Violation[];
  /** Told of every acknowledgement, for faults that strike after so many. */
  readonly acknowledged: () => void;
  /** Told of every request that found a process down or got no word from it. */
  readonly failed: () => void;
  /** Waits until a process answers and is ready; how many wait is known to those who bring it back. */
  readonly rest: () => Promise<unknown>;
  /** A client has sent its last command. */
  readonly left: () => void;
  /** Rows may be missing for the moment, because their streams are parked: nobody looks at them. */
  parked: boolean;
};

/**
 * A key is asked about again at most this often: then the service had every chance. Readiness is an answer shared for a second, so for
 * as long repeats may meet a database that has just gone away.
 */
const TRIES = 200;
const UNAUTHORIZED = 401;
const INTERNAL_ERROR = 500;

const attemptOf = async (stage: Stage, wish: Wish, preferred: number): Promise<Attempt> => {
  const { world } = stage;
  const open = world.wanted().filter((node) => node.roles().includes('api'));
  const up = open.filter((node) => node.isAlive());
  // A closed door is an answer too: with no process up, one that is down is asked.
  const node = up[preferred % Math.max(up.length, 1)] ?? open[0] ?? (await world.usable());
  const request = { ...wish.request, token: wish.person.token, key: wish.key };
  const attempt = await send(node.url(), request);
  if (attempt.status !== UNAUTHORIZED) return attempt;
  await renew(world, wish.person);
  return send(node.url(), { ...request, token: wish.person.token });
};

const note = (stage: Stage, entry: Entry, attempt: Attempt): void => {
  entry.attempts.push(attempt);
  const first = entry.attempts.find(({ status }) => status === INTERNAL_ERROR);
  if (attempt === first)
    stage.violations.push({ check: 'answers', what: 'a command was answered with 500', events: [], entry });
  if (attempt.end === 'acknowledged') stage.acknowledged();
  if (attempt.end === 'unknown' || attempt.end === 'notSent') stage.failed();
};

/**
 * Has a command done and writes down all that is heard of it. One with a key is repeated, with the same key, until there
 * is a word on it; one without is sent again only when nothing was sent. `preferred` chooses among several processes.
 */
export const perform = async (stage: Stage, wish: Wish, preferred: number): Promise<Entry> => {
  const { id, kind, key, asked, person } = wish;
  const entry: Entry = { id, round: stage.round, kind, actor: person.id, key, asked, attempts: [] };
  stage.ledger.entries.push(entry);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const attempt = await attemptOf(stage, wish, preferred + tries);
    note(stage, entry, attempt);
    if (attempt.end === 'acknowledged' || attempt.end === 'refused') return entry;
    await stage.rest();
    if (key === undefined && attempt.end === 'unknown') return entry;
  }
  return entry;
};

/** Asks once more about a command that was acknowledged: the answer must be the first one, and say so. */
export const askAgain = async (stage: Stage, wish: Wish, entry: Entry): Promise<void> => {
  if (wish.key === undefined || acknowledgementOf(entry) === undefined) return;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const attempt = await attemptOf(stage, wish, tries);
    if (attempt.end === 'unknown' || attempt.end === 'notSent') await stage.rest();
    else {
      entry.attempts.push(attempt);
      return;
    }
  }
};

const NOT_FOUND = 404;

/** Looks whether a client sees his own appointment as the last answer told it; a query that is behind must say so. */
export const lookAt = async (stage: Stage, person: Person, told: Attempt): Promise<void> => {
  const { world } = stage;
  const { id, slotId, version } = told.data;
  await stage.rest();
  const node = await world.usable();
  const path = `/appointments/${String(id)}`;
  const seen = await send(node.url(), { method: 'GET', path, token: person.token, after: told.token });
  const stale =
    !stage.parked &&
    (seen.status === NOT_FOUND ||
      (seen.end === 'acknowledged' && (seen.data.slotId !== slotId || Number(seen.data.version) < Number(version))));
  if (stale || seen.status === INTERNAL_ERROR)
    stage.violations.push({
      check: 'answers',
      what: `GET ${path} after ${told.token} answered ${seen.status} ${JSON.stringify(seen.data).slice(0, 200)}, the command had told ${JSON.stringify(told.data).slice(0, 200)}`,
      events: [],
    });
};
