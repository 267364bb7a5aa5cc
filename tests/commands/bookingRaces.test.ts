import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { clientCalendar } from '../../src/domain/booking/clientCalendar.ts';
import { scheduleId, slotIdOf } from '../../src/domain/booking/ids.ts';
import { schedule } from '../../src/domain/booking/schedule/index.ts';
import { bookingWorld } from '../support/bookingWorld.ts';
import { runs } from '../support/random.ts';
import { system } from '../support/spec.ts';

const CLIENTS = 200;
/** By the clock of UTC, five hours from the first start on. */
const STARTS = Array.from({ length: 10 }, (_, half) => half * 30);
const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
  dayOfWeek,
  intervals: [{ start: '10:00', end: '15:00' }],
}));

/** What a client tries at once: a slot with one of the two providers, or the same time with both. */
const wish = fc.record({
  start: fc.nat(STARTS.length - 1),
  doctor: fc.nat(1),
  both: fc.constantFrom(false, false, true),
  node: fc.nat(1),
});

// Fifty rounds take minutes: CONVENE_FC_RUNS=50 asks for them.
t.test('two hundred clients and twenty slots', async (t) => {
  const { nodes, doctors, clients, fresh } = await (await bookingWorld(t))({
    clients: CLIENTS,
    weekly,
    maxAdvanceDays: 366,
  });
  let day = Temporal.PlainDate.from('2026-04-01');
  let [attempts, won, overlaps] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { minLength: CLIENTS, maxLength: CLIENTS }), async (wishes) => {
      day = day.add({ days: 1 });
      const date = day.toString();
      for (const one of doctors) await nodes[0].send('GenerateTimeSlots', { from: date, to: date }, one);
      const slotOf = (doctor: number, start: number): string => {
        const first = Temporal.PlainDateTime.from(`${date}T10:00`).toZonedDateTime('Europe/Luxembourg');
        const startTime = new Date(first.epochMilliseconds + (STARTS[start] ?? 0) * 60_000).toISOString();
        return slotIdOf({ providerId: doctors[doctor]?.id ?? '', day: date, startTime });
      };
      const tries = wishes.flatMap(({ start, doctor, both, node }, client) =>
        (both ? [0, 1] : [doctor]).map((wanted) => ({ client, node, both, slotId: slotOf(wanted, start) })),
      );
      const answers = await Promise.all(
        tries.map(async ({ client, node, slotId, both }) => {
          const outcome = await nodes[node as 0 | 1].send('BookAppointment', { slotId }, clients[client] ?? system);
          assert.ok(outcome, 'every try is answered');
          return { client, slotId, both, ok: outcome.ok, reason: outcome.ok ? '' : outcome.reason };
        }),
      );
      for (const { ok, reason } of answers)
        assert.ok(ok || reason === 'slot-taken' || reason === 'own-overlap' || reason === 'contended', reason);
      for (const [slotId, wanted] of Map.groupBy(answers, (one) => one.slotId)) {
        const winners = wanted.filter(({ ok }) => ok).length;
        // Who tries both may lose both to himself; whoever tries one loses it to somebody who has it.
        if (wanted.some(({ both }) => !both)) assert.equal(winners, 1, `exactly one wins ${slotId}`);
        else assert.ok(winners <= 1, `at most one wins ${slotId}`);
      }
      const { reads } = fresh();
      const days = await Promise.all(
        doctors.map(async ({ id }) => (await reads.load(schedule, scheduleId({ providerId: id, day: date }))).state),
      );
      const booked = days.flatMap(({ appointments }) => Object.values(appointments));
      const held = days.flatMap(({ slots }) => Object.values(slots)).filter(({ heldBy }) => heldBy !== undefined);
      const winners = answers.filter(({ ok }) => ok);
      assert.equal(booked.length, winners.length, 'whoever was told so has an appointment, and nobody else');
      assert.equal(held.length, winners.length, 'a slot is held by each');
      const times = booked.map(({ clientId, startTime }) => `${clientId} ${startTime}`);
      assert.equal(new Set(times).size, times.length, 'nobody has two at once');
      for (const { id } of clients.slice(0, 20)) {
        const claims = (await reads.load(clientCalendar, id)).state.claims.filter((one) =>
          one.startTime.startsWith(date),
        );
        const own = booked.filter(({ clientId }) => clientId === id);
        assert.equal(claims.length, own.length, 'and whoever lost has his time back');
      }
      attempts += answers.length;
      won += winners.length;
      overlaps += answers.filter(({ reason }) => reason === 'own-overlap').length;
    }),
    { ...runs(5), endOnFailure: true },
  );
  t.ok(attempts > 0 && won > 0 && overlaps > 0, `${attempts} tries, ${won} appointments, ${overlaps} own overlaps`);
});
