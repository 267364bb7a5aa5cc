import { randomUUID } from 'node:crypto';
import t from 'tap';
import { acknowledgedViolations } from './checks/acknowledged.ts';
import { administratorViolations } from './checks/administrators.ts';
import { auditViolations } from './checks/audit.ts';
import { bookingViolations, reservationsLeft } from './checks/booking.ts';
import { orderViolations } from './checks/order.ts';
import type { LogEvent, Violation } from './checks/violation.ts';
import { voteViolations } from './checks/votes.ts';
import { counter } from './counters.ts';
import { faultOf, faults, faultsFor } from './faults/index.ts';
import { type Attempt, createLedger, type Entry, type Kind } from './ledger.ts';
import { seeded } from './random.ts';
import { chosenFaults } from './torture.ts';

/** Stream, type and data of an event, and what is unusual about it. */
type Told = readonly [string, string, LogEvent['data'], Partial<LogEvent>?];

/** A log in order, one position an event. */
const logOf = (...facts: readonly Told[]): LogEvent[] => {
  const revisions = new Map<string, number>();
  return facts.map(([stream, type, data, more], index) => {
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    return {
      position: BigInt(index + 1),
      stream,
      revision,
      id: randomUUID(),
      type,
      recordedAt: '2026-03-01T09:00:00.000Z',
      data,
      metadata: { command: 'Test', commandId: randomUUID(), correlationId: randomUUID(), actor: 'somebody' },
      ...more,
    };
  });
};

const whats = (violations: readonly Violation[]): string[] => violations.map(({ what }) => what);

const slot = (id: string, hour: number) => ({ slotId: id, startTime: `T${hour}`, endTime: `T${hour + 1}` });
const opened = ['schedule-p', 'TimeSlotsGenerated', { slots: [slot('s1', 1), slot('s2', 2), slot('t1', 1)] }] as const;
const booked = (appointmentId: string, clientId: string, slotId: string, hour = 1) =>
  ['schedule-p', 'AppointmentBooked', { appointmentId, clientId, ...slot(slotId, hour) }] as const;
const cancelled = (appointmentId: string) => ['schedule-p', 'AppointmentCancelled', { appointmentId }] as const;
const moved = (appointmentId: string, fromSlotId: string, toSlotId: string, hour: number) =>
  [
    'schedule-p',
    'AppointmentRescheduled',
    { appointmentId, fromSlotId, toSlotId, startTime: `T${hour}`, endTime: `T${hour + 1}` },
  ] as const;

t.test('the order of the log', async (t) => {
  const log = logOf(['a', 'X', {}], ['a', 'X', {}], ['b', 'X', {}], ['a', 'X', {}]);
  const dense = { dense: true, head: 4n };
  t.strictSame(orderViolations(log, dense), []);
  const [first, second, third, fourth] = log as [LogEvent, LogEvent, LogEvent, LogEvent];
  t.strictSame(whats(orderViolations([first, third, fourth], dense)), [
    'positions 2 to 2 are missing',
    'a has revision 2 where 1 is due',
  ]);
  t.strictSame(whats(orderViolations([first, second, third], dense)), ['the head is 4, the last event lies at 3']);
  t.match(whats(orderViolations([first, first, third, fourth], dense)), [
    'position 1 follows 1',
    'a has revision 0 where 1 is due',
  ]);
  t.match(whats(orderViolations([first, second, third, { ...fourth, id: first.id }], dense)), [
    /two events have the id/,
  ]);
  t.strictSame(
    orderViolations([first, second, { ...third, position: 90n }], { dense: false, head: 90n }),
    [],
    'has gaps between positions where the store counts bytes',
  );
});

t.test('bookings', async (t) => {
  const check = (...facts: readonly Told[]) => whats(bookingViolations(logOf(...facts)).violations);
  t.strictSame(check(opened, booked('A', 'ann', 's1'), cancelled('A'), booked('B', 'bob', 's1')), []);
  t.strictSame(check(opened, booked('A', 'ann', 's1'), moved('A', 's1', 's2', 2), booked('B', 'bob', 's1')), []);
  t.strictSame(check(opened, booked('A', 'ann', 's1'), booked('B', 'bob', 's1')), ['slot s1 is taken twice']);
  t.strictSame(check(opened, booked('A', 'ann', 's2', 2), booked('B', 'bob', 's1'), moved('B', 's1', 's2', 2)), [
    'slot s2 is taken twice',
  ]);
  t.strictSame(check(opened, booked('A', 'ann', 's1'), booked('B', 'ann', 't1')), [
    'client ann has two appointments at once',
  ]);
  t.strictSame(check(opened, booked('A', 'ann', 's1'), booked('A', 'ann', 's1')), ['appointment A was booked twice']);
  t.strictSame(check(opened, booked('A', 'ann', 's1'), moved('A', 's2', 't1', 1)), [
    'appointment A was moved from where it was not',
  ]);
  t.strictSame(check(opened, booked('A', 'ann', 's1'), cancelled('A'), cancelled('A')), [
    'appointment A was ended although it did not stand',
  ]);
  t.strictSame(check(opened, booked('A', 'ann', 'elsewhere')), ['a slot is taken that was never opened']);
  t.strictSame(check(opened, opened).length, 3, 'slots opened twice');
  const slot = (type: string, slotId: string): Told => ['schedule-d', type, { slotId }];
  const [added, removed] = [slot('TimeSlotAdded', 's9'), slot('TimeSlotRemoved', 's9')];
  t.strictSame(check(added, booked('A', 'ann', 's9'), cancelled('A'), removed, added), []);
  t.strictSame(check(added, added), ['slot s9 was opened twice']);
  t.strictSame(check(added, booked('A', 'ann', 's9'), removed), ['slot s9 was removed while taken']);
  t.strictSame(check(added, removed, booked('A', 'ann', 's9')), ['a slot is taken that was never opened']);
});

