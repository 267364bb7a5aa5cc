import { z } from 'zod';
import { recordCalendarResult } from '../../domain/booking/calendarSync.ts';
import { integration, revokeIntegration } from '../../domain/messaging/integration/index.ts';
import { type CalendarDeps, callWith, issueAs } from './access.ts';
import { partOf } from './wanted.ts';

/** What the job `remove-calendar-events` is told: by which connection they were written, and until when it is tried. */
const Order = z.object({
  integrationId: z.string(),
  until: z.string(),
  causationId: z.string(),
  correlationId: z.string(),
});
export type RemovalOrder = z.input<typeof Order>;

/** Events are still to be removed; the queue tries again. */
class Unfinished extends Error {
  override readonly name = 'Unfinished';
  readonly code: string;
  constructor(code: string) {
    super(`Events are left in a calendar (${code})`);
    this.code = code;
  }
}

/**
 * The job `remove-calendar-events`: takes away what was written to a calendar that its holder has disconnected, and then
 * ends the connection where it serves nothing else. Whatever cannot be removed in time stays: the tokens do not.
 */
export const removeCalendarEvents = async (data: unknown, deps: CalendarDeps): Promise<void> => {
  const { integrationId, until, ...led } = Order.parse(data);
  const { reads, calendars } = deps;
  const { state } = await reads.load(integration, integrationId);
  const { provider, accountId } = state;
  const calendar = provider && calendars[provider];
  const late = Date.parse(until) <= reads.now().getTime();
  let left: string | undefined;
  if (calendar !== undefined && accountId !== undefined && state.status !== 'revoked')
    for (const { appointmentId, party, eventId } of await reads.lookups.calendarEventsOf(integrationId)) {
      const answer = await callWith(deps, led, integrationId, (token) => calendar.remove(token, eventId));
      if (answer.outcome === 'done') {
        const version = (await partOf(reads, appointmentId, party))?.version ?? 0;
        const of = { appointmentId, party, accountId, version, integrationId, googleEventId: eventId };
        await issueAs(deps, led, recordCalendarResult.name, { ...of, status: 'synced', operation: 'delete' });
      } else if (answer.outcome === 'gone' || answer.outcome === 'needs-reconnect') break;
      else left = answer.outcome === 'failed' ? answer.code : answer.outcome;
    }
  if (left !== undefined && !late) throw new Unfinished(left);
  await issueAs(deps, led, revokeIntegration.name, { integrationId, by: 'owner', onlyEnding: true });
};
