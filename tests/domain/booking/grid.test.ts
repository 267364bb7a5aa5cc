import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { common, dateIn, intervalsField, minutesOf, planned, slotsOf } from '../../../src/domain/booking/grid.ts';

const ZONES = [
  'Europe/Luxembourg',
  'America/New_York',
  'America/Havana',
  'America/Santiago',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Beirut',
  'Africa/Casablanca',
  'Pacific/Apia',
  'Pacific/Chatham',
  'UTC',
];

const half = (n: number): string => `${String(Math.floor(n / 2)).padStart(2, '0')}:${n % 2 === 0 ? '00' : '30'}`;
/** Intervals that do not overlap: neighbours out of a sorted set of half hours. */
const intervals = fc
  .uniqueArray(fc.integer({ min: 0, max: 48 }), { minLength: 2, maxLength: 8 })
  .map((ends) => ends.toSorted((a, b) => a - b))
  .map((ends) =>
    Array.from({ length: Math.floor(ends.length / 2) }, (_, index) => ({
      start: half(ends[index * 2] ?? 0),
      end: half(ends[index * 2 + 1] ?? 48),
    })),
  );
const dates = fc
  .integer({ min: 0, max: 4000 })
  .map((days) => Temporal.PlainDate.from('2024-01-01').add({ days }).toString());

/** Every day between 2024 and 2034 on which the clock of a zone changes. */
const changes = (zone: string): readonly string[] => {
  const found: string[] = [];
  let at = Temporal.PlainDate.from('2024-01-01').toZonedDateTime(zone);
  for (;;) {
    const next = at.getTimeZoneTransition('next');
    if (next === null || next.year > 2034) return found;
    found.push(next.subtract({ seconds: 1 }).toPlainDate().toString(), next.toPlainDate().toString());
    at = next;
  }
};

/** What a slow walk over the day's half hours finds. */
const walked = (date: string, hours: readonly { start: string; end: string }[], zone: string): readonly string[] => {
  const from = Temporal.PlainDate.from(date).toZonedDateTime(zone);
  const to = Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime(zone);
  const starts: string[] = [];
  for (let at = from; Temporal.ZonedDateTime.compare(at, to) < 0; at = at.add({ minutes: 1 })) {
    const minutes = at.hour * 60 + at.minute;
    if (minutes % 30 !== 0) continue;
    if (at.offset !== at.add({ minutes: 30 }).subtract({ seconds: 1 }).offset) continue;
    if (hours.some(({ start, end }) => minutesOf(start) <= minutes && minutes + 30 <= minutesOf(end)))
      starts.push(new Date(at.epochMilliseconds).toISOString());
  }
  return starts;
};