t.test('reservations that nobody stands behind', async (t) => {
  const claim = ['calendar-ann', 'TimeClaimed', { appointmentId: 'A', startTime: 'T1' }] as const;
  const release = ['calendar-ann', 'TimeReleased', { appointmentId: 'A', startTime: 'T1' }] as const;
  const hold = ['schedule-p', 'SlotReserved', { appointmentId: 'A', slotId: 's2' }] as const;
  const left = (...facts: readonly Told[]) => {
    const log = logOf(...facts);
    return reservationsLeft(log, bookingViolations(log).appointments).map(({ type }) => type);
  };
  t.strictSame(left(opened, claim), ['TimeClaimed']);
  t.strictSame(left(opened, claim, release), []);
  t.strictSame(left(opened, claim, booked('A', 'ann', 's1')), []);
  t.strictSame(left(opened, claim, booked('A', 'ann', 's1'), hold), ['SlotReserved']);
  t.strictSame(left(opened, claim, booked('A', 'ann', 's1'), cancelled('A')), ['TimeClaimed']);
});

const round = { sessionId: 'S', storyId: 'x', round: 1 };
const open = ['session-S', 'VotingOpened', round] as const;
const card = (type: string, participantId: string, value: string) =>
  ['session-S', type, { ...round, participantId, value }] as const;
const shown = (...votes: readonly (readonly [string, string])[]) =>
  [
    'session-S',
    'VotesRevealed',
    { ...round, votes: votes.map(([participantId, value]) => ({ participantId, value })) },
  ] as const;

t.test('votes', async (t) => {
  const check = (...facts: readonly Told[]) => whats(voteViolations(logOf(...facts)).violations);
  const cast = card('VoteCast', 'ann', '3');
  t.strictSame(check(open, cast, card('VoteChanged', 'ann', '5'), shown(['ann', '5'])), []);
  t.strictSame(check(open, cast, cast), ['somebody voted twice in one round']);
  t.strictSame(check(open, card('VoteChanged', 'ann', '5')), ['a card was changed that was never played']);
  t.strictSame(check(cast), ['a card was played in a round that was not open']);
  const wrong = 'a reveal does not show the cards that were played';
  t.strictSame(check(open, cast, shown(['ann', '3'], ['ann', '3'])), [wrong], 'counted twice');
  t.strictSame(check(open, cast, shown()), [wrong], 'lost');
  t.strictSame(check(open, cast, shown(['ann', '8'])), [wrong], 'changed');
  t.strictSame(check(open, open), ['a round began twice']);
});

t.test('administrators', async (t) => {
  const admin = { accountId: 'ann', roleName: 'admin' };
  const assigned = ['access-ann', 'RoleAssigned', admin] as const;
  const added = ['administrators-all', 'AdministratorAdded', admin] as const;
  const released = ['administrators-all', 'AdministratorReleased', admin] as const;
  const revoked = ['access-ann', 'RoleRevoked', admin] as const;
  const check = (...facts: readonly Told[]) => whats(administratorViolations(logOf(...facts)).violations);
  t.strictSame(check(assigned, added), []);
  t.strictSame(check(assigned, added, released), ['the circle of administrators is empty']);
  t.strictSame(check(assigned, revoked), ['nobody holds the role admin']);
  t.strictSame(check(assigned, added, revoked).length, 2, 'lost by a member of the circle');
  t.strictSame(check(added), ['somebody joined the circle who does not hold the role admin']);
});

