import t from 'tap';
import { atMostDays, rangeEnd, rangeOf } from '../../src/http/dateRange.ts';
import { bucketsOf, windowOf } from '../../src/http/routes/analytics/window.ts';

const ZONE = 'Europe/Luxembourg';

t.test('a range', async (t) => {
  t.test('of dates holds whole days of the zone, the last included', async (t) => {
    t.strictSame(rangeOf({ from: '2027-03-28', to: '2027-03-28' }, ZONE), {
      from: '2027-03-27T23:00:00.000Z',
      to: '2027-03-28T22:00:00.000Z',
    });
  });
  t.test('of instants is half-open, and may be empty', async (t) => {
    const at = '2027-03-01T09:00:00.000Z';
    t.strictSame(rangeOf({ from: at, to: at }), { from: at, to: at });
  });
  t.test('may lack an end', async (t) => {
    t.strictSame(rangeOf({}), {});
    t.strictSame(rangeOf({ to: '2027-03-01' }), { to: '2027-03-02T00:00:00.000Z' });
  });
  t.test('is refused when it ends before it begins', async (t) => {
    for (const [from, to] of [
      ['2027-03-02', '2027-03-01'],
      ['2027-03-02T00:00:00.000Z', '2027-03-01T23:59:59.999Z'],
      ['2027-03-02T00:00:00.000Z', '2027-03-01'],
    ] as const)
      t.throws(() => rangeOf({ from, to }), { code: 'VALIDATION_ERROR', details: [{ field: 'to' }] }, `${from} ${to}`);
  });
  t.test('of 366 days is the longest, days of clock changes included', async (t) => {
    const year = { from: '2027-01-01T00:00:00.000Z', to: '2028-01-02T00:00:00.000Z' };
    t.doesNotThrow(() => atMostDays(year, 366, year.to));
    t.throws(() => atMostDays(year, 365, year.to), { code: 'VALIDATION_ERROR', details: [{ field: 'to' }] });
    t.doesNotThrow(() => atMostDays(year, 365, '2028-01-01'), 'to a date that is 365 days away');
    t.throws(() => atMostDays(year, 364, '2028-01-01'), { code: 'VALIDATION_ERROR', details: [{ field: 'to' }] });
  });
  t.test('ends where its other end can still be named', async (t) => {
    for (const text of ['0002-12-31', '9998-01-01', '9999-12-31T23:59:59Z', '0001-01-01T00:00:00Z'])
      t.notOk(rangeEnd.safeParse(text).success, text);
    for (const text of ['0003-01-01', '9997-12-31', '9997-12-31T23:59:59Z']) {
      t.ok(rangeEnd.safeParse(text).success, text);
      const ends = Object.values(windowOf({ from: text }, ZONE, new Date(0)));
      t.match(ends[1], /^\d{4}-/, 'with four digits of the year');
    }
  });
});

t.test('a window over figures', async (t) => {
  const now = new Date('2027-03-20T12:00:00.000Z');
  t.test('reaches 30 days back and ahead by default', async (t) => {
    t.strictSame(windowOf({}, ZONE, now), {
      from: '2027-02-17T23:00:00.000Z',
      to: '2027-04-19T22:00:00.000Z',
      zone: ZONE,
    });
  });
  t.test('with one end has the other 30 days from it', async (t) => {
    t.match(windowOf({ from: '2027-03-01' }, 'UTC', now), { to: '2027-03-31T00:00:00.000Z' });
    t.match(windowOf({ to: '2027-03-30' }, 'UTC', now), { from: '2027-03-01T00:00:00.000Z' });
  });
  t.test('of more than 366 days is refused', async (t) => {
    t.throws(() => windowOf({ from: '2027-01-01', to: '2028-01-05' }, 'UTC', now), {
      code: 'VALIDATION_ERROR',
      details: [{ field: 'to' }],
    });
    t.throws(() => windowOf({ from: '2027-01-01', to: '2028-01-03' }, 'UTC', now), { code: 'VALIDATION_ERROR' });
    t.doesNotThrow(() => windowOf({ from: '2027-01-01', to: '2028-01-02' }, 'UTC', now));
  });
});

t.test('buckets', async (t) => {
  const window = { from: '2027-03-26T23:00:00.000Z', to: '2027-03-29T22:00:00.000Z', zone: ZONE };
  t.test('are every local day, with the offset of its beginning', async (t) => {
    t.strictSame(bucketsOf(window, 'day'), [
      { key: '2027-03-27', start: '2027-03-27T00:00:00+01:00' },
      { key: '2027-03-28', start: '2027-03-28T00:00:00+01:00' },
      { key: '2027-03-29', start: '2027-03-29T00:00:00+02:00' },
    ]);
  });
  t.test('of weeks begin on Monday, of months on the first', async (t) => {
    t.strictSame(
      bucketsOf(window, 'week').map(({ key }) => key),
      ['2027-03-22', '2027-03-29'],
    );
    t.strictSame(
      bucketsOf(window, 'month').map(({ key }) => key),
      ['2027-03-01'],
    );
  });
});
