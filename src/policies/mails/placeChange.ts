import { z } from 'zod';
import type { Reads } from '../../commands/reads.ts';
import { dayOfAppointment } from '../../domain/booking/ids.ts';
import { uuid5 } from '../../uuid.ts';
import { type Execute, settled } from '../execute.ts';
import { hostOf, storyOf } from './booking/appointment.ts';
import { mail } from './index.ts';

/** What the job `tell-place` is told: whose profile changed, by which command, and what led to it. */
const Change = z.object({
  providerId: z.string(),
  commandId: z.string(),
  causationId: z.string(),
  correlationId: z.string(),
});
export type PlaceChange = z.input<typeof Change>;

/**
 * The job `tell-place`: queues a mail to the client of every appointment to come when the place or the meeting link of its
 * provider has become another. The provider, who changed it, is told nothing.
 */
export const tellPlace = async (
  data: unknown,
  { reads, execute }: { readonly reads: Pick<Reads, 'history' | 'lookups'>; readonly execute: Execute },
): Promise<void> => {
  const { providerId, commandId, ...cause } = Change.parse(data);
  const host = await hostOf(reads, providerId, commandId);
  const { before, after } = host ?? {};
  if (before === undefined || after === undefined) return;
  if (before.meetingLink === after.meetingLink && before.location === after.location) return;
  for (const appointmentId of await reads.lookups.upcomingAppointments(providerId)) {
    if (dayOfAppointment(appointmentId).providerId !== providerId) continue;
    const appointment = (await storyOf(reads, appointmentId))?.now;
    if (appointment?.status !== 'SCHEDULED') continue;
    const { clientId: accountId } = appointment;
    const { command, input } = mail({
      template: 'appointment-update',
      accountId,
      appointmentId,
      side: 'client',
      commandId,
    });
    const queued = { ...cause, policy: 'booking-mails', commandId: uuid5(appointmentId, commandId) };
    settled(await execute(command, input, queued));
  }
};
