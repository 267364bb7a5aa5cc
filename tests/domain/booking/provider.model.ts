import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/booking/provider/index.ts';
import {
  abandonExceptionChange,
  addAvailabilityException,
  announceSlots,
  cancelDisplacedAppointments,
  closeProvider,
  completeSlotGeneration,
  createProviderProfile,
  generateTimeSlots,
  provider,
  removeAvailabilityException,
  restoreDayHours,
  resumeSlotGeneration,
  setAvailability,
  startExceptionChange,
  updateProviderProfile,
} from '../../../src/domain/booking/provider/index.ts';
import { model, movesIn, named, person } from '../../support/model.ts';
import { now as start } from '../../support/spec.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const [doctor, root, other] = [person('doctor', 'manage:availability'), person('root', '*:*'), person('other')];
const ZONES = ['Europe/Luxembourg', 'UTC', 'Asia/Kolkata', 'America/New_York', 'Australia/Lord_Howe'] as const;

type Interval = { readonly start: string; readonly end: string };
type Hours = { readonly dayOfWeek: number; readonly intervals: readonly Interval[] };
/** What the clock of a zone shows at an instant. */
type Local = { readonly date: string; readonly weekday: number; readonly minute: number; readonly offset: string };

const clocks = new Map(ZONES.map((zone) => [zone as string, new Map<number, Local>()]));
const clockOf = (zone: string, ms: number): Local => {
  const clock = clocks.get(zone);
  const known = clock?.get(ms);
  if (known !== undefined) return known;
  const at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
  const local = {
    date: at.toPlainDate().toString(),
    weekday: at.dayOfWeek,
    minute: at.hour * 60 + at.minute,
    offset: at.offset,
  };
  clock?.set(ms, local);
  return local;
};
const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
const holds = (intervals: readonly Interval[], minute: number): boolean =>
  intervals.some(({ start, end }) => minuteOf(start) <= minute && minute + 30 <= minuteOf(end));

/** The starts of slots, found by looking at the clock every half an hour; the zones here count in those. */
const startsIn = (
  { zone, from, to, notBefore }: { zone: string; from: string; to: string; notBefore: number },
  wanted: (local: Local) => boolean,
): number[] => {
  const starts: number[] = [];
  const end = Date.parse(to) + 2 * DAY;
  const begin = Date.parse(from) - DAY;
  const passed = Math.max(0, Math.ceil((notBefore - begin) / (30 * MINUTE)));
  for (let ms = begin + passed * 30 * MINUTE; ms < end; ms += 30 * MINUTE) {
    const local = clockOf(zone, ms);
    if (local.date < from || local.date > to || local.minute % 30 !== 0) continue;
    if (wanted(local) && clockOf(zone, ms + 30 * MINUTE - 1).offset === local.offset) starts.push(ms);
  }
  return starts;
};

type Fields = { readonly displayName: string; readonly bio: string | null };
type World = {
  profile?: { active: boolean; zone: string; fields: Fields };
  weekly: readonly Hours[];
  notice: number;
  advance: number;
  version: number;
  lastEnd: number;
  /** Generations by the order of their beginning; those not completed. */
  readonly generations: string[];
  readonly open: Set<string>;
  /** By their dates. */
  exceptions: readonly Exception[];
  change?: Change | undefined;
  /** Of the latest change begun or given up. */
  seq: number;
};
type Exception = {
  readonly exceptionId: string;
  readonly from: string;
  readonly to: string;
  readonly intervals: readonly Interval[];
};
type Change = { readonly changeId: string; readonly added: readonly Exception[]; readonly removed: readonly string[] };
const on = movesIn<World>();

const WEEKS: readonly (readonly Hours[])[] = [
  [],
  [1, 2, 3, 4, 5].map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start: '09:00', end: '12:00' }] })),
  [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start: '00:00', end: '24:00' }] })),
  [
    { dayOfWeek: 3, intervals: [] },
    {
      dayOfWeek: 7,
      intervals: [
        { start: '00:30', end: '02:00' },
        { start: '02:00', end: '04:30' },
      ],
    },
  ],
];
const SPANS: readonly (readonly Interval[])[] = [
  [{ start: '10:00', end: '11:00' }],
  [
    { start: '00:00', end: '02:30' },
    { start: '11:30', end: '13:00' },
  ],
];
const dateIn = (zone: string, now: Date, days = 0): string =>
  Temporal.PlainDate.from(clockOf(zone, now.getTime()).date).add({ days }).toString();
