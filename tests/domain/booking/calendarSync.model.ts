import fc from 'fast-check';
import * as commands from '../../../src/domain/booking/calendarSync.ts';
import {
  type CalendarStatus,
  calendarSync,
  recordCalendarResult,
  requestCalendarSync,
  retryCalendarSync,
} from '../../../src/domain/booking/calendarSync.ts';
import { appointmentIdOf } from '../../../src/domain/booking/ids.ts';
import { model, movesIn, named, person } from '../../support/model.ts';

const ada = person('ada');
const appointmentId = appointmentIdOf({ providerId: named('grace'), day: '2026-03-02', uuid: named('appointment') });
const of = { appointmentId, party: 'client', accountId: ada.id } as const;

type World = { status: CalendarStatus; version: number; written: string | undefined };
const on = movesIn<World>();
const version = fc.integer({ min: 0, max: 4 });
const attempt = fc.integer({ min: 1, max: 6 });
const SECONDS = [30, 120, 600, 3_600, 21_600];

/** One appointment in somebody's calendar: the newest state that was brought there counts, and no failure is passed over. */
export const calendarSyncModel = model({
  decider: calendarSync,
  commands,
  world: (): World => ({ status: 'pending', version: -1, written: undefined }),
  moves: {
    synced: on(
      fc.record({
        version,
        operation: fc.constantFrom('create', 'update', 'delete'),
        by: fc.constantFrom('one', 'two'),
      }),
      ({ version, operation, by }, world) => ({
        command: recordCalendarResult,
        input: { ...of, status: 'synced', operation, integrationId: by, googleEventId: 'event', version },
        expect: () => {
          if (version < world.version) return [];
          const gone = operation === 'delete';
          Object.assign(world, { status: gone ? 'removed' : 'synced', version, written: gone ? undefined : by });
          return [{ type: 'CalendarEventSynced', data: { ...of, operation, version, integrationId: by } }];
        },
      }),
      3,
    ),
    failed: on(fc.record({ version, attempt, final: fc.boolean() }), ({ version, attempt, final }, world, { now }) => ({
      command: recordCalendarResult,
      input: { ...of, status: 'failed', operation: 'update', version, attempt, error: 'broken', final },
      expect: () => {
        const seconds = final ? undefined : SECONDS[attempt - 1];
        world.version = Math.max(version, world.version);
        world.status = seconds === undefined ? 'failed' : 'pending';
        const nextAttemptAt =
          seconds === undefined ? undefined : new Date(now.getTime() + seconds * 1000).toISOString();
        const data = { attempt, version: world.version, final: seconds === undefined, nextAttemptAt };
        return [{ type: 'CalendarSyncFailed', data }];
      },
    })),
    postponed: on(fc.record({ version, attempt }), ({ version, attempt }, world, { now }) => ({
      command: recordCalendarResult,
      input: { ...of, status: 'postponed', version, attempt, seconds: 7 },
      expect: () => {
        world.version = Math.max(version, world.version);
        world.status = 'pending';
        const until = new Date(now.getTime() + 7_000).toISOString();
        return [{ type: 'CalendarSyncPostponed', data: { attempt, until, version: world.version } }];
      },
    })),
    skipped: on(version, (version, world) => ({
      command: recordCalendarResult,
      input: { ...of, status: 'skipped', version, reason: 'not-connected' },
      twice: 'nothing',
      expect: () => {
        if (world.status === 'skipped' || version < world.version) return [];
        world.status = 'skipped';
        world.version = version;
        return ['CalendarSyncSkipped'];
      },
    })),
    retry: on(fc.record({ own: fc.boolean(), connected: fc.boolean() }), (facts, world) => ({
      command: retryCalendarSync,
      input: { appointmentId },
      actor: ada,
      facts,
      expect: () => {
        if (!facts.own) return 'appointment-unknown';
        if (!facts.connected) return 'calendar-not-connected';
        if (world.status !== 'failed' && world.status !== 'skipped') return [];
        world.status = 'pending';
        return [{ type: 'CalendarSyncRequested', data: { ...of, by: ada.id } }];
      },
    })),
    request: on(fc.constant({}), (_drawn, world) => ({
      command: requestCalendarSync,
      input: of,
      expect: () => {
        world.status = 'pending';
        return ['CalendarSyncRequested'];
      },
    })),
  },
  seen: ({ status, version, written }) => ({ status, version, written: written?.integrationId }),
  expected: ({ status, version, written }) => ({ status, version, written }),
  refusals: ['appointment-unknown', 'calendar-not-connected'],
});