t.test('what was acknowledged', async (t) => {
  const correlationId = randomUUID();
  const told = (more: Partial<Attempt> = {}): Attempt => ({
    correlationId,
    end: 'acknowledged',
    status: 201,
    reason: undefined,
    replayed: false,
    token: 9n,
    version: 0,
    data: { id: 'A', ...slot('s1', 1) },
    ...more,
  });
  const lost = told({ end: 'unknown', status: undefined, data: {}, token: undefined });
  const later = (more: Partial<Attempt> = {}) => told({ correlationId: randomUUID(), replayed: true, ...more });
  const check = (attempts: Attempt[], log: readonly LogEvent[], kind: Kind = 'book', key: string | undefined = 'k') => {
    const asked: Entry['asked'] = kind === 'vote' ? { sessionId: 'S', storyId: 'x', value: '3' } : { slotId: 's1' };
    const ledger = createLedger();
    ledger.entries.push({ id: '1/1/1', round: 1, kind, actor: 'ann', key, asked, attempts });
    return acknowledgedViolations(ledger, log);
  };
  const by = (command: string): Partial<LogEvent> => ({
    metadata: { command, commandId: randomUUID(), correlationId, actor: 'ann' },
  });
  const [, stored] = logOf(opened, [...booked('A', 'ann', 's1'), by('BookAppointment')]) as [LogEvent, LogEvent];
  const problems = (...of: Parameters<typeof check>) => whats(check(...of).violations);

  t.strictSame(problems([told()], [stored]), []);
  t.strictSame(problems([told()], []), ['an acknowledged command is not in the log'], 'a deleted event');
  t.strictSame(problems([told()], [stored, { ...stored, id: randomUUID() }]), ['one command is in the log 2 times']);
  t.match(problems([told()], [{ ...stored, data: { ...stored.data, slotId: 's2' } }]), [
    'slotId was asked as s1, stored otherwise',
    'slotId was answered as s1, stored otherwise',
  ]);
  t.match(problems([told({ token: 1n })], [stored]), [/the Consistency-Token 1 lies before/]);
  t.strictSame(problems([told({ end: 'refused', status: 409 })], [stored]), ['a refused command is in the log']);
  t.strictSame(problems([lost], [stored, { ...stored, id: randomUUID() }], 'book'), [
    'one command is in the log 2 times',
  ]);
  t.strictSame(problems([lost], []), ['a command with an Idempotency-Key never got an answer']);
  t.strictSame(check([lost, later()], [stored]).outcomes.toldOnRepeat, 1);
  t.strictSame(problems([lost, later()], [stored]), []);
  t.strictSame(problems([lost, later({ replayed: false })], [stored]), [
    'a repeat of a stored command was not told to be one',
  ]);
  t.strictSame(problems([told(), later({ data: { id: 'B' } })], [stored]), [
    'a repeat got another answer than the first',
  ]);
  t.strictSame(problems([told(), later({ end: 'refused', reason: 'slot-taken' })], [stored]), [
    'a repeat of an acknowledged command was refused: slot-taken',
  ]);
  t.strictSame(problems([told({ correlationId: randomUUID() })], [stored]), [
    'an acknowledged command is not in the log',
    'an event that nobody asked for',
  ]);

  const same = logOf(open, card('VoteCast', 'ann', '3'));
  const nothing = told({ data: {}, token: 2n });
  t.strictSame(problems([nothing], same, 'vote'), [], 'the same card once more stores nothing');
  t.strictSame(problems([nothing], logOf(open, card('VoteCast', 'ann', '5')), 'vote'), [
    'an acknowledged command is not in the log',
  ]);
});

t.test('the audit chain', async (t) => {
  const broken = async () => ({ code: 1, output: 'event 7 was altered' });
  t.match(await auditViolations(broken, [{ name: 'audit verify' }]), { violations: [{ what: 'event 7 was altered' }] });
  t.match((await auditViolations(broken, [])).told, /NOT CHECKED/, 'is never passed over in silence');
});

t.test('the choices of a seed', async (t) => {
  const draws = (...of: (string | number)[]) => {
    const random = seeded(...of);
    return [random.below(100), random.pick(['a', 'b', 'c']), random.shuffled([1, 2, 3, 4]).join(), random.next()];
  };
  t.strictSame(draws(7, 'x'), draws(7, 'x'));
  t.notSame(draws(7, 'x'), draws(8, 'x'));
  for (const store of ['postgres', 'eventstoredb'] as const) {
    const all = faultsFor(store);
    const names = all.map((_, index) => faultOf(3, index + 1, all).name);
    t.equal(new Set(names).size, all.length, 'every fault comes once before any comes again');
  }
  t.ok(faults.length >= 14);
  t.throws(() => chosenFaults('postgres', ['kill-everything']), RangeError);
  t.strictSame(
    chosenFaults('postgres', ['kill-both']).map(({ name }) => name),
    ['kill-both'],
  );
});

t.test('a counter lets go of those who wait', async (t) => {
  const counted = counter();
  const two = counted.reach(2);
  counted.add();
  counted.add();
  await two;
  const never = counted.reach(100);
  counted.end();
  await never;
  t.equal(counted.total(), 2);
});