/** What becomes of the exceptions when a change comes about that everybody has agreed to. */
const comeAbout = (
  world: World,
  changeId: string | undefined,
  reasons: readonly (Exception & { reason: string })[] = [],
) => {
  const { change } = world;
  if (change === undefined || change.changeId !== changeId) return 'contended';
  world.change = undefined;
  world.seq += 1;
  const { seq } = world;
  world.version += change.added.length + change.removed.length;
  const kept = world.exceptions.filter(({ exceptionId }) => !change.removed.includes(exceptionId));
  world.exceptions = [...kept, ...change.added].toSorted((a, b) => (a.from < b.from ? -1 : 1));
  return [
    ...change.removed.map((exceptionId) => ({ type: 'AvailabilityExceptionRemoved', data: { exceptionId, seq } })),
    ...change.added.map(({ exceptionId, from, to, intervals }) => {
      const reason = reasons.find((one) => one.from === from && one.to === to)?.reason ?? null;
      const closed = intervals.length === 0;
      return { type: 'AvailabilityExceptionAdded', data: { exceptionId, from, to, closed, reason } };
    }),
  ];
};
const asked = ({ from, to, intervals }: Exception) => ({
  ...{ from, to, reason: 'Away' },
  ...(intervals.length === 0 ? { closed: true } : { intervals: [...intervals] }),
});
/** Which change a command believes to bring about: mostly the one under way. */
const believed = fc.constantFrom('present', 'present', 'present', 'none', 'former');
const changeOf = (drawn: string, { change }: World): string | undefined =>
  drawn === 'none' ? undefined : drawn === 'present' ? change?.changeId : named('a former change');

const zone = fc.option(fc.constantFrom(...ZONES), { nil: undefined });
/** The version that the change is meant for: any, the present one, or one gone by. */
const version = fc.constantFrom('any', 'any', 'present', 'former');
const versionOf = (drawn: string, world: World) =>
  drawn === 'any' ? {} : { version: drawn === 'present' && world.version >= 0 ? world.version : 1000 };
const zoneHeld = (world: World, wanted: string | undefined, now: Date): boolean =>
  wanted !== undefined && wanted !== world.profile?.zone && world.lastEnd > now.getTime();

