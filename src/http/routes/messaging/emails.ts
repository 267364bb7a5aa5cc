import { z } from 'zod';
import { appointmentIdField } from '../../../domain/booking/ids.ts';
import { can } from '../../../domain/decider.ts';
import { line } from '../../../domain/fields.ts';
import { masked } from '../../../integrations/outbox.ts';
import { profileOf, providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import {
  EMAIL_STATUS,
  type EmailRow,
  emailStatistics,
  emails,
  listEmails,
} from '../../../projections/messaging/emails.ts';
import { offsetOf, Pagination, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { rangeEnd, rangeOf } from '../../dateRange.ts';
import { accountOf, actorOf } from '../../request.ts';

const Status = z.enum(EMAIL_STATUS);

const ListedEmail = z.object({
  id: z.string(),
  template: z.string(),
  recipient: z.string().describe('Masked for all but administrators'),
  status: Status.describe('Failed: given up. Suppressed: never sent, lastError says why'),
  attempts: z.int(),
  lastError: z.string().nullable(),
  nextAttemptAt: z.string().nullable(),
  queuedAt: z.string(),
  sentAt: z.string().nullable(),
  deliveredAt: z.string().nullable(),
  openedAt: z.string().nullable(),
  appointmentId: z.string().nullable(),
});

const rate = z.number().nullable().describe('From 0 to 1; null where there is nothing to divide by');
const Statistics = z.object({
  template: z.string(),
  queued: z.int(),
  sent: z.int(),
  delivered: z.int(),
  bounced: z.int(),
  failed: z.int(),
  opened: z.int(),
  deliveryRate: rate,
  bounceRate: rate,
  openRate: rate,
});

const listed = (row: EmailRow, clear: boolean): z.output<typeof ListedEmail> => ({
  id: row.email_id,
  template: row.template,
  recipient: clear ? row.recipient : masked(row.recipient),
  status: row.status,
  attempts: row.attempts,
  lastError: row.last_error,
  nextAttemptAt: row.next_attempt_at,
  queuedAt: row.queued_at,
  sentAt: row.sent_at,
  deliveredAt: row.delivered_at,
  openedAt: row.opened_at,
  appointmentId: row.appointment_id,
});

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** What became of mails, for providers those about their own appointments. */
export const emailRoutes = (app: App, { db }: Deps): void => {
  app.get(
    '/provider/emails',
    {
      config: { access: 'read:provider-appointments', reads: [emails, providerProfiles] },
      schema: {
        summary: 'The mails about your appointments and what became of them; for administrators all mails',
        querystring: z.strictObject({
          ...page(),
          status: Status.optional(),
          template: line(1, 60).optional(),
          appointmentId: appointmentIdField.optional(),
          from: rangeEnd.optional(),
          to: rangeEnd.optional(),
        }),
        response: {
          200: z.object({
            success: z.literal(true),
            data: z.object({ items: z.array(ListedEmail), pagination: Pagination, statistics: z.array(Statistics) }),
          }),
        },
      },
    },
    async (request) => {
      const { query } = request;
      const all = can(actorOf(request), '*:*');
      const whose = all ? {} : { providerId: accountOf(request) };
      const zone = all ? undefined : (await profileOf(db, accountOf(request)))?.timezone;
      const range = rangeOf(query, zone);
      const { status, template, appointmentId, limit } = query;
      const [{ items, total }, statistics] = await Promise.all([
        listEmails(db, { ...whose, ...range, status, template, appointmentId, limit, offset: offsetOf(query) }),
        emailStatistics(db, { ...whose, ...range }),
      ]);
      const list = paginated(
        'items',
        items.map((row) => listed(row, all)),
        total,
        query,
      );
      return {
        ...list,
        data: {
          ...list.data,
          statistics: statistics.map((of) => ({
            ...of,
            deliveryRate: share(of.delivered, of.sent),
            bounceRate: share(of.bounced, of.sent),
            openRate: share(of.opened, of.delivered),
          })),
        },
      };
    },
  );
};
