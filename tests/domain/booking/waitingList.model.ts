import assert from 'node:assert/strict';
import fc from 'fast-check';
import { slotIdOf, waitingEntryIdOf } from '../../../src/domain/booking/ids.ts';
import { provider as providerDecider } from '../../../src/domain/booking/provider/index.ts';
import * as commands from '../../../src/domain/booking/waitingList/index.ts';
import {
  declineOffer,
  endWaiting,
  endWaitingWithBooking,
  joinWaitingList,
  leaveWaitingList,
  offerFreedSlot,
  settleOffers,
  standingOffer,
  waitingList,
} from '../../../src/domain/booking/waitingList/index.ts';
import { model, movesIn, named, person } from '../../support/model.ts';

const [MINUTE, HOUR] = [60_000, 3_600_000];
const doctor = person('doctor');
const [ada, ben, cleo] = [person('ada'), person('ben'), person('cleo')];
const providerId = doctor.id;
const at = (ms: number): string => new Date(ms).toISOString();
/** Days of March, the second being today. */
const dateOf = (day: number): string => `2026-03-${String(day).padStart(2, '0')}`;
const midnightAfter = (day: number): number => Date.parse(`${dateOf(day)}T00:00:00.000Z`) + 24 * HOUR;
/** A slot that begins at a full hour of one of three days. */
const slotOf = ({ day, hour }: { day: number; hour: number }) => {
  const start = Date.parse(`${dateOf(day)}T09:00:00.000Z`) + hour * HOUR;
  const span = { startTime: at(start), endTime: at(start + HOUR / 2) };
  return { slotId: slotIdOf({ providerId, day: dateOf(day), startTime: span.startTime }), start, ...span };
};

type Offer = { readonly id: string; readonly slotId: string; readonly made: number; readonly until: number };
type Entry = {
  readonly id: string;
  readonly accountId: string;
  readonly from: number;
  readonly to: number;
  readonly joined: number;
  offer?: Offer | undefined;
  readonly passed: string[];
  unanswered: number;
};
type World = { entries: Entry[] };
const on = movesIn<World>();
/** Moves by their names. */
const part = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, name]));

const stands = ({ offer }: Entry, now: Date): boolean => offer !== undefined && offer.until > now.getTime();
const drop = (entry: Entry): void => {
  if (entry.offer !== undefined) entry.passed.push(entry.offer.slotId);
  entry.offer = undefined;
};
const endOffer = (entry: Entry, outcome: string) => {
  const { id, offer } = entry;
  drop(entry);
  if (outcome === 'expired') entry.unanswered += 1;
  return { type: 'WaitingListOfferEnded', data: { entryId: id, offerId: offer?.id, slotId: offer?.slotId, outcome } };
};
const end = (world: World, entry: Entry, because: string, outcome = 'withdrawn') => {
  const offer = entry.offer === undefined ? [] : [endOffer(entry, outcome)];
  world.entries = world.entries.filter((other) => other !== entry);
  return [...offer, { type: 'WaitingListEnded', data: { entryId: entry.id, accountId: entry.accountId, because } }];
};
const nobody = waitingEntryIdOf({ providerId, uuid: named('no entry') });
const entryAt = ({ entries }: World, place: number): Entry | undefined => entries[place % Math.max(entries.length, 1)];

const slot = fc.record({ day: fc.integer({ min: 2, max: 4 }), hour: fc.nat(2) });
const who = fc.constantFrom(ada, ben, cleo);

