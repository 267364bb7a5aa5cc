import t from 'tap';
import {
  type CalendarSyncEvent,
  calendarSync,
  recordCalendarResult,
  requestCalendarSync,
  retryCalendarSync,
} from '../../../src/domain/booking/calendarSync.ts';
import { appointmentIdOf } from '../../../src/domain/booking/ids.ts';
import { id, now, spec, system, user } from '../../support/spec.ts';

const given = spec(calendarSync);
const ada = user(id('ada'));
const grace = user(id('grace'));
const appointmentId = appointmentIdOf({ providerId: grace.id, day: '2026-03-02', uuid: id('appointment') });
const of = { appointmentId, party: 'client', accountId: ada.id } as const;
const written = { integrationId: id('integration'), googleEventId: 'abc123' };
const own = { own: true, connected: true };

const synced = (version: number, operation: 'create' | 'delete' = 'create'): CalendarSyncEvent => ({
  type: 'CalendarEventSynced',
  data: { ...of, ...written, operation, version },
});
const skipped: CalendarSyncEvent = {
  type: 'CalendarSyncSkipped',
  data: { ...of, version: 0, reason: 'not-connected' },
};
const abandoned: CalendarSyncEvent = {
  type: 'CalendarSyncFailed',
  data: { ...of, operation: 'create', version: 0, attempt: 6, error: 'google-calendar-503', final: true },
};
const at = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();

t.test('what came of bringing an appointment to a calendar', async (t) => {
  t.test('is noted', async () =>
    given()
      .when(recordCalendarResult, { ...of, ...written, status: 'synced', operation: 'create', version: 0 }, system)
      .then(synced(0)),
  );
  t.test('is passed over when it speaks of an older state than is known', async () => {
    given(synced(2, 'delete'))
      .when(recordCalendarResult, { ...of, ...written, status: 'synced', operation: 'create', version: 0 }, system)
      .nothing();
    given(synced(2, 'delete'))
      .when(recordCalendarResult, { ...of, status: 'skipped', version: 0, reason: 'not-connected' }, system)
      .nothing();
  });
  t.test('is tried again after a failure, later each time, whatever was known', async () => {
    for (const [attempt, pause] of [30, 120, 600, 3_600, 21_600].entries()) {
      const failure = { operation: 'create', version: 0, error: 'google-calendar-503' } as const;
      given(synced(2, 'delete'))
        .when(recordCalendarResult, { ...of, ...failure, status: 'failed', attempt: attempt + 1, final: false }, system)
        .then({
          type: 'CalendarSyncFailed',
          data: { ...of, ...failure, version: 2, attempt: attempt + 1, final: false, nextAttemptAt: at(pause) },
        });
    }
  });
  t.test('is final after the sixth attempt, and at once where the same would fail again', async () => {
    const failure = { operation: 'create', version: 0, error: 'google-calendar-503' } as const;
    given()
      .when(recordCalendarResult, { ...of, ...failure, status: 'failed', attempt: 6, final: false }, system)
      .then(abandoned);
    given()
      .when(recordCalendarResult, { ...of, ...failure, status: 'failed', attempt: 1, final: true }, system)
      .then({ type: 'CalendarSyncFailed', data: { ...of, ...failure, attempt: 1, final: true } });
  });
  t.test('does not count where the calendar wants no more calls just now', async () =>
    given()
      .when(recordCalendarResult, { ...of, status: 'postponed', version: 0, attempt: 3, seconds: 45 }, system)
      .then({ type: 'CalendarSyncPostponed', data: { ...of, version: 0, attempt: 3, until: at(45) } }),
  );
  t.test('is skipped once where there is no calendar', async () => {
    const input = { ...of, status: 'skipped', version: 0, reason: 'not-connected' } as const;
    given().when(recordCalendarResult, input, system).then(skipped);
    given(skipped)
      .when(recordCalendarResult, { ...input, version: 1 }, system)
      .nothing();
  });
});

t.test('trying again', async (t) => {
  const requested: CalendarSyncEvent = { type: 'CalendarSyncRequested', data: { ...of, by: ada.id } };
  t.test('is asked for by the party whose calendar it is', async () => {
    given(abandoned).when(retryCalendarSync, { appointmentId }, ada, own).then(requested);
    given(skipped).when(retryCalendarSync, { appointmentId }, ada, own).then(requested);
    given(abandoned)
      .when(retryCalendarSync, { appointmentId }, grace, own)
      .then({ type: 'CalendarSyncRequested', data: { ...of, party: 'provider', accountId: grace.id, by: grace.id } });
  });
  t.test('does nothing where nothing was given up', async () => {
    given(synced(0)).when(retryCalendarSync, { appointmentId }, ada, own).nothing();
    given().when(retryCalendarSync, { appointmentId }, ada, own).nothing();
    given(abandoned, requested).when(retryCalendarSync, { appointmentId }, ada, own).nothing();
  });
  t.test('is refused to others, and without a calendar', async () => {
    given(abandoned)
      .when(retryCalendarSync, { appointmentId }, ada, { own: false, connected: true })
      .rejected('appointment-unknown');
    given(abandoned)
      .when(retryCalendarSync, { appointmentId }, ada, { own: true, connected: false })
      .rejected('calendar-not-connected');
  });
  t.test('is asked for by the service when something else has changed', async () =>
    given(synced(0))
      .when(requestCalendarSync, of, system)
      .then({ type: 'CalendarSyncRequested', data: { ...of, by: system.id } }),
  );
});
