import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import t, { type Test } from 'tap';
import { createAggregates } from '../../src/commands/aggregates.ts';
import type { AnyBinding, Outcome } from '../../src/commands/binding.ts';
import { booking } from '../../src/commands/booking.ts';
import { createJudge } from '../../src/commands/lines.ts';
import { createCommands } from '../../src/commands/pipeline.ts';
import { postgresSnapshots } from '../../src/commands/snapshots.ts';
import { clientCalendar } from '../../src/domain/booking/clientCalendar.ts';
import { dayOfAppointment, scheduleId, slotIdOf } from '../../src/domain/booking/ids.ts';
import { provider } from '../../src/domain/booking/provider/index.ts';
import { schedule } from '../../src/domain/booking/schedule/index.ts';
import { deciders } from '../../src/domain/catalogue.ts';
import type { Actor } from '../../src/domain/decider.ts';
import { createCodec } from '../../src/eventstore/codec.ts';
import { isUndecodable } from '../../src/eventstore/event.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import { type EventStore, OutcomeUnknown, type Position, StoreUnavailable } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { clientTime, heldSlots, slotGeneration } from '../../src/policies/booking.ts';
import type { AnyPolicy, Reaction } from '../../src/policies/policy.ts';
import { noLookups } from '../support/lookups.ts';
import { testDatabase } from '../support/postgres.ts';
import { runs } from '../support/random.ts';

const DAYS = ['2026-03-09', '2026-03-10', '2026-03-11'];
const STARTS = ['08:00', '08:30'];
const START = '2026-03-02T10:00:00.000Z';
const LATER_MS = 62_000;

/** What a process does to its next appends: nothing, fail before, or store and then fail. */
type Fault = 'none' | 'before' | 'after';

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
type Node = ReturnType<typeof startNode>;

const startWorld = async (t: Test) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const pool = new pg.Pool({ connectionString, options: '-c search_path=convene' });
  const log = postgresEventStore({ connectionString });
  t.teardown(async () => {
    await log.close();
    await pool.end();
  });

  return async () => {
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
      { length: 3 },
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
    const weekly = [1, 2, 3].map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start: '09:00', end: '10:00' }] }));
    for (const one of doctors) {
      const data = { ...registered, accountId: one.id };
      const account = await first.codec.encode([{ id: randomUUID(), type: 'AccountRegistered', data }], metadata);
      await log.append(`account-${one.id}`, 'noStream', account);
      await first.send('CreateProviderProfile', { accountId: one.id, displayName: 'P' }, system);
      await first.send('SetAvailability', { weekly }, one);
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

    return { nodes, clock, providerId, doctor, doctors, clients, settle, fresh: () => startNode(pool, log, clock) };
  };
};

const SLOTS = DAYS.flatMap((day) => STARTS.map((time) => ({ day, startTime: `${day}T${time}:00.000Z` })));
const slotAt = (providerId: string, index: number): string => {
  const slot = SLOTS[index % SLOTS.length];
  if (slot === undefined) throw new Error('There is no such slot');
  return slotIdOf({ providerId, ...slot });
};

const daysOf = (node: Node, providers: readonly string[]) =>
  Promise.all(
    providers.flatMap((providerId) =>
      DAYS.map(async (day) => (await node.reads.load(schedule, scheduleId({ providerId, day }))).state),
    ),
  );

/** Nobody has two appointments at once, whatever has been cut off where. */
const checkOverlaps = async (node: Node, providers: readonly string[]): Promise<number> => {
  const scheduled = (await daysOf(node, providers)).flatMap(({ appointments }) =>
    Object.values(appointments).filter(({ status }) => status === 'SCHEDULED'),
  );
  const times = scheduled.map(({ clientId, startTime }) => `${clientId} ${startTime}`);
  assert.deepEqual(times.sort(), [...new Set(times)].sort(), 'a client has one appointment at a time');
  return times.length;
};

/** Holds every promise that the streams of a provider and his clients make to each other. */
const check = async (node: Node, providers: readonly string[], clients: readonly Actor[]) => {
  const days = await daysOf(node, providers);
  const slots = Object.assign({}, ...days.map((day) => day.slots)) as (typeof days)[number]['slots'];
  const appointments = Object.assign(
    {},
    ...days.map((day) => day.appointments),
  ) as (typeof days)[number]['appointments'];
  const scheduled = Object.entries(appointments).filter(([, { status }]) => status === 'SCHEDULED');
  for (const [slotId, { heldBy }] of Object.entries(slots)) {
    const holders = scheduled.filter(([, appointment]) => appointment.slotId === slotId).map(([id]) => id);
    assert.deepEqual(
      heldBy === undefined ? [] : [heldBy],
      holders,
      'a slot is held by the one appointment that takes it',
    );
  }
  for (const { id } of clients) {
    const { claims } = (await node.reads.load(clientCalendar, id)).state;
    const own = scheduled.filter(([, { clientId }]) => clientId === id);
    assert.deepEqual(
      claims.map(({ appointmentId, startTime }) => `${startTime} ${appointmentId}`).sort(),
      own.map(([appointmentId, { startTime }]) => `${startTime} ${appointmentId}`).sort(),
      'a client has set aside the time of his appointments and no other',
    );
  }
  return scheduled.length;
};

