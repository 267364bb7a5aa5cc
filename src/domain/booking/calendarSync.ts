import { z } from 'zod';
import { type Actor, commandsOf, decider, type EventOf, type Rejection, reject } from '../decider.ts';
import { appointmentIdField, appointmentRef } from './ids.ts';

/** Whose calendar it is. */
export const SyncParty = z.enum(['client', 'provider']);
export type SyncParty = z.output<typeof SyncParty>;

const Of = { appointmentId: z.string(), party: SyncParty, accountId: z.string().describe('Whose calendar it is') };
const operation = z.enum(['create', 'update', 'delete']);

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  CalendarEventSynced: z.object({
    ...Of,
    operation,
    integrationId: z.string(),
    googleEventId: z.string(),
    version: z.int().describe('Of the appointment, as it now stands in the calendar'),
  }),
  CalendarSyncFailed: z.object({
    ...Of,
    operation,
    version: z.int(),
    attempt: z.int(),
    error: z.string().describe('A code that quotes nothing'),
    final: z.boolean().describe('Nothing more is tried by itself'),
    nextAttemptAt: z.string().optional(),
  }),
  CalendarSyncPostponed: z
    .object({ ...Of, version: z.int(), attempt: z.int(), until: z.string() })
    .describe('The calendar took no more calls just now; the attempt does not count'),
  CalendarSyncSkipped: z.object({
    ...Of,
    version: z.int(),
    reason: z.enum(['not-connected', 'not-configured']),
  }),
  CalendarSyncRequested: z.object({ ...Of, by: z.string() }).describe('Somebody wants it to be tried again'),
};
export type CalendarSyncEvent = EventOf<typeof events>;

/** How an appointment stands in somebody's calendar. */
export const CALENDAR_STATUS = ['pending', 'synced', 'failed', 'skipped', 'removed'] as const;
export type CalendarStatus = (typeof CALENDAR_STATUS)[number];

export type CalendarSync = {
  readonly status: CalendarStatus;
  /** Of the appointment, in the latest result; -1 before the first. */
  readonly version: number;
  /** Where the event was written last, and by which id. */
  readonly written?: { readonly integrationId: string; readonly eventId: string };
};

/** One appointment in the calendar of one of its parties. */
export const calendarSync = decider<CalendarSync, CalendarSyncEvent>({
  category: 'calendarSync',
  events,
  initial: { status: 'pending', version: -1 },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'CalendarEventSynced': {
        const { operation, integrationId, googleEventId: eventId, version } = data;
        return operation === 'delete'
          ? { status: 'removed', version }
          : { status: 'synced', version, written: { integrationId, eventId } };
      }
      case 'CalendarSyncFailed':
        return { ...state, status: data.final ? 'failed' : 'pending', version: data.version };
      case 'CalendarSyncPostponed':
        return { ...state, status: 'pending', version: data.version };
      case 'CalendarSyncSkipped':
        return { ...state, status: 'skipped', version: data.version };
      case 'CalendarSyncRequested':
        return { ...state, status: 'pending' };
    }
  },
});
const command = commandsOf(calendarSync);

/** Names the stream of an appointment in the calendar of one of its parties. */
export const calendarSyncId = ({
  appointmentId,
  party,
}: {
  readonly appointmentId: string;
  readonly party: SyncParty;
}): string => `${appointmentId}~${party}`;

const version = z.int().min(0);
const attempt = z.int().min(1);

/** Seconds that pass after each attempt that failed; after the last one nothing more is tried. */
export const PAUSES_SECONDS = [30, 120, 600, 3_600, 21_600] as const;

const later = (now: Date, seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();

/**
 * Notes what came of bringing an appointment to a calendar, and when the next attempt is due. Success with an older state
 * of the appointment than is known already is passed over; a failure never is, for what became of it nobody knows until
 * the calendar is looked at again.
 */
export const recordCalendarResult = command(
  'RecordCalendarResult',
  z.discriminatedUnion('status', [
    z.object({
      ...Of,
      status: z.literal('synced'),
      operation,
      integrationId: z.string(),
      googleEventId: z.string(),
      version,
    }),
    z.object({
      ...Of,
      status: z.literal('failed'),
      operation,
      version,
      attempt,
      error: z.string().max(100),
      final: z.boolean().describe('The same would fail again'),
    }),
    z.object({ ...Of, status: z.literal('postponed'), version, attempt, seconds: z.int().min(1) }),
    z.object({ ...Of, status: z.literal('skipped'), version, reason: z.enum(['not-connected', 'not-configured']) }),
  ]),
  (input, state, { now }): readonly CalendarSyncEvent[] => {
    switch (input.status) {
      case 'synced': {
        const { status: _status, ...data } = input;
        return input.version < state.version ? [] : [{ type: 'CalendarEventSynced', data }];
      }
      case 'failed': {
        const { status: _status, version, final: hopeless, ...told } = input;
        const pause = hopeless ? undefined : PAUSES_SECONDS[input.attempt - 1];
        const data = { ...told, version: Math.max(version, state.version), final: pause === undefined };
        const next = pause === undefined ? {} : { nextAttemptAt: later(now, pause) };
        return [{ type: 'CalendarSyncFailed', data: { ...data, ...next } }];
      }
      case 'postponed': {
        const { status: _status, version, seconds, ...told } = input;
        const data = { ...told, version: Math.max(version, state.version), until: later(now, seconds) };
        return [{ type: 'CalendarSyncPostponed', data }];
      }
      case 'skipped': {
        const { status: _status, ...data } = input;
        const known = state.status === 'skipped' || input.version < state.version;
        return known ? [] : [{ type: 'CalendarSyncSkipped', data }];
      }
    }
  },
);

/** Which of the parties an account is, by the id of the appointment alone: its provider, or else at most its client. */
export const partyOf = (appointmentId: string, actor: Pick<Actor, 'id'>): SyncParty =>
  appointmentRef(appointmentId)?.providerId === actor.id ? 'provider' : 'client';

/** What RetryCalendarSync must know: whether the appointment is the actor's, and whether he has a calendar connected. */
export type RetryFacts = { readonly own: boolean; readonly connected: boolean };

/** Tries once more what was given up, or could not be tried. */
export const retryCalendarSync = command(
  'RetryCalendarSync',
  z.object({ appointmentId: appointmentIdField }),
  (
    { appointmentId },
    { status },
    { facts, actor }: { facts: RetryFacts; actor: Actor },
  ): readonly CalendarSyncEvent[] | Rejection => {
    if (!facts.own) return reject('NOT_FOUND', 'appointment-unknown', 'No such appointment');
    if (!facts.connected) return reject('CONFLICT', 'calendar-not-connected', 'Connect your calendar first');
    if (status !== 'failed' && status !== 'skipped') return [];
    const of = { appointmentId, party: partyOf(appointmentId, actor), accountId: actor.id };
    return [{ type: 'CalendarSyncRequested', data: { ...of, by: actor.id } }];
  },
);

/** Wants an appointment brought to a calendar anew: because what it says has changed, or the calendar is there only now. */
export const requestCalendarSync = command(
  'RequestCalendarSync',
  z.object(Of),
  (data, _state, { actor }): readonly CalendarSyncEvent[] => [
    { type: 'CalendarSyncRequested', data: { ...data, by: actor.id } },
  ],
);
