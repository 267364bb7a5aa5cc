import assert from 'node:assert/strict';
import fc from 'fast-check';
import { appointmentIdOf, slotIdOf } from '../../../src/domain/booking/ids.ts';
import * as commands from '../../../src/domain/booking/schedule/index.ts';
import {
  addTimeSlot,
  bookAppointment,
  cancelAppointment,
  cancelDisplacedAppointment,
  completeAppointment,
  displaced,
  expireSlotHold,
  holdForOffer,
  holdSlot,
  isLive,
  openDaySlots,
  placeMovedSlot,
  releaseOfferHold,
  releaseSlotHold,
  removeTimeSlot,
  rescheduleAppointment,
  reserveSlot,
  schedule,
  setDayHours,
  settleSlot,
  updateAppointmentNotes,
  updateTimeSlot,
} from '../../../src/domain/booking/schedule/index.ts';
import type { Actor } from '../../../src/domain/decider.ts';
import { model, movesIn, named, person } from '../../support/model.ts';
import { system } from '../../support/spec.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
const doctor = person('doctor', 'manage:provider-appointments');
const [ada, ben, root] = [person('ada'), person('ben'), person('root', '*:*')];
const day = '2026-03-03';
const here = { providerId: doctor.id, day };
const there = { providerId: doctor.id, day: '2026-03-04' };
const at = (ms: number): string => new Date(ms).toISOString();
const NINE = Date.parse(`${day}T09:00:00.000Z`);
const slotId = (startTime: string): string => slotIdOf({ ...here, startTime });
/** A slot of the next day, for appointments that move away. */
const AWAY = { startTime: '2026-03-04T08:00:00.000Z', endTime: '2026-03-04T08:30:00.000Z' };
const AWAY_ID = slotIdOf({ ...there, startTime: AWAY.startTime });
/** Appointments of the next day that may move here. */
const GUESTS = ['guest one', 'guest two'].map((name) => appointmentIdOf({ ...there, uuid: named(name) }));

type Slot = {
  startTime: string;
  endTime: string;
  heldBy?: string | undefined;
  held?: { by: string; at: number } | undefined;
  blocked?: boolean;
  closed?: boolean;
  kept?: Kept | undefined;
};
/** For whom a slot is held, or was last; in milliseconds. */
type Kept = {
  readonly by: string;
  readonly since: number;
  until: number;
  readonly used: number;
  readonly offerId?: string | undefined;
  over?: boolean;
};
type Hours = readonly { readonly start: string; readonly end: string }[];
type Appointment = {
  readonly clientId: string;
  slotId: string;
  startTime: string;
  endTime: string;
  status: 'SCHEDULED' | 'COMPLETED' | 'CANCELLED';
  notes: string | null;
  version: number;
};
type World = {
  readonly slots: Map<string, Slot>;
  readonly appointments: Map<string, Appointment>;
  readonly generations: Set<string>;
  /** The slots that guests take, as their own day says. */
  readonly guests: Map<string, string>;
  /** Moves of slots that came from another day. */
  readonly arrivals: Set<string>;
  active: boolean;
  /** Minutes that clients keep: between appointments, and before the start for cancelling and moving. */
  buffer: number;
  cutoff: number;
  /** What an exception leaves of the day, and the change that said so. */
  hours: { seq: number; intervals: Hours | null };
};
const on = movesIn<World>();
/** Moves by their names. */
const part = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, name]));

const party = (actor: Actor, clientId: string) =>
  actor === system
    ? 'system'
    : actor.id === clientId
      ? 'client'
      : actor === doctor
        ? 'provider'
        : actor === root
          ? 'admin'
          : undefined;
type Party = Exclude<ReturnType<typeof party>, undefined>;

/** Why a slot cannot be taken now, who takes it being another matter. Notice is an hour, the horizon a day. */
const unbookable = (world: World, slot: Slot | undefined, who: Party, now: Date): string | undefined => {
  if (slot === undefined || !world.active) return 'slot-unknown';
  const ahead = Date.parse(slot.startTime) - now.getTime();
  if (ahead < 0) return 'in-the-past';
  if (who === 'client' && ahead < HOUR) return 'notice-too-short';
  return who === 'client' && ahead > DAY ? 'beyond-horizon' : undefined;
};
const WORKING: Hours = [{ start: '09:00', end: '10:30' }];
const providerFacts = ({ active, buffer, cutoff }: World) => ({
  profile: { active, timezone: 'UTC', priceCents: null, currency: null },
  weekly: [{ dayOfWeek: 2, intervals: WORKING }],
  exceptions: [],
  minNoticeMinutes: 60,
  maxAdvanceDays: 1,
  bufferMinutes: buffer,
  cancelCutoffMinutes: cutoff,
  moveCutoffMinutes: cutoff,
});
/** Whether the half hour from a start lies in hours, by the clock of UTC. */
const within = (hours: Hours, startTime: string): boolean => {
  const minute = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
  const start = minute(startTime.slice(11));
  return start % 30 === 0 && hours.some(({ start: from, end }) => minute(from) <= start && start + 30 <= minute(end));
};
const isClosed = ({ hours }: World, startTime: string): boolean =>
  hours.intervals !== null && !within(hours.intervals, startTime);
