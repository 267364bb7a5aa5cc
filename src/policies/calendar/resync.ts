import { z } from 'zod';
import { requestCalendarSync, type SyncParty } from '../../domain/booking/calendarSync.ts';
import { uuid5 } from '../../uuid.ts';
import { settled } from '../execute.ts';
import { storyOf } from '../mails/booking/appointment.ts';
import type { CalendarDeps } from './access.ts';

/** What the job `resync-calendar` is told: whose appointments, in whose calendars, and what led to it. */
const Order = z.object({
  accountId: z.string(),
  whose: z.enum(['own', 'both']).describe('The calendar of the account, or those of both parties'),
  causationId: z.string(),
  correlationId: z.string(),
});
export type ResyncOrder = z.input<typeof Order>;

/** The job `resync-calendar`: has every appointment of an account that is still to end brought to calendars anew. */
export const resyncCalendar = async (data: unknown, { reads, execute }: CalendarDeps): Promise<void> => {
  const { accountId, whose, ...led } = Order.parse(data);
  for (const appointmentId of await reads.lookups.upcomingAppointments(accountId)) {
    const now = (await storyOf(reads, appointmentId))?.now;
    if (now === undefined) continue;
    const parties: readonly (readonly [SyncParty, string])[] = [
      ['client', now.clientId],
      ['provider', now.providerId],
    ];
    for (const [party, holder] of parties) {
      if (whose === 'own' && holder !== accountId) continue;
      const commandId = uuid5(`${appointmentId}~${party}`, led.causationId);
      const input = { appointmentId, party, accountId: holder };
      settled(await execute(requestCalendarSync.name, input, { ...led, policy: 'booking-calendar', commandId }));
    }
  }
};