const step = fc.record({
  node: fc.nat(1),
  client: fc.nat(2),
  slot: fc.nat(SLOTS.length - 1),
  kind: fc.constantFrom('book', 'book', 'book', 'move', 'move', 'move', 'cancel'),
  doctor: fc.nat(1),
  faults: fc.array(fc.constantFrom<Fault>('none', 'none', 'before', 'after'), { maxLength: 3 }),
});

t.test('bookings, moves and cancellations', async (t) => {
  const world = await startWorld(t);

  t.test('leave no slot and no time behind, in whatever order they race and wherever they are cut off', async (t) => {
    let left = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 5, size: 'max' }), { maxLength: 6, size: 'max' }),
        async (rounds) => {
          const { nodes, doctor: anybody, doctors, clients, settle, fresh } = await world();
          const providers = doctors.map(({ id }) => id);
          for (const one of doctors) await nodes[0].send('GenerateTimeSlots', { from: DAYS[0], to: DAYS.at(-1) }, one);
          for (const round of rounds) {
            const all = await daysOf(fresh(), providers);
            const state = Object.assign(
              {},
              ...all.map((day) => day.appointments),
            ) as (typeof all)[number]['appointments'];
            await Promise.all(
              round.map(async ({ node, client, doctor, slot, kind, faults }) => {
                const process = nodes[node] ?? nodes[0];
                const actor = clients[client] ?? anybody;
                const [appointmentId] =
                  Object.entries(state).find(
                    ([, { clientId, status }]) => clientId === actor.id && status === 'SCHEDULED',
                  ) ?? [];
                const books = kind === 'book' || appointmentId === undefined;
                const slotId = slotAt(
                  books ? (providers[doctor] ?? '') : dayOfAppointment(appointmentId).providerId,
                  slot,
                );
                process.faults.push(...faults);
                if (books) await process.send('BookAppointment', { slotId }, actor);
                else if (kind === 'move') await process.send('RescheduleAppointment', { appointmentId, slotId }, actor);
                else await process.send('CancelAppointment', { appointmentId }, actor);
              }),
            );
            await checkOverlaps(fresh(), providers);
          }
          await settle([clientTime, heldSlots]);
          left += await check(fresh(), providers, clients);
        },
      ),
      runs(12),
    );
    t.ok(left > 0, 'some appointments came about');
  });

  t.test('that are cut off after the new slot was held end as if nothing had happened', async (t) => {
    const { nodes, providerId, doctor, clients, settle, fresh } = await world();
    const [node] = nodes;
    const [client = doctor] = clients;
    await node.send('GenerateTimeSlots', { from: DAYS[0], to: DAYS.at(-1) }, doctor);
    const booked = await node.send('BookAppointment', { slotId: slotAt(providerId, 0) }, client);
    const { id: appointmentId } = (booked?.ok ? booked.data : {}) as { id: string };
    node.faults.push('none', 'none', 'before');
    t.equal(
      await node.send('RescheduleAppointment', { appointmentId, slotId: slotAt(providerId, 4) }, client),
      undefined,
    );
    await settle([clientTime, heldSlots]);
    t.equal(await check(fresh(), [providerId], clients), 1);
    const { state } = await fresh().reads.load(schedule, scheduleId(dayOfAppointment(appointmentId)));
    t.equal(state.appointments[appointmentId]?.slotId, slotAt(providerId, 0));
  });

  t.test('that are cut off once decided are finished', async (t) => {
    const { nodes, providerId, doctor, clients, settle, fresh } = await world();
    const [node] = nodes;
    const [client = doctor] = clients;
    await node.send('GenerateTimeSlots', { from: DAYS[0], to: DAYS.at(-1) }, doctor);
    const booked = await node.send('BookAppointment', { slotId: slotAt(providerId, 0) }, client);
    const { id: appointmentId } = (booked?.ok ? booked.data : {}) as { id: string };
    t.match(await node.send('RescheduleAppointment', { appointmentId, slotId: slotAt(providerId, 2) }, client), {
      ok: true,
    });
    node.faults.push('none', 'none', 'after');
    t.equal(
      await node.send('RescheduleAppointment', { appointmentId, slotId: slotAt(providerId, 4) }, client),
      undefined,
    );
    await settle([clientTime, heldSlots]);
    t.equal(await check(fresh(), [providerId], clients), 1);
    const { state } = await fresh().reads.load(schedule, scheduleId(dayOfAppointment(appointmentId)));
    t.match(state.appointments[appointmentId], { slotId: slotAt(providerId, 4), version: 2 });
  });
});

t.test('a generation of slots that is cut off is finished later', async (t) => {
  const { nodes, providerId, doctor, settle, fresh } = await (await startWorld(t))();
  nodes[0].faults.push('none', 'before');
  t.equal(await nodes[0].send('GenerateTimeSlots', { from: DAYS[0], to: DAYS.at(-1) }, doctor), undefined);
  await settle([slotGeneration]);
  const { reads } = fresh();
  for (const day of DAYS)
    t.equal(Object.keys((await reads.load(schedule, scheduleId({ providerId, day }))).state.slots).length, 2, day);
  t.match((await reads.load(provider, providerId)).state.generations, [{ result: { created: 6, skipped: 0 } }]);
});
