import type pg from 'pg';
import { deciders } from '../../../src/domain/catalogue.ts';
import type { Codec } from '../../../src/eventstore/codec.ts';
import type { FeedEvent } from '../../../src/eventstore/feed.ts';
import type { EventStore, StoredEvent } from '../../../src/eventstore/port.ts';
import { projections } from '../../../src/projections/index.ts';
import type { AnyProjection } from '../../../src/projections/projection.ts';
import { verify } from '../../../src/projections/verify.ts';
import type { Booked } from './booking.ts';
import type { Violation } from './violation.ts';
import type { Revealed } from './votes.ts';

const CHECK = 'read models';
const PAGE = 10_000;

const complain = (what: string): Violation => ({ check: CHECK, what, events: [] });

/** A log and codec that read and open every event once, however many read models are rebuilt from them. */
const readOnce = async (store: EventStore, codec: Codec) => {
  const pages = new Map<bigint, Promise<Awaited<ReturnType<EventStore['readAll']>>>>();
  const opened = new WeakMap<readonly StoredEvent[], Promise<readonly FeedEvent[]>>();
  return {
    store: {
      readAll: (after: bigint) => {
        const known = pages.get(after) ?? store.readAll(after, { limit: PAGE });
        pages.set(after, known);
        return known;
      },
    },
    decode: (events: readonly StoredEvent[]) => {
      const known = opened.get(events) ?? codec.decode(events);
      opened.set(events, known);
      return known;
    },
  };
};

/** Builds every read model anew from the log and compares it row by row with the one that queries read. */
export const rebuildViolations = async (options: {
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly codec: Codec;
}): Promise<{ readonly violations: Violation[]; readonly rows: number; readonly tables: number }> => {
  const { pool, store, codec } = options;
  const once = await readOnce(store, codec);
  const violations: Violation[] = [];
  let rows = 0;
  for (const projection of projections as readonly AnyProjection[]) {
    const { name } = projection;
    const verification = await verify(projection, { pool, ...once, aggregates: deciders });
    rows += verification.rows;
    if (verification.parked > 0) violations.push(complain(`${name}: ${verification.parked} streams are still parked`));
    if (verification.differing > 0)
      violations.push(
        complain(
          `${name}: ${verification.differing} rows differ from a fresh rebuild at ${verification.position}: ${verification.differences
            .map(({ key, problem, columns }) => `${key} ${problem} ${columns.join(',')}`)
            .join('; ')}`,
        ),
      );
  }
  return { violations, rows, tables: projections.length };
};

/**
 * Compares the tables of appointments, slots, revealed rounds and administrators with what the checks folded out of the
 * log themselves, without the service's own folds.
 */
export const tableViolations = async (
  pool: Pick<pg.Pool, 'query'>,
  expected: {
    readonly appointments: ReadonlyMap<string, Booked>;
    readonly revealed: readonly Revealed[];
    readonly administrators: ReadonlySet<string>;
    readonly adminRoleId: string;
  },
): Promise<Violation[]> => {
  const { appointments, revealed, administrators, adminRoleId } = expected;
  const violations: Violation[] = [];
  const say = (what: string): void => {
    violations.push(complain(what));
  };

  const listed = await pool.query<{ id: string; client: string; slot: string; status: string; version: number }>(
    `select appointment_id as id, client_id as client, slot_id as slot, status, version from read.appointments`,
  );
  const seen = new Set<string>();
  for (const { id, client, slot, status, version } of listed.rows) {
    const booked = appointments.get(id);
    if (booked === undefined || seen.has(id)) say(`appointments: ${id} is listed without a booking, or twice`);
    else if (
      booked.clientId !== client ||
      booked.slotId !== slot ||
      booked.status !== status ||
      booked.version !== version
    )
      say(
        `appointments: ${id} is listed as ${status} ${version} at ${slot}, the log says ${booked.status} ${booked.version} at ${booked.slotId}`,
      );
    seen.add(id);
  }
  for (const id of appointments.keys()) if (!seen.has(id)) say(`appointments: ${id} is missing`);

  const taken = await pool.query<{ slot: string; appointment: string }>(
    `select slot_id as slot, appointment_id as appointment from read.time_slots where appointment_id is not null`,
  );
  const holders = new Map(taken.rows.map(({ slot, appointment }) => [slot, appointment]));
  for (const [id, { status, slotId }] of appointments)
    if (status === 'SCHEDULED' && holders.get(slotId) !== id)
      say(`time_slots: ${slotId} is shown as taken by ${holders.get(slotId) ?? 'nobody'}, the log says ${id}`);

  const stories = await pool.query<{
    story: string;
    rounds: { round: number; votes: { participantId?: string; value: string }[] }[];
  }>(`select story_id as story, rounds from read.estimation_stories`);
  const rounds = new Map(
    stories.rows.flatMap(({ story, rounds: shown }) => shown.map(({ round, votes }) => [`${story} ${round}`, votes])),
  );
  if (rounds.size !== revealed.length)
    say(`estimation_stories: ${rounds.size} rounds shown, ${revealed.length} in the log`);
  for (const { storyId, round, cards } of revealed) {
    const shown = rounds.get(`${storyId} ${round}`) ?? [];
    if (
      shown.length !== cards.size ||
      !shown.every(({ participantId = '', value }) => cards.get(participantId) === value)
    )
      say(`estimation_stories: round ${round} of ${storyId} shows ${shown.length} votes, the log has ${cards.size}`);
  }

  const admins = await pool.query<{ account: string }>(
    `select account_id as account from read.role_assignments where role_id = $1 and expires_at is null`,
    [adminRoleId],
  );
  const shownAdmins = new Set(admins.rows.map(({ account }) => account));
  if (shownAdmins.size === 0) say('role_assignments: nobody is shown as administrator');
  if (shownAdmins.symmetricDifference(administrators).size > 0)
    say(`role_assignments: ${shownAdmins.size} administrators shown, ${administrators.size} in the log`);
  return violations;
};