const halfAnHour = (ms: number) => ({ startTime: at(ms), endTime: at(ms + 30 * MINUTE) });
const meets = (world: World, span: Slot, id?: string): boolean =>
  [...world.slots].some(([other, { startTime, endTime }]) =>
    other === id ? false : startTime < span.endTime && span.startTime < endTime,
  );
/** The id of a slot that is opened: that of its start, or the next free one. */
const freshId = ({ slots }: World, startTime: string): string => {
  let ms = Date.parse(startTime);
  while (slots.has(slotId(at(ms)))) ms += MINUTE;
  return slotId(at(ms));
};
/** Why nobody can take a slot, and whether clients must not because another appointment is too close. */
const untakable = (slot: Slot | undefined, appointmentId: string): string | undefined => {
  if (slot?.heldBy !== undefined && slot.heldBy !== appointmentId) return 'slot-taken';
  if (slot?.blocked) return 'slot-blocked';
  return slot?.closed ? 'slot-closed' : undefined;
};
const isKept = (kept: Kept | undefined, now: Date): kept is Kept =>
  kept !== undefined && !kept.over && kept.until > now.getTime();
/** Why a slot that is held cannot be taken, by or for others. */
const keptFrom = (slot: Slot | undefined, takers: readonly string[], now: Date): string | undefined =>
  isKept(slot?.kept, now) && !takers.includes(slot.kept.by) ? 'slot-held' : undefined;
/** The events by which holds end that nobody has ended yet. */
const lettingGo = (slots: readonly (readonly [string, Slot])[], now: Date, because: string) =>
  slots.map(([id, { kept }]) => {
    if (kept === undefined) throw new Error('Nobody holds it');
    const why = kept.until <= now.getTime() ? 'expired' : because;
    Object.assign(kept, { over: true, until: Math.min(kept.until, now.getTime()) });
    return {
      type: 'SlotHoldReleased',
      data: { slotId: id, accountId: kept.by, offerId: kept.offerId, because: why, at: now.toISOString() },
    };
  });
/** Why a slot cannot be held for a client. */
const unkeepable = (world: World, id: string, who: string, now: Date, busy: boolean): string | undefined => {
  const slot = world.slots.get(id);
  const refused = unbookable(world, slot, 'client', now);
  if (refused !== undefined) return refused;
  if (who === doctor.id) return 'own-calendar';
  const untaken = untakable(slot, '') ?? keptFrom(slot, [who], now);
  if (untaken !== undefined || slot === undefined) return untaken;
  if (crowded(world, slot, 'client', '', [LAST_NIGHT])) return 'buffer-needed';
  return busy ? 'own-overlap' : undefined;
};
const keepingFacts = (world: World, id: string, busy: boolean) => {
  const { startTime, endTime } = world.slots.get(id) ?? AWAY;
  return { provider: providerFacts(world), nearby: [LAST_NIGHT], claims: busy ? [{ startTime, endTime }] : [] };
};

/** A taken slot of the day before, as facts tell of it. */
const LAST_NIGHT = halfAnHour(NINE - 30 * MINUTE);
const crowded = (world: World, slot: Slot, who: Party, appointmentId: string, nearby: readonly Slot[]): boolean => {
  const distance = (other: Slot): number =>
    Math.max(
      Date.parse(other.startTime) - Date.parse(slot.endTime),
      Date.parse(slot.startTime) - Date.parse(other.endTime),
    );
  const taken = [...world.slots.values()].filter(({ heldBy }) => heldBy !== undefined && heldBy !== appointmentId);
  return (
    who === 'client' &&
    [...taken, ...nearby].some((other) => distance(other) < world.buffer * MINUTE && world.buffer > 0)
  );
};
const free = (world: World, id: string, appointmentId: string): void => {
  const slot = world.slots.get(id);
  if (slot?.heldBy === appointmentId) Object.assign(slot, { heldBy: undefined, held: undefined });
};
const closedMark = ({ slots }: World, id: string): true | undefined => (slots.get(id)?.closed ? true : undefined);
const slotAt = ({ slots }: World, place: number): string =>
  [...slots.keys()].sort()[place] ?? slotId('2026-03-03T20:00:00.000Z');
const appointmentAt = ({ appointments }: World, ago: number): string =>
  [...appointments.keys()].at(-1 - ago) ?? appointmentIdOf({ ...here, uuid: named('no appointment') });

/** An appointment that somebody wants to change, and the version that he has seen. */
const wanted = fc.record({
  ago: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  actor: fc.constantFrom(ada, ada, ben, doctor, root),
  stale: fc.constantFrom(false, false, false, false, true),
});
const place = fc.nat(5);
const claimed = fc.constantFrom(true, true, true, true, true, false);
const versionIn = (stale: boolean) => (stale ? { version: 1000 } : {});

/** What keeps everybody from changing an appointment: hidden, changed meanwhile, or over. */
const found = (
  world: World,
  appointmentId: string,
  actor: Actor,
): { appointment: Appointment; who: Party } | undefined => {
  const appointment = world.appointments.get(appointmentId);
  const who = appointment && party(actor, appointment.clientId);
  return appointment === undefined || who === undefined ? undefined : { appointment, who };
};
const withNotes = (appointment: Appointment, notes: string | null): string[] => {
  if (appointment.notes === notes) return [];
  appointment.notes = notes;
  appointment.version += 1;
  return ['AppointmentNotesUpdated'];
};
const notesFacts = ({ appointments }: World, appointmentId: string) => {
  const appointment = appointments.get(appointmentId);
  return appointment && { notes: appointment.notes, version: appointment.version };
};

