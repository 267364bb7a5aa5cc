import { z } from 'zod';
import { type KnownIntegration, newest } from '../../commands/reads.ts';
import { calendarSync, calendarSyncId, recordCalendarResult, SyncParty } from '../../domain/booking/calendarSync.ts';
import { integration, isUsable, requireReconnect } from '../../domain/messaging/integration/index.ts';
import type { Calendar, CalendarAnswer } from '../../integrations/calendar/index.ts';
import { AttemptNoted } from '../attempts.ts';
import { type CalendarDeps, callWith, issueAs, type NoToken } from './access.ts';
import { type Part, partOf, wantedOf } from './wanted.ts';

/** What the job `sync-calendar` is told: which appointment, in whose calendar, which attempt, and what led to it. */
const Order = z.object({
  appointmentId: z.string(),
  party: SyncParty,
  attempt: z.int(),
  causationId: z.string(),
  correlationId: z.string(),
});
export type SyncOrder = z.input<typeof Order>;

/** How often the calendar is brought after an appointment that changes meanwhile; then a later attempt takes over. */
const ROUNDS = 5;

type Result = z.input<typeof recordCalendarResult.input>;
type Failure = Exclude<CalendarAnswer, { outcome: 'done' }> | { readonly outcome: NoToken };

/** The connections of an account that reach a calendar, or did before they needed their holder. */
const connectionsOf = async ({ reads }: CalendarDeps, accountId: string): Promise<readonly KnownIntegration[]> =>
  (await reads.lookups.integrationsOf(accountId)).filter(
    ({ status, capabilities }) => status !== 'revoked' && capabilities.includes('calendar'),
  );

/** The one that is used: the one that the event was written by, or else the first that can be. */
const chosen = (known: readonly KnownIntegration[], written: string | undefined): KnownIntegration | undefined => {
  const usable = known.filter(({ status }) => status === 'active');
  return usable.find(({ integrationId }) => integrationId === written) ?? usable[0] ?? known[0];
};

const errorOf = (failure: Failure): { readonly error: string; readonly final: boolean } => {
  switch (failure.outcome) {
    case 'failed':
      return { error: failure.code, final: failure.final };
    case 'needs-reconnect':
    case 'forbidden':
      return { error: 'needs-reconnect', final: true };
    case 'unavailable':
      return { error: 'refresh-unavailable', final: false };
    default:
      return { error: failure.outcome, final: false };
  }
};

/**
 * The job `sync-calendar`: brings an appointment, as the log tells it now, to the calendar of one of its parties. Any
 * number of such jobs may run at once and in any order, and each may be done again: every one reads the log, writes, and
 * reads the log once more, so whichever writes last has written the latest.
 */
export const syncCalendar = async (data: unknown, deps: CalendarDeps): Promise<void> => {
  const { appointmentId, party, attempt, ...led } = Order.parse(data);
  const { reads, calendars } = deps;
  const id = calendarSyncId({ appointmentId, party });
  const note = async (result: Result): Promise<void> => {
    const outcome = await issueAs(deps, led, recordCalendarResult.name, result);
    if (!outcome.ok) throw new Error(`What came of a calendar was not noted (${outcome.reason})`);
  };

  let part = await partOf(reads, appointmentId, party);
  for (let round = 0; round < ROUNDS && part !== undefined; round += 1) {
    const { accountId, version, eventId }: Part = part;
    const of = { appointmentId, party, accountId, version };
    const connections = await connectionsOf(deps, accountId);
    // Most people have none, and all that follows would be read for nothing.
    const sync = connections.length === 0 ? undefined : await newest(reads, calendarSync, id);
    const connection = chosen(connections, sync?.written?.integrationId);
    if (connection === undefined) return note({ ...of, status: 'skipped', reason: 'not-connected' });
    const { integrationId, provider } = connection;
    const calendar: Calendar | undefined = calendars[provider];
    if (calendar === undefined) return note({ ...of, status: 'skipped', reason: 'not-configured' });

    const wanted = await wantedOf(reads, part);
    const { event } = wanted;
    const known = sync?.written?.integrationId === integrationId;
    const operation = event === undefined ? 'delete' : known ? 'update' : 'create';
    const answer = await callWith(deps, led, integrationId, (token) =>
      event === undefined ? calendar.remove(token, eventId) : calendar.put(token, event, known),
    );
    if (answer.outcome !== 'done') {
      if (answer.outcome === 'throttled') return note({ ...of, status: 'postponed', attempt, seconds: answer.seconds });
      // Ended under our hands: the next round finds what there is instead.
      if (answer.outcome === 'gone') continue;
      if (answer.outcome === 'forbidden')
        await issueAs(deps, led, requireReconnect.name, { integrationId, reason: 'access-refused' });
      const failure = errorOf(answer);
      await note({ ...of, status: 'failed', operation, attempt, ...failure });
      const { status } = await newest(reads, calendarSync, id);
      throw new AttemptNoted(failure.error, status === 'failed');
    }
    await note({ ...of, status: 'synced', operation, integrationId, googleEventId: eventId });

    const later = await partOf(reads, appointmentId, party);
    const now = later && (await wantedOf(reads, later));
    const { state } = await reads.load(integration, integrationId);
    const stays = isUsable(state, 'calendar');
    if (stays && JSON.stringify(now) === JSON.stringify(wanted)) return;
    // Disconnected while it was written: whoever removes what was there may have looked before.
    if (!stays && state.removing && event !== undefined) {
      const undone = await callWith(deps, led, integrationId, (token) => calendar.remove(token, eventId));
      if (undone.outcome === 'done')
        await note({ ...of, status: 'synced', operation: 'delete', integrationId, googleEventId: eventId });
    }
    part = later;
  }
  if (part !== undefined) throw new Error('The appointment changes faster than it can be brought to the calendar');
};
