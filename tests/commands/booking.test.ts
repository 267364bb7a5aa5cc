import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { clientCalendar } from '../../src/domain/booking/clientCalendar.ts';
import { dayOfAppointment, scheduleId, slotIdOf } from '../../src/domain/booking/ids.ts';
import { provider } from '../../src/domain/booking/provider/index.ts';
import { schedule } from '../../src/domain/booking/schedule/index.ts';
import type { Actor } from '../../src/domain/decider.ts';
import { clientTime, exceptionChanges, heldSlots, movedSlots, slotGeneration } from '../../src/policies/booking.ts';
import { bookingWorld, type Fault, type Node } from '../support/bookingWorld.ts';
import { runs } from '../support/random.ts';

const DAYS = ['2026-03-09', '2026-03-10', '2026-03-11'];
const STARTS = ['08:00', '08:30'];

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

const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
/** Whether a slot of these days lies in hours by the clock of Luxembourg, an hour before UTC in winter. */
const liesIn = (hours: readonly { start: string; end: string }[], startTime: string): boolean => {
  const start = minuteOf(startTime.slice(11)) + 60;
  return hours.some((one) => minuteOf(one.start) <= start && start + 30 <= minuteOf(one.end));
};

/** Every day has the hours that the exceptions of its provider leave it, all of them or none. */
const checkExceptions = async (node: Node, providers: readonly string[], now: Date): Promise<number> => {
  let standing = 0;
  for (const providerId of providers) {
    const { state } = await node.reads.load(provider, providerId);
    assert.equal(state.change, undefined, 'no change is left half done');
    standing += state.exceptions.length;
    for (const day of DAYS) {
      const { slots, hours, appointments } = (await node.reads.load(schedule, scheduleId({ providerId, day }))).state;
      const exception = state.exceptions.find(({ from, to }) => from <= day && day <= to);
      assert.deepEqual(hours?.intervals ?? null, exception?.intervals ?? null, `the hours of ${day}`);
      const spans = Object.values(slots).sort((a, b) => (a.startTime < b.startTime ? -1 : 1));
      for (const [index, { startTime, heldBy, closed = false }] of spans.entries()) {
        assert.ok(startTime >= (spans[index - 1]?.endTime ?? ''), 'no two slots overlap');
        assert.equal(
          closed,
          exception !== undefined && !liesIn(exception.intervals, startTime),
          `${startTime} is closed`,
        );
        const booked = heldBy !== undefined && startTime > now.toISOString();
        assert.ok(!(closed && booked), 'nobody is booked where the provider is not');
      }
      assert.ok(Object.values(appointments).every(({ status }) => status !== 'COMPLETED'));
    }
  }
  return standing;
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

type Offer = { readonly kind: string; readonly slot: number; readonly cancelBooked: boolean };
/** What a provider does to his slots and hours. */
const offer = async (node: Node, actor: Actor, { kind, slot, cancelBooked }: Offer): Promise<unknown> => {
  const day = DAYS[slot % DAYS.length] ?? '';
  const [from = day, to = day] = [day, slot % 2 === 0 ? (DAYS.at(-1) ?? day) : day].sort();
  const slotId = slotAt(actor.id, slot);
  const startTime = `${day}T08:${slot % 2 === 0 ? '30' : '00'}:00.000Z`;
  const exception = {
    ...{ from, to },
    ...(kind === 'close' ? { closed: true } : { intervals: [{ start: '09:00', end: '09:30' }] }),
  };
  switch (kind) {
    case 'close':
    case 'narrow':
      return node.send('AddAvailabilityException', { ...exception, cancelBooked }, actor);
    case 'replace':
      return node.send('SetAvailability', { weekly: [], exceptions: [exception], cancelBooked }, actor);
    case 'open': {
      const [exceptionId] = (await node.reads.load(provider, actor.id)).state.exceptions.map((one) => one.exceptionId);
      return exceptionId && node.send('RemoveAvailabilityException', { exceptionId }, actor);
    }
    case 'block':
      return node.send('UpdateTimeSlot', { slotId, isAvailable: cancelBooked }, actor);
    case 'shift':
      return node.send('UpdateTimeSlot', { slotId, startTime, force: true }, actor);
    case 'remove':
      return node.send('RemoveTimeSlot', { slotId }, actor);
    default: {
      const endTime = new Date(Date.parse(startTime) + 1_800_000).toISOString();
      return node.send('AddTimeSlot', { startTime, endTime, force: true }, actor);
    }
  }
};

const step = fc.record({
  node: fc.nat(1),
  client: fc.nat(2),
  slot: fc.nat(SLOTS.length - 1),
  kind: fc.constantFrom(
    ...(['book', 'book', 'book', 'book', 'move', 'move', 'move', 'cancel'] as const),
    ...(['close', 'close', 'narrow', 'open', 'replace', 'block', 'shift', 'remove', 'add'] as const),
  ),
  cancelBooked: fc.boolean(),
  doctor: fc.nat(1),
  faults: fc.array(fc.constantFrom<Fault>('none', 'none', 'before', 'after'), { maxLength: 3 }),
});

t.test('bookings, moves and cancellations', async (t) => {
  const world = await bookingWorld(t);

  t.test('leave no slot and no time behind, in whatever order they race and wherever they are cut off', async (t) => {
    let [left, closed] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 5, size: 'max' }), { maxLength: 6, size: 'max' }),
        async (rounds) => {
          const { nodes, clock, doctor: anybody, doctors, clients, settle, fresh } = await world();
          const providers = doctors.map(({ id }) => id);
          for (const one of doctors) await nodes[0].send('GenerateTimeSlots', { from: DAYS[0], to: DAYS.at(-1) }, one);
          for (const round of rounds) {
            const all = await daysOf(fresh(), providers);
            const state = Object.assign(
              {},
              ...all.map((day) => day.appointments),
            ) as (typeof all)[number]['appointments'];
            await Promise.all(
              round.map(async ({ node, client, doctor, slot, kind, faults, cancelBooked }) => {
                const process = nodes[node] ?? nodes[0];
                const actor = clients[client] ?? anybody;
                if (!['book', 'move', 'cancel'].includes(kind)) {
                  process.faults.push(...faults);
                  await offer(process, doctors[doctor] ?? anybody, { kind, slot, cancelBooked });
                  return;
                }
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
          await settle([clientTime, heldSlots, exceptionChanges, movedSlots]);
          left += await check(fresh(), providers, clients);
          closed += await checkExceptions(fresh(), providers, clock.now);
        },
      ),
      runs(12),
    );
    t.ok(left > 0, 'some appointments came about');
    t.ok(closed > 0, 'some exceptions stand');
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
  const { nodes, providerId, doctor, settle, fresh } = await (await bookingWorld(t))();
  nodes[0].faults.push('none', 'before');
  t.equal(await nodes[0].send('GenerateTimeSlots', { from: DAYS[0], to: DAYS.at(-1) }, doctor), undefined);
  await settle([slotGeneration]);
  const { reads } = fresh();
  for (const day of DAYS)
    t.equal(Object.keys((await reads.load(schedule, scheduleId({ providerId, day }))).state.slots).length, 2, day);
  t.match((await reads.load(provider, providerId)).state.generations, [{ result: { created: 6, skipped: 0 } }]);
});
