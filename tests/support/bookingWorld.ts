import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Test } from 'tap';
import { createAggregates } from '../../src/commands/aggregates.ts';
import type { AnyBinding, Outcome } from '../../src/commands/binding.ts';
import { booking } from '../../src/commands/booking/index.ts';
import { createJudge } from '../../src/commands/lines.ts';
import { createCommands } from '../../src/commands/pipeline.ts';
import { postgresSnapshots } from '../../src/commands/snapshots.ts';
import { deciders } from '../../src/domain/catalogue.ts';
import type { Actor } from '../../src/domain/decider.ts';
import { createCodec } from '../../src/eventstore/codec.ts';
import { isUndecodable } from '../../src/eventstore/event.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import { type EventStore, OutcomeUnknown, type Position, StoreUnavailable } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import type { AnyPolicy, Reaction } from '../../src/policies/policy.ts';
import { noLookups } from './lookups.ts';
import { testDatabase } from './postgres.ts';

const START = '2026-03-02T10:00:00.000Z';
const LATER_MS = 62_000;

/** What a process does to its next appends: nothing, fail before, or store and then fail. */
export type Fault = 'none' | 'before' | 'after';

const system: Actor = { id: 'policy:test', kind: 'system', permissions: ['*:*'], verified: true };
const bindingOf = (name: string): AnyBinding => {
  const binding: AnyBinding | undefined = booking.find(({ command }) => command.name === name);
  if (binding === undefined) throw new Error(`There is no command ${name}`);
  return binding;
};

/** One service process: its own memory, the common log, and a clock and faults that a test sets. */
const startNode = (pool: pg.Pool, log: EventStore, clock: { now: Date }) => {
  const faults: Fault[] = [];
  const store: EventStore = {
    ...log,
    append: async (...args) => {
      const fault = faults.shift() ?? 'none';
      if (fault === 'before') throw new StoreUnavailable('The process died');
      const appended = await log.append(...args);
      if (fault === 'after') throw new OutcomeUnknown('The process died');
      return appended;
    },
  };
  const codec = createCodec(deciders, keyRing(pool, masterKeys('one')));
  const aggregates = createAggregates({ store, codec, snapshots: postgresSnapshots(pool, 'these rules') });
  const commands = createCommands({
    aggregates,
    judge: createJudge({ store, codec, aggregates }),
    hashKey: Buffer.alloc(32, 1),
    lookups: noLookups,
    passwords: { hash: async () => '', verify: async () => false, current: () => true },
    now: () => clock.now,
  });
  const send = (name: string, input: unknown, actor: Actor): Promise<Outcome | undefined> =>
    commands.execute(bindingOf(name), { input, actor, correlationId: randomUUID() }).catch((error: unknown) => {
      if (error instanceof StoreUnavailable || error instanceof OutcomeUnknown) return undefined;
      throw error;
    });
  return { send, faults, codec, reads: commands.reads };
};
export type Node = ReturnType<typeof startNode>;

/** The hours that providers work, and how many clients there are. */
export type Scene = { readonly clients?: number; readonly weekly?: unknown; readonly maxAdvanceDays?: number };

const FIRST_HOURS = [1, 2, 3].map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start: '09:00', end: '10:00' }] }));

/**
 * Two providers and some clients, served by two processes that share a real log, on a clock that a test sets. Every call
 * of what comes back is a world of its own in the same log.
 */
export const bookingWorld = async (t: Test) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const pool = new pg.Pool({ connectionString, options: '-c search_path=convene' });
  const log = postgresEventStore({ connectionString });
  t.teardown(async () => {
    await log.close();
    await pool.end();
  });

  return async ({ clients: count = 3, weekly = FIRST_HOURS, maxAdvanceDays = 90 }: Scene = {}) => {
    const clock = { now: new Date(START) };
    const nodes = [startNode(pool, log, clock), startNode(pool, log, clock)] as const;
    /** Two of them with the same hours, so that a client's appointments could overlap. */
    const doctors = Array.from(
      { length: 2 },
      (): Actor => ({
        id: randomUUID(),
        kind: 'user',
        permissions: ['manage:availability', 'manage:provider-appointments'],
        verified: true,
      }),
    );
    const [doctor = system] = doctors;
    const providerId = doctor.id;
    const clients = Array.from(
      { length: count },
      (): Actor => ({
        id: randomUUID(),
        kind: 'user',
        permissions: ['book:appointments'],
        verified: true,
      }),
    );
    const from = await log.head();

    const [first] = nodes;
    const registered = {
      email: 'p@example.org',
      emailHash: '',
      displayName: 'P',
      timezone: 'UTC',
      language: 'en',
      plan: 'free',
      createdFrom: 'api',
      method: 'password',
    };
    const metadata = {
      commandId: randomUUID(),
      command: 'RegisterAccount',
      correlationId: randomUUID(),
      actor: { id: 'test', kind: 'system' as const },
    };
    for (const one of doctors) {
      const data = { ...registered, accountId: one.id };
      const account = await first.codec.encode([{ id: randomUUID(), type: 'AccountRegistered', data }], metadata);
      await log.append(`account-${one.id}`, 'noStream', account);
      await first.send('CreateProviderProfile', { accountId: one.id, displayName: 'P' }, system);
      await first.send('SetAvailability', { weekly, maxAdvanceDays }, one);
    }

    /** Lets time pass and the policies do what is due by then, as often as they find something to do. */
    const settle = async (policies: readonly AnyPolicy[]): Promise<void> => {
      const node = startNode(pool, log, clock);
      let after: Position = from;
      for (;;) {
        const { events, position } = await log.readAll(after, { limit: 10_000 });
        if (events.length === 0) return;
        after = position;
        clock.now = new Date(clock.now.getTime() + LATER_MS);
        for (const event of await node.codec.decode(events)) {
          if (isUndecodable(event)) throw event.error;
          for (const { on } of policies) {
            const reactions: readonly Reaction[] = on[event.type]?.(event as never) ?? [];
            for (const reaction of reactions)
              if (reaction.kind === 'command') await node.send(reaction.command, reaction.input, system);
          }
        }
      }
    };

    return {
      nodes,
      clock,
      providerId,
      doctor,
      doctors,
      clients,
      settle,
      fresh: () => startNode(pool, log, clock),
    };
  };
};
