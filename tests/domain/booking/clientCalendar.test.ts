import t from 'tap';
import {
  type ClientCalendarEvent,
  cancelClientAppointments,
  claimTime,
  clientCalendar,
  settleTime,
  upcoming,
} from '../../../src/domain/booking/clientCalendar.ts';
import { appointmentIdOf } from '../../../src/domain/booking/ids.ts';
import { id, now, spec } from '../../support/spec.ts';

const given = spec(clientCalendar);
const accountId = id('client');
const appointment = (name: string) =>
  appointmentIdOf({ providerId: id('provider'), day: '2026-03-09', uuid: id(name) });
const NINE = { startTime: '2026-03-09T08:00:00.000Z', endTime: '2026-03-09T08:30:00.000Z' };
const QUARTER = { startTime: '2026-03-09T08:15:00.000Z', endTime: '2026-03-09T08:45:00.000Z' };
const TEN = { startTime: '2026-03-09T09:00:00.000Z', endTime: '2026-03-09T09:30:00.000Z' };
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();
const claimed = (name: string, time = NINE, claimedAt = now.toISOString()): ClientCalendarEvent => ({
  type: 'TimeClaimed',
  data: { accountId, appointmentId: appointment(name), ...time, claimedAt },
});
const released = (name: string, { startTime } = NINE): ClientCalendarEvent => ({
  type: 'TimeReleased',
  data: { accountId, appointmentId: appointment(name), startTime },
});
const claim = (name: string, time = NINE) => ({ accountId, appointmentId: appointment(name), ...time });

t.test('claiming time', async (t) => {
  t.test('sets it aside', async () => given().when(claimTime, claim('a')).then(claimed('a')));
  t.test('changes nothing the second time', async () => given(claimed('a')).when(claimTime, claim('a')).nothing());
  t.test('is renewed by a repeat that comes late', async () =>
    given(claimed('a', NINE, ago(30)))
      .when(claimTime, claim('a'))
      .then(claimed('a')),
  );
  t.test('is refused where another appointment overlaps', async () =>
    given(claimed('a')).when(claimTime, claim('b', QUARTER)).rejected('own-overlap'),
  );
  t.test('is fine next to another appointment, and over the own one', async () => {
    given(claimed('a')).when(claimTime, claim('b', TEN)).then(claimed('b', TEN));
    given(claimed('a')).when(claimTime, claim('a', QUARTER)).then(claimed('a', QUARTER));
  });
});

t.test('settling time', async (t) => {
  const settle = { accountId, appointmentId: appointment('a') };
  t.test('gives back what the appointment does not take', async () => {
    given(claimed('a'), claimed('b', TEN)).when(settleTime, settle, undefined, {}).then(released('a'));
    given(claimed('a'), claimed('a', TEN)).when(settleTime, settle, undefined, { time: TEN }).then(released('a'));
  });
  t.test('leaves the time alone that the appointment takes', async () =>
    given(claimed('a')).when(settleTime, settle, undefined, { time: NINE }).nothing(),
  );
  t.test('claims again what was given back too early', async () =>
    given().when(settleTime, settle, undefined, { time: NINE }).then(claimed('a')),
  );
  t.test('spares fresh claims when only stale ones are meant', async () => {
    const stale = { ...settle, onlyStale: true };
    given(claimed('a', NINE, ago(59)))
      .when(settleTime, stale, undefined, {})
      .nothing();
    given(claimed('a', NINE, ago(60)))
      .when(settleTime, stale, undefined, {})
      .then(released('a'));
  });
  t.test('twice is safe', async () =>
    given(claimed('a'), released('a')).when(settleTime, settle, undefined, {}).nothing(),
  );
});

t.test('closing the account', async (t) => {
  t.test('concerns the appointments that are still to begin, each once', async (t) => {
    const { state } = given(claimed('a'), claimed('b', TEN), claimed('a', TEN), claimed('c')).when(
      cancelClientAppointments,
      { accountId },
    );
    t.strictSame(upcoming(state, now), [appointment('a'), appointment('b'), appointment('c')]);
    t.strictSame(upcoming(state, new Date(NINE.startTime)), [appointment('b'), appointment('a')]);
    t.strictSame(upcoming(state, new Date(TEN.startTime)), []);
  });
  t.test('changes nothing in the calendar itself', async () =>
    given(claimed('a')).when(cancelClientAppointments, { accountId }).nothing(),
  );
});