const anOffer = (number: number): string => named(`offer ${number}`);

/** Somebody's wish to hold a slot, for the first time or for longer. */
const holding = (
  { id, actor, busy }: { readonly id: string; readonly actor: Actor; readonly busy: boolean },
  world: World,
  now: Date,
) => ({
  command: holdSlot,
  input: { slotId: id },
  actor,
  facts: keepingFacts(world, id, busy),
  twice: 'nothing' as const,
  expect: () => {
    const refused = unkeepable(world, id, actor.id, now, busy);
    const slot = world.slots.get(id);
    if (refused !== undefined || slot === undefined) return refused ?? '';
    const own = slot.kept?.by === actor.id ? slot.kept : undefined;
    if (isKept(own, now) && own.offerId) return [];
    const t = now.getTime();
    const fresh = own === undefined || t - own.until >= 600 * SECOND;
    const goesOn = own !== undefined && !own.over && own.until > t;
    const used = fresh
      ? 0
      : goesOn
        ? own.used
        : own.used + Math.ceil(Math.max(0, own.until - own.since) / SECOND) * SECOND;
    const since = goesOn ? own.since : t;
    if (!goesOn && 360 * SECOND - used < 30 * SECOND) return 'hold-used-up';
    const until = Math.min(t + 120 * SECOND, since + 360 * SECOND - used);
    if (goesOn && until - own.until < 20 * SECOND) return [];
    const others = [...world.slots]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .filter(([other, { kept }]) => other !== id && isKept(kept, now) && kept.by === actor.id && !kept.offerId);
    const gone = lettingGo(others, now, 'another-slot');
    slot.kept = { by: actor.id, since, until, used };
    const data = {
      slotId: id,
      accountId: actor.id,
      heldAt: at(since),
      until: at(until),
      usedSeconds: used / SECOND,
    };
    return [...gone, { type: 'SlotHeld', data }];
  },
});

/** What is done about slots that are held. */
const holds = {
  hold: on(
    fc.record({
      actor: fc.constantFrom(ada, ada, ben, doctor),
      place: fc.nat(2),
      busy: fc.constantFrom(false, false, false, false, true),
    }),
    ({ place, ...of }, world, { now }) => holding({ ...of, id: slotAt(world, place) }, world, now),
    4,
  ),
  'hold on': on(
    fc.constant(false),
    (busy, world, { now }) => {
      const [id, slot] = [...world.slots].find(([, { kept }]) => kept !== undefined) ?? [];
      const actor = [ada, ben].find((one) => one.id === slot?.kept?.by);
      return id === undefined || actor === undefined ? undefined : holding({ id, actor, busy }, world, now);
    },
    2,
  ),
  'let go': on(
    fc.record({ actor: fc.constantFrom(ada, ada, ben), place: fc.nat(2) }),
    ({ actor, place }, world, { now }) => {
      const id = slotAt(world, place);
      const slot = world.slots.get(id);
      return {
        command: releaseSlotHold,
        input: { slotId: id },
        actor,
        twice: 'nothing',
        expect: () => {
          if (slot?.kept?.by !== actor.id || slot.kept.offerId) return 'hold-unknown';
          return slot.kept.over ? [] : lettingGo([[id, slot]], now, 'given-up');
        },
      };
    },
    2,
  ),
  'a hold ends': on(
    fc.record({ who: fc.constantFrom(ada, ben), place: fc.nat(2) }),
    ({ who, place }, world, { now }) => {
      const id = slotAt(world, place);
      const slot = world.slots.get(id);
      return {
        command: expireSlotHold,
        input: { slotId: id, accountId: who.id },
        twice: 'nothing',
        expect: () => {
          const { kept } = slot ?? {};
          if (slot === undefined || kept?.by !== who.id || kept.over || kept.until > now.getTime() + SECOND) return [];
          return lettingGo([[id, slot]], now, 'expired');
        },
      };
    },
    3,
  ),
  'hold for an offer': on(
    fc.record({
      who: fc.constantFrom(ada, ben, doctor),
      number: fc.nat(3),
      place: fc.nat(2),
      busy: fc.constantFrom(false, false, false, true),
    }),
    ({ who, number, place, busy }, world, { now }) => {
      const [id, offerId] = [slotAt(world, place), anOffer(number)];
      const until = now.getTime() + 1800 * SECOND;
      return {
        command: holdForOffer,
        input: { slotId: id, offerId, accountId: who.id, until: at(until) },
        facts: keepingFacts(world, id, busy),
        twice: 'nothing',
        expect: () => {
          const slot = world.slots.get(id);
          if (slot?.kept?.offerId === offerId) return [];
          const refused = keptFrom(slot, [], now) ?? unkeepable(world, id, who.id, now, busy);
          if (refused !== undefined || slot === undefined) return refused ?? '';
          slot.kept = { by: who.id, since: now.getTime(), until, used: 0, offerId };
          return [{ type: 'SlotHeld', data: { slotId: id, accountId: who.id, offerId, until: at(until) } }];
        },
      };
    },
  ),
  'an offer ends': on(fc.record({ number: fc.nat(3), place: fc.nat(2) }), ({ number, place }, world, { now }) => {
    const [id, offerId] = [slotAt(world, place), anOffer(number)];
    const slot = world.slots.get(id);
    return {
      command: releaseOfferHold,
      input: { slotId: id, offerId },
      twice: 'nothing',
      expect: () =>
        slot?.kept?.offerId === offerId && !slot.kept.over ? lettingGo([[id, slot]], now, 'offer-ended') : [],
    };
  }),
};

