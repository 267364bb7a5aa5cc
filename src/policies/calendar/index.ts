import type { SyncParty } from '../../domain/booking/calendarSync.ts';
import { MINUTE_MS } from '../../domain/durations.ts';
import { scopesFor } from '../../domain/messaging/offers.ts';
import { type Job, job, policy } from '../policy.ts';
import type { RemovalOrder } from './removal.ts';
import type { ResyncOrder } from './resync.ts';
import type { SyncOrder } from './sync.ts';

type Event = { readonly id: string; readonly metadata: { readonly correlationId: string } };
const ledBy = ({ id, metadata: { correlationId } }: Event) => ({ causationId: id, correlationId });

type Of = { readonly appointmentId: string; readonly party: SyncParty };
const sync = (event: Event, { appointmentId, party }: Of, attempt = 1, at?: string): Job => {
  const order: SyncOrder = { appointmentId, party, attempt, ...ledBy(event) };
  return job('sync-calendar', order, at === undefined ? undefined : new Date(at));
};

type Changed = Event & { readonly data: { readonly appointmentId: string } };
/** One job for each calendar, so that neither waits for the other. */
const syncBoth = (event: Changed): readonly Job[] =>
  (['client', 'provider'] as const).map((party) => sync(event, { appointmentId: event.data.appointmentId, party }));

const resync = (event: Event, accountId: string, whose: ResyncOrder['whose']): Job => {
  const order: ResyncOrder = { accountId, whose, ...ledBy(event) };
  return job('resync-calendar', order);
};

/** Brings appointments to the calendars of both parties, and again after a failure when its time comes. */
export const calendarSyncing = policy('booking-calendar', {
  AppointmentBooked: syncBoth,
  AppointmentRescheduled: syncBoth,
  AppointmentNotesUpdated: syncBoth,
  AppointmentCancelled: syncBoth,
  ProviderProfileUpdated: (event) => [resync(event, event.data.providerId, 'both')],
  CalendarSyncRequested: (event) => [sync(event, event.data)],
  CalendarSyncFailed: (event) => {
    const { attempt, nextAttemptAt } = event.data;
    return nextAttemptAt === undefined ? [] : [sync(event, event.data, attempt + 1, nextAttemptAt)];
  },
  CalendarSyncPostponed: (event) => [sync(event, event.data, event.data.attempt, event.data.until)],
});

const isCalendar = (scopes: readonly string[]): boolean =>
  scopesFor('google', 'calendar').every((scope) => scopes.includes(scope));

/** Brings what lies ahead to a calendar that was connected just now. */
export const calendarConnecting = policy('booking-calendar-connecting', {
  IntegrationConnected: (event) => (isCalendar(event.data.scopes) ? [resync(event, event.data.accountId, 'own')] : []),
  IntegrationScopesExtended: (event) =>
    isCalendar(event.data.scopes) ? [resync(event, event.data.accountId, 'own')] : [],
});

/** Milliseconds for which it is tried to remove events from a calendar that was disconnected. */
const REMOVAL_TIME = 15 * MINUTE_MS;

/** Removes what was written to a calendar that its holder disconnects, where he wants that. */
export const calendarRemoval = policy('booking-calendar-removal', {
  CalendarDisconnected: (event) => {
    const { integrationId, removeEvents } = event.data;
    if (!removeEvents) return [];
    const until = new Date(Date.parse(event.recordedAt) + REMOVAL_TIME).toISOString();
    const order: RemovalOrder = { integrationId, until, ...ledBy(event) };
    return [job('remove-calendar-events', order)];
  },
});

/** Every policy about calendars. */
export const calendarPolicies = [calendarSyncing, calendarConnecting, calendarRemoval] as const;