/** One provider: profile, working hours, and the slots that he asks for by the clock of his zone. */
export const providerModel = model({
  decider: provider,
  commands,
  world: (): World => ({
    weekly: [],
    notice: 60,
    advance: 90,
    version: -1,
    lastEnd: 0,
    generations: [],
    open: new Set(),
    exceptions: [],
    seq: 0,
  }),
  first: 'create',
  silent: ['ResumeSlotGeneration', 'RestoreDayHours', 'CancelDisplacedAppointments'],
  waits: [30 * MINUTE, DAY, 9 * DAY, 60 * DAY],
  length: 60,
  lives: 80,
  moves: {
    create: on(fc.record({ known: fc.constantFrom(true, true, true, false), zone }), ({ known, zone }, world) => ({
      command: createProviderProfile,
      input: { accountId: doctor.id, displayName: 'Ada', ...(zone && { timezone: zone }) },
      actor: root,
      facts: { accountExists: known },
      expect: () => {
        if (!known) return 'account-unknown';
        if (world.profile !== undefined) return 'profile-exists';
        const fields = { displayName: 'Ada', bio: null };
        world.profile = { active: true, zone: zone ?? 'Europe/Luxembourg', fields };
        world.version += 1;
        return ['ProviderProfileCreated'];
      },
    })),
    present: on(
      fc.record({
        who: fc.constantFrom(doctor, doctor, root, other),
        displayName: fc.constantFrom('Ada', 'Dr. Ada'),
        bio: fc.constantFrom(null, '', 'Surgeon'),
        active: fc.constantFrom(undefined, true, false),
        zone,
        version,
      }),
      ({ who, displayName, bio, active, zone, version }, world, { now }) => ({
        command: updateProviderProfile,
        input: {
          ...(who === doctor ? {} : { providerId: doctor.id }),
          ...{ displayName, bio, ...versionOf(version, world) },
          ...(active === undefined ? {} : { active }),
          ...(zone && { timezone: zone }),
        },
        actor: who,
        facts: {
          version: world.version,
          fields: world.profile && {
            providerId: doctor.id,
            meetingLink: null,
            location: null,
            priceCents: null,
            currency: null,
            ...world.profile.fields,
          },
        },
        expect: () => {
          if (who === other) return 'not-own-profile';
          const { profile } = world;
          if (profile === undefined) return who === doctor ? 'no-provider-profile' : 'provider-unknown';
          if ((versionOf(version, world).version ?? world.version) !== world.version) return 'stale-version';
          if (zoneHeld(world, zone, now)) return 'zone-in-use';
          const fields = { displayName, bio: bio === '' ? null : bio };
          const moved = zone !== undefined && zone !== profile.zone;
          const changed = moved || displayName !== profile.fields.displayName || fields.bio !== profile.fields.bio;
          const switched = active !== undefined && active !== profile.active;
          world.profile = { active: active ?? profile.active, zone: zone ?? profile.zone, fields };
          world.version += Number(changed) + Number(switched);
          const opened = active === true ? 'ProviderActivated' : 'ProviderDeactivated';
          return [...(changed ? ['ProviderProfileUpdated'] : []), ...(switched ? [opened] : [])];
        },
      }),
      4,
    ),
    'set availability': on(
      fc.record({
        weekly: fc.constantFrom(...WEEKS, ...WEEKS.slice(2, 3)),
        notice: fc.constantFrom(0, 60),
        advance: fc.constantFrom(30, 90),
        zone,
        version,
        believed: fc.oneof({ weight: 3, arbitrary: fc.constant('none') }, { weight: 1, arbitrary: believed }),
      }),
      ({ weekly, notice, advance, zone, version, believed }, world, { now }) => ({
        command: setAvailability,
        input: {
          weekly,
          minNoticeMinutes: notice,
          maxAdvanceDays: advance,
          ...(zone && { timezone: zone }),
          ...versionOf(version, world),
          exceptions: (world.change?.added ?? []).map(asked),
        },
        actor: doctor,
        facts: { changeId: changeOf(believed, world) },
        expect: () => {
          const { profile } = world;
          if (profile === undefined) return 'no-provider-profile';
          if ((versionOf(version, world).version ?? world.version) !== world.version) return 'stale-version';
          if (zoneHeld(world, zone, now)) return 'zone-in-use';
          const changeId = changeOf(believed, world);
          const reasons = (world.change?.added ?? []).map((one) => ({ ...one, reason: 'Away' }));
          const changed = changeId === undefined ? [] : comeAbout(world, changeId, reasons);
          if (typeof changed === 'string') return changed;
          const working = weekly.filter(({ intervals }) => intervals.length > 0);
          const after = { weekly: working, notice, advance };
          const { weekly: w, notice: n, advance: a } = world;
          const same = JSON.stringify(after) === JSON.stringify({ weekly: w, notice: n, advance: a });
          if (same && (zone ?? profile.zone) === profile.zone) return changed;
          Object.assign(world, after, { version: world.version + 1 });
          profile.zone = zone ?? profile.zone;
          return ['AvailabilitySet', ...changed];
        },
      }),
      2,
    ),
    generate: on(
      fc.record({
        begin: fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: 0, max: 40 }) },
          { weight: 1, arbitrary: fc.constant(-2) },
        ),
        days: fc.oneof({ weight: 24, arbitrary: fc.nat(3) }, { weight: 3, arbitrary: fc.constant(110) }),
        pattern: fc.constantFrom(
          'weekly' as const,
          'weekly' as const,
          'daily' as const,
          'weekdays' as const,
          'custom' as const,
        ),
        daysOfWeek: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
        intervals: fc.option(fc.constantFrom(...SPANS), { nil: undefined }),
      }),
      ({ begin, days, pattern, daysOfWeek, intervals }, world, { now, newId }) => {
        const first = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(
          world.profile?.zone ?? 'UTC',
        );
        const from = first.toPlainDate().add({ days: begin });
        const [firstDay, lastDay] = [from.toString(), from.add({ days }).toString()];
        return {
          command: generateTimeSlots,
          input: { from: firstDay, to: lastDay, pattern, daysOfWeek, ...(intervals && { intervals }) },
          actor: doctor,
          twice: 'nothing',
          expect: () => {
            if (world.profile === undefined) return 'no-provider-profile';
            if (begin < 0) return 'in-the-past';
            const wanted = ({ date, weekday, minute }: Local): boolean => {
              const exception = world.exceptions.find(({ from, to }) => from <= date && date <= to);
              const usual = world.weekly.find(({ dayOfWeek }) => dayOfWeek === weekday)?.intervals ?? [];
              const working = exception?.intervals ?? usual;
              if (pattern === 'weekdays' && weekday > 5) return false;
              if (pattern === 'custom' && !daysOfWeek.includes(weekday)) return false;
              const narrowed = pattern === 'weekly' ? undefined : intervals;
              return holds(working, minute) && (narrowed === undefined || holds(narrowed, minute));
            };
            const span = { zone: world.profile.zone, from: firstDay, to: lastDay, notBefore: now.getTime() };
            const starts = startsIn(span, wanted);
            if (starts.length > 5000) return 'too-many-slots';
            const last = starts.at(-1);
            const latestEnd = last === undefined ? null : new Date(last + 30 * MINUTE).toISOString();
            const generationId = newId('generation');
            world.generations.push(generationId);
            world.open.add(generationId);
            if (last !== undefined) world.lastEnd = Math.max(world.lastEnd, last + 30 * MINUTE);
            return [{ type: 'SlotGenerationStarted', data: { generationId, slots: starts.length, latestEnd } }];
          },
        };
      },
      8,
    ),
    complete: on(
      fc.oneof(fc.nat(3), fc.nat(30)),
      (ago, world) => {
        const generationId = world.generations.at(-1 - ago) ?? named('no generation');
        const result = { created: 1, skipped: 0, firstStart: null, lastEnd: null };
        return {
          command: completeSlotGeneration,
          input: { providerId: doctor.id, generationId, ...result },
          twice: 'nothing',
          expect: () => (world.open.delete(generationId) ? ['SlotGenerationCompleted'] : []),
        };
      },
      3,
    ),
    'begin a change': on(
      fc.record({
        number: fc.nat(3),
        begin: fc.oneof({ weight: 9, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.constant(-9) }),
        days: fc.nat(6),
        count: fc.constantFrom(0, 1, 1, 1, 1, 4),
        hours: fc.constantFrom<readonly Interval[]>([], ...SPANS),
        remove: fc.constantFrom('none', 'none', 'one', 'one', 'unknown'),
        cancelBooked: fc.boolean(),
      }),
      ({ number, begin, days, count, hours, remove, cancelBooked }, world, { now, newId }) => {
        const changeId = named(`change ${number}`);
        const zone = world.profile?.zone ?? 'UTC';
        /** Four of a year each are too many days. */
        const span = count === 4 ? 366 : days;
        const added = Array.from({ length: count }, (_, index) => ({
          exceptionId: newId(`exception ${index}`),
          from: dateIn(zone, now, begin + index * 367),
          to: dateIn(zone, now, begin + index * 367 + span),
          intervals: [...hours],
        }));
        const one = world.exceptions[0]?.exceptionId;
        const removed = remove === 'unknown' ? [named('no exception')] : remove === 'one' && one ? [one] : [];
        if (added.length + removed.length === 0) return undefined;
        return {
          command: startExceptionChange,
          input: { providerId: doctor.id, changeId, added, removed, cancelBooked },
          twice: 'nothing',
          expect: () => {
            if (world.change?.changeId === changeId) return [];
            if (world.profile === undefined) return 'no-provider-profile';
            const today = dateIn(world.profile.zone, now);
            if (added.some(({ to }) => to < today)) return 'in-the-past';
            const kept = world.exceptions.filter(({ exceptionId }) => !removed.includes(exceptionId));
            const clash = added.some((a) =>
              kept.some((b) => (a.from <= b.from && b.from <= a.to) || (b.from <= a.from && a.from <= b.to)),
            );
            if (clash) return 'exception-overlap';
            if (removed.some((id) => !world.exceptions.some(({ exceptionId }) => exceptionId === id)))
              return 'exception-unknown';
            if (count === 4) return 'too-many-days';
            if (world.change !== undefined) return 'contended';
            world.change = { changeId, added, removed };
            world.seq += 1;
            return [{ type: 'ExceptionChangeStarted', data: { changeId, seq: world.seq, cancelBooked, removed } }];
          },
        };
      },
      4,
    ),
    'add an exception': on(
      believed,
      (drawn, world) => {
        const changeId = changeOf(drawn, world);
        const [first] = world.change?.added ?? [];
        const input = first ?? { exceptionId: '', from: '2026-05-01', to: '2026-05-01', intervals: [] };
        return {
          command: addAvailabilityException,
          input: asked(input),
          actor: doctor,
          facts: { changeId },
          expect: () => comeAbout(world, changeId, [{ ...input, reason: 'Away' }]),
        };
      },
      2,
    ),
    'remove an exception': on(
      fc.record({ believed, place: fc.constantFrom(0, 0, 1) }),
      ({ believed, place }, world) => {
        const changeId = changeOf(believed, world);
        const exceptionId = world.exceptions[place]?.exceptionId ?? named('no exception');
        return {
          command: removeAvailabilityException,
          input: { exceptionId },
          actor: doctor,
          facts: { changeId },
          expect: () => (world.exceptions[place] === undefined ? 'exception-unknown' : comeAbout(world, changeId)),
        };
      },
      3,
    ),
    'give a change up': on(fc.nat(3), (number, world) => {
      const changeId = named(`change ${number}`);
      return {
        command: abandonExceptionChange,
        input: { providerId: doctor.id, changeId },
        twice: 'nothing',
        expect: () => {
          if (world.change?.changeId !== changeId) return [];
          world.change = undefined;
          world.seq += 1;
          return [{ type: 'ExceptionChangeAbandoned', data: { changeId, seq: world.seq } }];
        },
      };
    }),
    'close the account': on(fc.boolean(), (isOpen, world) => ({
      command: closeProvider,
      input: { accountId: doctor.id },
      facts: { isOpen },
      twice: 'nothing',
      expect: () => {
        if (isOpen || !world.profile?.active) return [];
        world.profile.active = false;
        world.version += 1;
        return ['ProviderDeactivated'];
      },
    })),
    'bring days back': on(fc.constantFrom('restore', 'cancel'), (what) => ({
      ...(what === 'restore'
        ? { command: restoreDayHours, input: { providerId: doctor.id, seq: 1, days: [] } }
        : { command: cancelDisplacedAppointments, input: { providerId: doctor.id, exceptionId: named('any') } }),
      twice: 'nothing',
      expect: () => [],
    })),
    announce: on(
      fc.record({
        days: fc.integer({ min: 0, max: 60 }),
        zone: fc.constantFrom(...ZONES),
        same: fc.constantFrom(true, true, false),
      }),
      ({ days, zone, same }, world, { now }) => {
        const timezone = same ? (world.profile?.zone ?? 'UTC') : zone;
        const latestEnd = new Date(now.getTime() + days * DAY).toISOString();
        return {
          command: announceSlots,
          input: { providerId: doctor.id, timezone, latestEnd },
          twice: 'nothing',
          expect: () => {
            if (world.profile?.zone !== timezone) return 'contended';
            if (Date.parse(latestEnd) <= world.lastEnd) return [];
            world.lastEnd = Date.parse(latestEnd);
            return [{ type: 'SlotsAnnounced', data: { latestEnd } }];
          },
        };
      },
    ),
    resume: on(fc.nat(3), (ago, world) => ({
      command: resumeSlotGeneration,
      input: { providerId: doctor.id, generationId: world.generations.at(-1 - ago) ?? named('no generation') },
      twice: 'nothing',
      expect: () => [],
    })),
  },
  seen: ({ profile, weekly, minNoticeMinutes, maxAdvanceDays, version, latestSlotEnd, generations, ...more }) => ({
    exceptions: more.exceptions,
    change: more.change?.changeId,
    seq: more.seq,
    profile: profile && { active: profile.active, zone: profile.timezone },
    availability: { weekly, notice: minNoticeMinutes, advance: maxAdvanceDays },
    version,
    lastEnd: latestSlotEnd === null ? 0 : Date.parse(latestSlotEnd),
    owed: generations.filter(({ result }) => result === undefined).map(({ plan }) => plan.generationId),
  }),
  expected: ({ profile, weekly, notice, advance, version, lastEnd, generations, open, ...more }) => ({
    exceptions: more.exceptions,
    change: more.change?.changeId,
    seq: more.seq,
    profile: profile && { active: profile.active, zone: profile.zone },
    availability: { weekly, notice, advance },
    version,
    lastEnd,
    owed: generations.filter((generationId) => open.has(generationId)),
  }),
  always: ({ exceptions }, _world, history) => {
    for (const [index, { from }] of exceptions.entries())
      assert.ok(from > (exceptions[index - 1]?.to ?? ''), 'no two exceptions overlap');
    const dates = history.flatMap((event) => (event.type === 'SlotGenerationStarted' ? [event.data.notBefore] : []));
    assert.ok(
      dates.every((date) => Date.parse(date) >= start.getTime()),
      'no slot is planned in the past',
    );
  },
  refusals: [
    'account-unknown',
    'profile-exists',
    'not-own-profile',
    'no-provider-profile',
    'provider-unknown',
    'stale-version',
    'zone-in-use',
    'in-the-past',
    'too-many-slots',
    'exception-overlap',
    'exception-unknown',
    'too-many-days',
    'contended',
  ],
});