/** The line of those who wait for one provider: asked one after the other, nobody for two slots at once. */
export const waitingListModel = model({
  decider: waitingList,
  commands,
  world: (): World => ({ entries: [] }),
  waits: [1000, 30_000, 10 * MINUTE, 31 * MINUTE, 6 * HOUR],
  moments: ({ entries }) =>
    entries.flatMap(({ offer, to }) => [
      midnightAfter(to),
      ...(offer === undefined ? [] : [offer.made + MINUTE, offer.until - 1000, offer.until]),
    ]),
  parts: [part(['join', 'leave']), part(['join', 'a slot is freed', 'decline', 'settle', 'book'])],
  length: 60,
  lives: 200,
  moves: {
    join: on(
      fc.record({
        actor: fc.constantFrom(ada, ada, ada, ada, ben, cleo, doctor),
        from: fc.oneof(
          { weight: 2, arbitrary: fc.integer({ min: 1, max: 6 }) },
          { weight: 2, arbitrary: fc.integer({ min: 7, max: 24 }) },
        ),
        days: fc.nat(2),
        far: fc.constantFrom(0, 0, 0, 0, 0, 1),
        active: fc.constantFrom(true, true, true, true, false),
      }),
      ({ actor, from, days, far, active }, world, { now, newId }) => {
        const to = from + days;
        const [year, today] = [
          far === 1 ? '2028' : '2026',
          Math.floor((now.getTime() - Date.parse('2026-03-01')) / (24 * HOUR)) + 1,
        ];
        const id = waitingEntryIdOf({ providerId, uuid: newId('entry') });
        const profile = { active, timezone: 'UTC', priceCents: null, currency: null };
        const inYear = (day: number): string => dateOf(day + far * 5).replace('2026', year);
        return {
          command: joinWaitingList,
          input: { providerId, from: inYear(from), to: inYear(to) },
          actor,
          facts: { provider: { ...providerDecider.initial, profile } },
          expect: () => {
            if (!active) return 'provider-unknown';
            if (actor === doctor) return 'own-calendar';
            if (far === 0 && to < today) return 'in-the-past';
            if (far === 1) return 'beyond-horizon';
            const own = world.entries.filter(({ accountId }) => accountId === actor.id);
            if (own.some((entry) => entry.from <= to && from <= entry.to)) return 'already-waiting';
            if (own.length >= 3) return 'waiting-too-often';
            world.entries.push({
              ...{ id, accountId: actor.id, from, to, joined: now.getTime() },
              ...{ passed: [], unanswered: 0 },
            });
            return [{ type: 'WaitingListJoined', data: { entryId: id, endsAt: at(midnightAfter(to)) } }];
          },
        };
      },
      4,
    ),
    leave: on(fc.record({ actor: who, place: fc.nat(5) }), ({ actor, place }, world) => {
      const entry = entryAt(world, place);
      return {
        command: leaveWaitingList,
        input: { entryId: entry?.id ?? nobody },
        actor,
        expect: () => (entry?.accountId === actor.id ? end(world, entry, 'left', 'declined') : 'waiting-unknown'),
      };
    }),
    decline: on(
      fc.record({
        stranger: fc.option(who, { freq: 2 }),
        place: fc.nat(5),
        other: fc.constantFrom(false, false, true),
      }),
      ({ stranger, place, other }, world, { now }) => {
        const asked = stranger === null ? world.entries.find((entry) => stands(entry, now)) : undefined;
        const entry = asked ?? entryAt(world, place);
        const actor = stranger ?? [ada, ben, cleo].find(({ id }) => id === entry?.accountId) ?? ada;
        return {
          command: declineOffer,
          input: { entryId: entry?.id ?? nobody, ...(other ? { offerId: named('another offer') } : {}) },
          actor,
          expect: () => {
            if (entry === undefined || entry.accountId !== actor.id) return 'waiting-unknown';
            return stands(entry, now) && !other ? [endOffer(entry, 'declined')] : 'no-offer';
          },
        };
      },
      2,
    ),
    'a slot is freed': on(
      fc.record({
        slot,
        busy: fc.subarray([ada, ben, cleo], { maxLength: 2 }),
        bookable: fc.constantFrom(true, true, true, false),
      }),
      ({ slot: which, busy, bookable }, world, { now, newId }) => {
        const { slotId, start, startTime, endTime } = slotOf(which);
        const able = [ada, ben, cleo].filter((one) => !busy.includes(one)).map(({ id }) => id);
        const provider = { ...providerDecider.initial, minNoticeMinutes: 60 };
        return {
          command: offerFreedSlot,
          input: { slotId },
          facts: { provider, slot: bookable ? { startTime, endTime } : undefined, able },
          twice: 'nothing',
          expect: () => {
            const until = Math.min(now.getTime() + 30 * MINUTE, start - HOUR);
            const standing = world.entries.filter((entry) => stands(entry, now));
            if (!bookable || until < now.getTime() + 5 * MINUTE) return [];
            if (standing.some(({ offer }) => offer?.slotId === slotId)) return [];
            const next = world.entries.find(
              (entry) =>
                entry.from <= which.day &&
                which.day <= entry.to &&
                able.includes(entry.accountId) &&
                !entry.passed.includes(slotId) &&
                entry.offer?.slotId !== slotId &&
                !standing.some(({ accountId }) => accountId === entry.accountId),
            );
            if (next === undefined) return [];
            drop(next);
            next.offer = { id: newId('offer'), slotId, made: now.getTime(), until };
            const data = { entryId: next.id, accountId: next.accountId, slotId, startTime, until: at(until) };
            return [{ type: 'WaitingListOffered', data }];
          },
        };
      },
      8,
    ),
    settle: on(
      fc.record({ gone: fc.boolean(), named: fc.boolean(), place: fc.nat(5) }),
      ({ gone, named: isNamed, place }, world, { now }) => {
        const offerId = isNamed ? entryAt(world, place)?.offer?.id : undefined;
        const ids = gone ? world.entries.flatMap(({ offer }) => (offer === undefined ? [] : [offer.id])) : [];
        return {
          command: settleOffers,
          input: { providerId, ...(offerId === undefined ? {} : { offerId }) },
          facts: { gone: ids },
          twice: 'nothing',
          expect: () =>
            [...world.entries].flatMap((entry) => {
              const { offer } = entry;
              if (offer === undefined) return [];
              if (offer.until <= now.getTime() + 1000)
                return entry.unanswered === 2
                  ? end(world, entry, 'unanswered', 'expired')
                  : [endOffer(entry, 'expired')];
              const settled = offer.id === offerId || now.getTime() - offer.made >= MINUTE;
              return gone && settled ? [endOffer(entry, 'withdrawn')] : [];
            }),
        };
      },
      3,
    ),
    book: on(
      fc.record({ actor: who, slot, offered: fc.boolean() }),
      ({ actor, slot: which, offered }, world, { now }) => {
        const mine = world.entries.find((entry) => entry.accountId === actor.id && stands(entry, now))?.offer?.slotId;
        const free = slotOf(which).slotId;
        const slotId = offered ? (mine ?? free) : free;
        const day =
          [2, 3, 4].find((one) => [0, 1, 2].some((hour) => slotOf({ day: one, hour }).slotId === slotId)) ?? 0;
        return {
          command: endWaitingWithBooking,
          input: { providerId, accountId: actor.id, slotId },
          twice: 'nothing',
          expect: () =>
            world.entries
              .filter(({ accountId, from, to }) => accountId === actor.id && from <= day && day <= to)
              .flatMap((entry) =>
                end(world, entry, 'booked', entry.offer?.slotId === slotId ? 'accepted' : 'withdrawn'),
              ),
        };
      },
    ),
    'wait in vain': on(
      fc.record({
        because: fc.constantFrom(
          'past' as const,
          'past' as const,
          'account-closed' as const,
          'provider-inactive' as const,
        ),
        actor: who,
        ago: fc.constantFrom(0, MINUTE),
      }),
      ({ because, actor, ago }, world, { now }) => ({
        command: endWaiting,
        input: { providerId, because, accountId: actor.id, before: at(now.getTime() - ago) },
        twice: 'nothing',
        expect: () =>
          world.entries
            .filter(({ joined }) => joined <= now.getTime() - ago)
            .filter(({ to, accountId }) =>
              because === 'past'
                ? midnightAfter(to) <= now.getTime()
                : because === 'provider-inactive' || accountId === actor.id,
            )
            .flatMap((entry) => end(world, entry, because)),
      }),
    ),
  },
  seen: ({ entries }, { now }) =>
    entries.map((entry) => ({ id: entry.entryId, who: entry.accountId, offer: standingOffer(entry, now)?.offerId })),
  expected: ({ entries }, { now }) =>
    entries.map((entry) => ({
      id: entry.id,
      who: entry.accountId,
      offer: stands(entry, now) ? entry.offer?.id : undefined,
    })),
  always: ({ entries }, _world, _history, { now }) => {
    const standing = entries.filter((entry) => standingOffer(entry, now) !== undefined);
    const people = standing.map(({ accountId }) => accountId);
    assert.equal(new Set(people).size, people.length, 'nobody has two offers');
    const slots = standing.map(({ offer }) => offer?.slotId);
    assert.equal(new Set(slots).size, slots.length, 'no slot is offered twice');
  },
  refusals: [
    'provider-unknown',
    'own-calendar',
    'in-the-past',
    'beyond-horizon',
    'already-waiting',
    'waiting-too-often',
    'waiting-unknown',
    'no-offer',
  ],
});