t.test('the slots of a day', async (t) => {
  t.test('last 30 minutes, do not overlap and lie inside the intervals by the local clock', async () =>
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), dates, intervals, (zone, date, hours) => {
        const slots = slotsOf(date, hours, zone);
        slots.forEach(({ startTime, endTime }, index) => {
          assert.equal(Date.parse(endTime) - Date.parse(startTime), 1_800_000);
          const before = slots[index - 1];
          if (before !== undefined) assert.ok(before.endTime <= startTime);
          assert.equal(dateIn(zone, startTime), date);
          const local = Temporal.Instant.from(startTime).toZonedDateTimeISO(zone);
          const minutes = local.hour * 60 + local.minute;
          assert.ok(hours.some(({ start, end }) => minutesOf(start) <= minutes && minutes + 30 <= minutesOf(end)));
        });
      }),
      { numRuns: 120 },
    ),
  );

  t.test('are what a walk through the day finds, on days of a clock change above all', async (t) => {
    const whole = [{ start: '00:00', end: '24:00' }];
    let looked = 0;
    for (const zone of ZONES)
      for (const date of changes(zone).slice(0, 8)) {
        looked += 1;
        t.strictSame(
          slotsOf(date, whole, zone).map(({ startTime }) => startTime),
          walked(date, whole, zone),
          `${zone} ${date}`,
        );
      }
    t.ok(looked > 50, 'the zones have clock changes');
  });

  t.test(
    'are 46, 48 or 50 on a whole day in Luxembourg, and 47 or 49 where the clock moves by half an hour',
    async (t) => {
      const count = (date: string, zone: string) => slotsOf(date, [{ start: '00:00', end: '24:00' }], zone).length;
      t.equal(count('2026-03-29', 'Europe/Luxembourg'), 46);
      t.equal(count('2026-06-01', 'Europe/Luxembourg'), 48);
      t.equal(count('2026-10-25', 'Europe/Luxembourg'), 50);
      t.equal(count('2026-10-04', 'Australia/Lord_Howe'), 47);
      t.equal(count('2026-04-05', 'Australia/Lord_Howe'), 49);
    },
  );

  t.test('leave out the hour that is missing in March and have both passes of the one in October', async (t) => {
    const hours = [{ start: '01:00', end: '04:00' }];
    const local = (date: string) =>
      slotsOf(date, hours, 'Europe/Luxembourg').map(({ startTime }) =>
        Temporal.Instant.from(startTime).toZonedDateTimeISO('Europe/Luxembourg').toPlainTime().toString().slice(0, 5),
      );
    t.strictSame(local('2026-03-29'), ['01:00', '01:30', '03:00', '03:30']);
    t.strictSame(local('2026-10-25'), ['01:00', '01:30', '02:00', '02:30', '02:00', '02:30', '03:00', '03:30']);
  });

  t.test('begin at 08:00 UTC in winter and 07:00 UTC in summer for 09:00 in Luxembourg', async (t) => {
    const hours = [{ start: '09:00', end: '12:00' }];
    t.equal(slotsOf('2026-12-07', hours, 'Europe/Luxembourg')[0]?.startTime, '2026-12-07T08:00:00.000Z');
    t.equal(slotsOf('2026-07-06', hours, 'Europe/Luxembourg')[0]?.startTime, '2026-07-06T07:00:00.000Z');
    t.equal(slotsOf('2026-07-06', hours, 'Europe/Luxembourg').length, 6);
  });
});

t.test('intervals of a day', async (t) => {
  const fields = (value: unknown) =>
    intervalsField.safeParse(value).error?.issues.map(({ path }) => path.join('.')) ?? [];
  t.test('come out in order', async (t) =>
    t.strictSame(
      intervalsField.parse([
        { start: '13:00', end: '24:00' },
        { start: '09:00', end: '12:00' },
      ]),
      [
        { start: '09:00', end: '12:00' },
        { start: '13:00', end: '24:00' },
      ],
    ),
  );
  t.test('are refused by field', async (t) => {
    t.strictSame(fields([{ start: '10:00', end: '09:00' }]), ['0.end']);
    t.strictSame(fields([{ start: '09:10', end: '10:00' }]), ['0.start']);
    t.strictSame(
      fields([
        { start: '09:00', end: '12:00' },
        { start: '11:30', end: '13:00' },
      ]),
      ['1'],
    );
    t.strictSame(fields([{ start: '25:00', end: 'noon' }]).includes('0.start'), true);
    t.strictSame(fields('never'), ['']);
  });
  t.test('have in common what lies in both', async (t) =>
    t.strictSame(common([{ start: '08:00', end: '10:00' }], [{ start: '09:00', end: '17:00' }]), [
      { start: '09:00', end: '10:00' },
    ]),
  );
});

t.test('a plan leaves out days without slots and starts that have passed', async (t) => {
  const days = planned({
    from: '2026-03-02',
    to: '2026-03-10',
    timeZone: 'Europe/Luxembourg',
    hours: [{ dayOfWeek: 1, intervals: [{ start: '09:00', end: '12:00' }] }],
    notBefore: '2026-03-02T09:45:00.000Z',
  });
  t.strictSame(
    days.map(({ day, slots }) => [day, slots.length]),
    [
      ['2026-03-02', 2],
      ['2026-03-09', 6],
    ],
  );
});