/** One day of one provider: slots that never overlap, each taken by one appointment at most. */
export const scheduleModel = model({
  decider: schedule,
  commands,
  world: (): World => ({
    slots: new Map(),
    appointments: new Map(),
    generations: new Set(),
    guests: new Map(),
    arrivals: new Set(),
    active: true,
    buffer: 0,
    cutoff: 0,
    hours: { seq: -1, intervals: null },
  }),
  first: 'open slots',
  waits: [20 * SECOND, 41 * SECOND, 60 * SECOND, 30 * MINUTE, 6 * HOUR, 23 * HOUR],
  moments: ({ appointments, slots }) => [
    ...[...slots.values()].flatMap(({ kept }) => (kept === undefined ? [] : [kept.until, kept.until + 600 * SECOND])),
    ...[...appointments.values()].flatMap(({ startTime, endTime }) => [
      Date.parse(startTime) - 2 * HOUR,
      Date.parse(startTime) - HOUR,
      Date.parse(startTime),
      Date.parse(startTime) + DAY,
      Date.parse(endTime) + DAY,
    ]),
  ],
  length: 80,
  lives: 300,
  moves: {
    'the provider is': on(fc.constantFrom(true, true, true, false), (active, world) => {
      world.active = active;
      return undefined;
    }),
    'clients keep': on(
      fc.record({ buffer: fc.constantFrom(0, 0, 15, 30), cutoff: fc.constantFrom(0, 1200, 1200) }),
      (minutes, world) => {
        Object.assign(world, minutes);
        return undefined;
      },
      4,
    ),
    'set hours': on(
      fc.record({
        seq: fc.nat(9),
        hours: fc.constantFrom<Hours | null>(null, null, null, null, [], WORKING, [{ start: '09:30', end: '11:00' }]),
        cancelBooked: fc.boolean(),
      }),
      ({ seq, hours, cancelBooked }, world, { now }) => ({
        command: setDayHours,
        input: { ...here, seq, intervals: hours && [...hours], timezone: 'UTC', cancelBooked },
        twice: 'nothing',
        expect: () => {
          if (seq <= world.hours.seq) return [];
          const shut = ({ startTime }: Slot): boolean => hours !== null && !within(hours, startTime);
          const slots = [...world.slots.entries()];
          const booked = slots.some(
            ([, slot]) => shut(slot) && slot.heldBy && Date.parse(slot.startTime) > now.getTime(),
          );
          if (booked && !cancelBooked) return 'slots-booked';
          const closed = slots
            .filter(([, slot]) => shut(slot) && !slot.closed)
            .map(([id, { startTime }]) => ({ slotId: id, startTime }));
          const opened = slots
            .filter(([, slot]) => !shut(slot) && slot.closed)
            .map(([id, { startTime, heldBy, blocked }]) => ({
              ...{ slotId: id, startTime },
              isAvailable: heldBy === undefined && !blocked,
            }));
          for (const [, slot] of slots) {
            if (shut(slot) && !slot.closed) slot.kept = undefined;
            slot.closed = shut(slot);
          }
          world.hours = { seq, intervals: hours };
          return [{ type: 'DayHoursChanged', data: { seq, intervals: hours, closed, opened } }];
        },
      }),
      1,
    ),
    'add a slot': on(
      fc.record({
        half: fc.nat(5),
        minute: fc.constantFrom(0, 0, 0, 15),
        force: fc.boolean(),
        provider: fc.constantFrom(true, true, true, false),
      }),
      ({ half, minute, force, provider: known }, world, { now }) => {
        const span = halfAnHour(NINE + (half * 30 + minute) * MINUTE);
        const { profile: _none, ...nobody } = providerFacts(world);
        return {
          command: addTimeSlot,
          input: { ...span, force },
          actor: doctor,
          facts: { provider: known ? providerFacts(world) : nobody },
          expect: () => {
            if (!known) return 'no-provider-profile';
            if (Date.parse(span.startTime) < now.getTime()) return 'in-the-past';
            if (minute !== 0) return 'off-grid';
            if (!force && !within(WORKING, span.startTime)) return 'outside-working-hours';
            if (meets(world, span)) return 'slot-overlap';
            const id = freshId(world, span.startTime);
            world.slots.set(id, { ...span, closed: isClosed(world, span.startTime) });
            return [{ type: 'TimeSlotAdded', data: { slotId: id, ...span, isAvailable: true } }];
          },
        };
      },
      2,
    ),
    'update a slot': on(
      fc.record({
        place,
        isAvailable: fc.constantFrom(undefined, true, false, false),
        to: fc.option(fc.record({ days: fc.constantFrom(0, 0, 0, 1), half: fc.nat(5) }), { nil: undefined }),
        byEnd: fc.boolean(),
        force: fc.boolean(),
        actor: fc.constantFrom(doctor, doctor, doctor, doctor, root),
      }),
      ({ place, isAvailable, to, byEnd, force, actor }, world, { now, newId }) => {
        const id = slotAt(world, place);
        const slot = world.slots.get(id);
        const span = to && halfAnHour(NINE + to.days * DAY + to.half * 30 * MINUTE);
        if (span === undefined && isAvailable === undefined) return undefined;
        return {
          command: updateTimeSlot,
          input: {
            ...{ slotId: id, force },
            ...(span === undefined ? {} : byEnd ? { endTime: span.endTime } : { startTime: span.startTime }),
            ...(isAvailable === undefined ? {} : { isAvailable }),
          },
          actor,
          facts: { provider: providerFacts(world) },
          expect: () => {
            if (slot === undefined || actor !== doctor) return 'slot-unknown';
            const blocked = isAvailable === undefined ? slot.blocked === true : !isAvailable;
            const moves = span !== undefined && span.startTime !== slot.startTime;
            if (!moves && blocked === (slot.blocked === true)) return [];
            if (moves && Date.parse(span.startTime) < now.getTime()) return 'in-the-past';
            if (slot.heldBy !== undefined) return 'slot-booked';
            const working = to?.days === 0 && within(WORKING, span?.startTime ?? '');
            if (moves && !force && !working) return 'outside-working-hours';
            if (moves && to?.days === 1) {
              world.slots.delete(id);
              const { startTime, endTime } = slot;
              const movedTo = { moveId: newId('move'), day: there.day, ...span, isAvailable: !blocked };
              return [{ type: 'TimeSlotRemoved', data: { slotId: id, startTime, endTime, movedTo } }];
            }
            const next = moves ? span : slot;
            if (meets(world, next, id)) return 'slot-overlap';
            const { startTime, endTime } = next;
            Object.assign(slot, { startTime, endTime, blocked, closed: isClosed(world, startTime), kept: undefined });
            return [{ type: 'TimeSlotUpdated', data: { slotId: id, startTime, endTime, isAvailable: !blocked } }];
          },
        };
      },
      2,
    ),
    'remove a slot': on(
      fc.record({ place, actor: fc.constantFrom(doctor, doctor, doctor, root) }),
      ({ place, actor }, world) => {
        const id = slotAt(world, place);
        return {
          command: removeTimeSlot,
          input: { slotId: id },
          actor,
          expect: () => {
            const slot = world.slots.get(id);
            if (slot === undefined || actor !== doctor) return 'slot-unknown';
            if (slot.heldBy !== undefined) return 'slot-booked';
            world.slots.delete(id);
            return [{ type: 'TimeSlotRemoved', data: { slotId: id, movedTo: undefined } }];
          },
        };
      },
    ),
    'a slot comes': on(
      fc.record({
        move: fc.nat(5),
        half: fc.nat(6),
        isAvailable: fc.boolean(),
        putBack: fc.constantFrom(false, false, true),
      }),
      ({ move, half, isAvailable, putBack }, world) => {
        const moveId = named(`move ${move}`);
        const span = halfAnHour(NINE + half * 30 * MINUTE);
        return {
          command: placeMovedSlot,
          input: { ...here, moveId, ...span, isAvailable, from: { day: there.day, ...AWAY } },
          facts: { provider: providerFacts(world), putBack },
          twice: 'nothing',
          expect: () => {
            if (putBack || world.arrivals.has(moveId)) return [];
            if (meets(world, span)) return 'slot-overlap';
            const id = freshId(world, span.startTime);
            world.slots.set(id, { ...span, blocked: !isAvailable, closed: isClosed(world, span.startTime) });
            world.arrivals.add(moveId);
            return [{ type: 'TimeSlotAdded', data: { slotId: id, moveId, isAvailable } }];
          },
        };
      },
    ),
    displace: on(
      fc.record({ ago: fc.nat(3), elsewhere: fc.constantFrom(false, false, true) }),
      ({ ago, elsewhere }, world) => {
        const appointmentId = appointmentAt(world, ago);
        const appointment = world.appointments.get(appointmentId);
        const id = elsewhere || appointment === undefined ? slotAt(world, 0) : appointment.slotId;
        return {
          command: cancelDisplacedAppointment,
          input: { appointmentId, slotId: id },
          facts: { reason: 'Away' },
          twice: 'nothing',
          expect: () => {
            if (appointment?.status !== 'SCHEDULED' || appointment.slotId !== id) return [];
            const closed = closedMark(world, id);
            free(world, id, appointmentId);
            Object.assign(appointment, { status: 'CANCELLED', version: appointment.version + 1 });
            return [
              { type: 'AppointmentCancelled', data: { by: 'provider', actorId: doctor.id, reason: 'Away', closed } },
            ];
          },
        };
      },
    ),
    'open slots': on(
      fc.record({
        generation: fc.nat(3),
        late: fc.constantFrom(0, 0, 15),
        halves: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 5 }),
      }),
      ({ generation, late, halves }, world) => {
        const generationId = named(`generation ${generation}`);
        const slots = halves
          .toSorted((a, b) => a - b)
          .map((half) => NINE + (late + 30 * half) * MINUTE)
          .map((ms) => ({ startTime: at(ms), endTime: at(ms + 30 * MINUTE) }));
        return {
          command: openDaySlots,
          input: { ...here, generationId, slots, timezone: 'UTC' },
          twice: 'nothing',
          expect: () => {
            if (world.generations.has(generationId)) return [];
            const there = [...world.slots.values()];
            const opened = slots.filter(
              (slot) => !there.some((one) => one.startTime < slot.endTime && slot.startTime < one.endTime),
            );
            if (opened.length === 0) return [];
            world.generations.add(generationId);
            const ids = opened.map((slot) => ({
              ...{ slotId: freshId(world, slot.startTime), ...slot },
              ...(isClosed(world, slot.startTime) ? { closed: true } : {}),
            }));
            for (const { slotId: id, ...slot } of ids) world.slots.set(id, slot);
            const skipped = slots.length - opened.length;
            return [{ type: 'TimeSlotsGenerated', data: { generationId, slots: ids, skipped } }];
          },
        };
      },
    ),
    book: on(
      fc.record({
        actor: fc.constantFrom(ada, ada, ben, doctor, root),
        onBehalfOf: fc.constantFrom(undefined, undefined, ada, ben, doctor),
        exists: fc.constantFrom(true, true, true, true, false),
        place,
        notes: fc.constantFrom(null, 'Knee'),
        claimed,
      }),
      ({ actor, onBehalfOf, exists, place, notes, claimed }, world, { now, newId }) => {
        const wantedSlot = slotAt(world, place);
        const slot = world.slots.get(wantedSlot);
        const clientId = (onBehalfOf ?? actor).id;
        const appointmentId = appointmentIdOf({ ...here, uuid: newId('appointment') });
        return {
          command: bookAppointment,
          input: { slotId: wantedSlot, notes, ...(onBehalfOf && { onBehalfOf: onBehalfOf.id }) },
          actor,
          facts: {
            provider: providerFacts(world),
            beneficiaryExists: exists,
            nearby: [LAST_NIGHT],
            claims: claimed && slot ? [{ appointmentId, startTime: slot.startTime }] : [],
          },
          twice: 'nothing',
          expect: () => {
            if (slot === undefined || !world.active) return 'slot-unknown';
            if (clientId === doctor.id) return 'own-calendar';
            const who = party(actor, clientId);
            if (who === undefined) return 'not-on-behalf';
            if (!exists) return 'account-unknown';
            const refused = unbookable(world, slot, who, now);
            if (refused !== undefined) return refused;
            const untaken = untakable(slot, appointmentId);
            if (untaken !== undefined) return untaken;
            const kept = keptFrom(slot, [actor.id, clientId], now);
            if (kept !== undefined) return kept;
            if (crowded(world, slot, who, appointmentId, [LAST_NIGHT])) return 'buffer-needed';
            if (!claimed) return 'contended';
            Object.assign(slot, { heldBy: appointmentId, kept: undefined });
            const { startTime, endTime } = slot;
            const booked = { clientId, slotId: wantedSlot, startTime, endTime };
            world.appointments.set(appointmentId, { ...booked, status: 'SCHEDULED', notes, version: 0 });
            return [{ type: 'AppointmentBooked', data: { appointmentId, bookedBy: who, notes, ...booked } }];
          },
        };
      },
      10,
    ),
    move: on(
      fc.record({
        wanted,
        place: fc.option(place, { freq: 3 }),
        /** What becomes of the slot of the other day before: nobody, somebody else or the appointment takes it, just now or long ago. */
        away: fc.constantFrom('free', 'taken', 'held', 'held', 'held long ago'),
        notes: fc.constantFrom(undefined, undefined, null, 'Knee', 'Hip'),
        claimed,
      }),
      ({ wanted: { ago, actor, stale }, place, away, notes, claimed }, world, { now }) => {
        const appointmentId = appointmentAt(world, ago);
        const target = place === null ? AWAY_ID : slotAt(world, place);
        const slot = place === null ? AWAY : world.slots.get(target);
        const heldSince = at(now.getTime() - (away === 'held' ? 40 : 41) * SECOND);
        const held = { heldBy: appointmentId, reservation: { id: 'r', at: heldSince } };
        const other = away === 'free' ? {} : away === 'taken' ? { heldBy: GUESTS[0] } : held;
        return {
          command: rescheduleAppointment,
          input: { appointmentId, slotId: target, ...(notes === undefined ? {} : { notes }), ...versionIn(stale) },
          actor,
          facts: {
            provider: providerFacts(world),
            claims: claimed && slot ? [{ appointmentId, startTime: slot.startTime }] : [],
            notes: notesFacts(world, appointmentId),
            ...(place === null ? { target: { ...AWAY, ...other } } : {}),
          },
          expect: () => {
            const own = found(world, appointmentId, actor);
            if (own === undefined) return 'appointment-unknown';
            const { appointment, who } = own;
            if (who === 'admin') return 'not-a-party';
            if (stale) return 'stale-version';
            if (appointment.status !== 'SCHEDULED') return 'appointment-ended';
            const noted = () => (notes === undefined ? [] : withNotes(appointment, notes));
            if (appointment.slotId === target) return noted();
            if (Date.parse(appointment.startTime) <= now.getTime()) return 'appointment-started';
            const left = Date.parse(appointment.startTime) - now.getTime();
            if (who === 'client' && left <= world.cutoff * MINUTE) return 'too-late-to-move';
            const refused = unbookable(world, slot, who, now);
            if (refused !== undefined || slot === undefined) return refused ?? '';
            if (place === null && away === 'taken') return 'slot-taken';
            const untaken = place === null ? undefined : untakable(slot, appointmentId);
            if (untaken !== undefined) return untaken;
            const kept = place === null ? undefined : keptFrom(slot, [actor.id, appointment.clientId], now);
            if (kept !== undefined) return kept;
            if (crowded(world, slot, who, appointmentId, [])) return 'buffer-needed';
            if (place === null && away !== 'held') return 'contended';
            if (!claimed) return 'contended';
            const closedField = { closed: closedMark(world, appointment.slotId) };
            free(world, appointment.slotId, appointmentId);
            const taken = world.slots.get(target);
            if (taken !== undefined) Object.assign(taken, { heldBy: appointmentId, kept: undefined });
            const { startTime, endTime } = slot;
            Object.assign(appointment, { slotId: target, startTime, endTime, version: appointment.version + 1 });
            const moved = { toSlotId: target, startTime, by: who, ...closedField };
            return [{ type: 'AppointmentRescheduled', data: moved }, ...noted()];
          },
        };
      },
      9,
    ),
    note: on(
      fc.record({ wanted, notes: fc.constantFrom(null, 'Knee', 'Hip') }),
      ({ wanted: { ago, actor, stale }, notes }, world) => {
        const appointmentId = appointmentAt(world, ago);
        return {
          command: updateAppointmentNotes,
          input: { appointmentId, notes, ...versionIn(stale) },
          actor,
          facts: notesFacts(world, appointmentId),
          expect: () => {
            const own = found(world, appointmentId, actor);
            if (own === undefined) return 'appointment-unknown';
            if (own.who === 'admin') return 'not-a-party';
            if (stale) return 'stale-version';
            return own.appointment.status === 'SCHEDULED' ? withNotes(own.appointment, notes) : 'appointment-ended';
          },
        };
      },
    ),
    cancel: on(
      wanted,
      ({ ago, actor, stale }, world, { now }) => {
        const appointmentId = appointmentAt(world, ago);
        return {
          command: cancelAppointment,
          input: { appointmentId, reason: 'Ill', ...versionIn(stale) },
          actor,
          facts: { provider: providerFacts(world) },
          expect: () => {
            const own = found(world, appointmentId, actor);
            if (own === undefined) return 'appointment-unknown';
            const { appointment, who } = own;
            if (stale) return 'stale-version';
            if (appointment.status !== 'SCHEDULED') return 'appointment-ended';
            const until = Date.parse(appointment.startTime) + (who === 'client' ? 0 : DAY);
            if (now.getTime() >= until) return 'appointment-started';
            const left = Date.parse(appointment.startTime) - now.getTime();
            if (who === 'client' && left <= world.cutoff * MINUTE) return 'too-late-to-cancel';
            const cancelled = {
              by: who,
              slotId: appointment.slotId,
              reason: 'Ill',
              closed: closedMark(world, appointment.slotId),
            };
            free(world, appointment.slotId, appointmentId);
            Object.assign(appointment, { status: 'CANCELLED', version: appointment.version + 1 });
            return [{ type: 'AppointmentCancelled', data: cancelled }];
          },
        };
      },
      6,
    ),
    complete: on(
      fc.record({ wanted, bySystem: fc.constantFrom(true, false, false) }),
      ({ wanted: { ago, actor, stale }, bySystem }, world, { now }) => {
        const appointmentId = appointmentAt(world, ago);
        const by = bySystem ? system : actor;
        return {
          command: completeAppointment,
          input: { appointmentId, outcome: 'no_show', ...versionIn(stale) },
          actor: by,
          expect: () => {
            const own = found(world, appointmentId, by);
            if (own === undefined) return 'appointment-unknown';
            const { appointment, who } = own;
            if (who === 'client') return 'not-the-provider';
            if (stale) return 'stale-version';
            if (appointment.status !== 'SCHEDULED') return 'appointment-ended';
            const from = bySystem ? Date.parse(appointment.endTime) + DAY : Date.parse(appointment.startTime);
            if (now.getTime() < from) return 'not-started';
            Object.assign(appointment, { status: 'COMPLETED', version: appointment.version + 1 });
            return [{ type: 'AppointmentCompleted', data: { by: who, outcome: 'no_show' } }];
          },
        };
      },
    ),
    'reserve for a guest': on(
      fc.record({ guest: fc.nat(1), place, attempt: fc.nat(1), client: fc.constantFrom(ada, ben) }),
      ({ guest, place, attempt, client }, world, { now }) => {
        const [appointmentId = '', reservationId] = [GUESTS[guest], `attempt ${attempt}`];
        const wantedSlot = slotAt(world, place);
        return {
          command: reserveSlot,
          input: { slotId: wantedSlot, appointmentId, reservationId, clientId: client.id },
          twice: 'nothing',
          expect: () => {
            const slot = world.slots.get(wantedSlot);
            if (slot === undefined) return 'slot-unknown';
            const untaken = untakable(slot, appointmentId);
            if (untaken !== undefined) return untaken;
            const kept = keptFrom(slot, [client.id], now);
            if (kept !== undefined) return kept;
            const { held } = slot;
            const age = held === undefined ? 0 : now.getTime() - held.at;
            if (held !== undefined && held.by !== reservationId && age < 60 * SECOND) return 'move-under-way';
            if (held?.by === reservationId && age < 20 * SECOND) return [];
            const attempt = { by: reservationId, at: now.getTime() };
            Object.assign(slot, { heldBy: appointmentId, held: attempt, kept: undefined });
            return ['SlotReserved'];
          },
        };
      },
      4,
    ),
    'a guest takes': on(fc.record({ guest: fc.nat(1), place }), ({ guest, place }, { slots, guests }) => {
      const appointmentId = GUESTS[guest] ?? '';
      const held = [...slots].filter(([, { heldBy }]) => heldBy === appointmentId).map(([id]) => id);
      const taken = held[place];
      if (taken === undefined) guests.delete(appointmentId);
      else guests.set(appointmentId, taken);
      return undefined;
    }),
    'settle a guest': on(
      fc.record({ guest: fc.nat(1), place, attempt: fc.option(fc.nat(1), { nil: undefined }) }),
      ({ guest, place, attempt }, world, { now }) => {
        const appointmentId = GUESTS[guest] ?? '';
        const wantedSlot = slotAt(world, place);
        const takes = world.guests.get(appointmentId);
        return {
          command: settleSlot,
          input: {
            ...{ slotId: wantedSlot, appointmentId },
            ...(attempt === undefined ? {} : { reservationId: `attempt ${attempt}` }),
          },
          facts: { slotId: takes },
          twice: 'nothing',
          expect: () => {
            const slot = world.slots.get(wantedSlot);
            if (slot?.heldBy !== appointmentId || slot.held === undefined || takes === wantedSlot) return [];
            const ours = slot.held.by === `attempt ${attempt}`;
            if (!ours && now.getTime() - slot.held.at < 60 * SECOND) return [];
            free(world, wantedSlot, appointmentId);
            return ['SlotReleased'];
          },
        };
      },
      2,
    ),
    ...holds,
  },
  parts: [
    holds,
    part(['hold', 'hold on']),
    part(['clients keep', 'the provider is', 'book', 'move', 'cancel', 'complete']),
  ],
  seen: (state, { now }) => ({
    slots: Object.entries(state.slots).map(([id, { startTime, heldBy, blocked, closed, hold }]) => ({
      ...{ id, startTime, heldBy, blocked: blocked ?? false, closed: closed ?? false },
      keptFor: isLive(hold, now) ? hold?.accountId : undefined,
    })),
    displaced: displaced(state, now).map(({ slotId: id }) => id),
    appointments: Object.entries(state.appointments).map(
      ([id, { clientId, slotId, startTime, status, hasNotes, version }]) => ({
        ...{ id, clientId, slotId, startTime, status, hasNotes, version },
      }),
    ),
  }),
  expected: ({ slots, appointments }, { now }) => ({
    slots: [...slots].map(([id, { startTime, heldBy, blocked = false, closed = false, kept }]) => ({
      ...{ id, startTime, heldBy, blocked, closed },
      keptFor: isKept(kept, now) ? kept.by : undefined,
    })),
    displaced: [...slots]
      .filter(([, { heldBy, closed, startTime }]) => heldBy && closed && Date.parse(startTime) > now.getTime())
      .map(([id]) => id),
    appointments: [...appointments].map(([id, { clientId, slotId, startTime, status, notes, version }]) => ({
      ...{ id, clientId, slotId, startTime, status, hasNotes: notes !== null, version },
    })),
  }),
  always: ({ slots, appointments }) => {
    const spans = Object.values(slots).sort((a, b) => (a.startTime < b.startTime ? -1 : 1));
    for (const [index, { startTime }] of spans.entries())
      assert.ok(startTime >= (spans[index - 1]?.endTime ?? ''), 'no two slots overlap');
    const taken = Object.values(appointments)
      .filter(({ status }) => status !== 'CANCELLED')
      .map((appointment) => appointment.slotId)
      .filter((id) => id !== AWAY_ID);
    assert.equal(new Set(taken).size, taken.length, 'no slot is booked twice');
    for (const id of taken) assert.notEqual(slots[id]?.heldBy, undefined, 'a booked slot is taken');
  },
  refusals: [
    'slot-unknown',
    'own-calendar',
    'not-on-behalf',
    'account-unknown',
    'in-the-past',
    'notice-too-short',
    'beyond-horizon',
    'slot-taken',
    'contended',
    'appointment-unknown',
    'not-a-party',
    'stale-version',
    'appointment-ended',
    'appointment-started',
    'not-the-provider',
    'not-started',
    'move-under-way',
    'slot-blocked',
    'slot-closed',
    'slot-held',
    'own-overlap',
    'hold-used-up',
    'hold-unknown',
    'buffer-needed',
    'too-late-to-move',
    'too-late-to-cancel',
    'slots-booked',
    'slot-booked',
    'slot-overlap',
    'off-grid',
    'outside-working-hours',
    'no-provider-profile',
  ],
});
