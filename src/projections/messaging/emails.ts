import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import { appointmentRef } from '../../domain/booking/ids.ts';
import { ERASED } from '../../domain/decider.ts';
import type { ReadModels } from '../index.ts';
import { instant, integer, nullable, projection, type RowOf, text, uuid, word } from '../projection.ts';

/** How far a mail has come. */
export const EMAIL_STATUS = ['queued', 'sent', 'delivered', 'bounced', 'failed', 'suppressed'] as const;
export type EmailStatus = (typeof EMAIL_STATUS)[number];

const columns = {
  email_id: uuid,
  account_id: uuid,
  recipient: text,
  template: text,
  status: word<EmailStatus>(),
  attempts: integer,
  last_error: nullable(text),
  next_attempt_at: nullable(instant),
  queued_at: instant,
  sent_at: nullable(instant),
  delivered_at: nullable(instant),
  opened_at: nullable(instant),
  bounced_at: nullable(instant),
  appointment_id: nullable(text),
  /** In whose calendar the appointment lies. */
  provider_id: nullable(uuid),
};
export type EmailRow = RowOf<typeof columns>;

/** Notices come in any order: what says more of the end of a mail is not taken back by what says less. */
const RANK: Readonly<Record<EmailStatus, number>> = {
  queued: 0,
  suppressed: 1,
  failed: 1,
  sent: 2,
  delivered: 3,
  bounced: 4,
};
/** A mail that was not taken at first may arrive all the same. */
const isSoft = ({ status, last_error }: EmailRow): boolean => status === 'bounced' && last_error === 'soft';
const raised = (row: EmailRow, status: EmailStatus): EmailStatus =>
  RANK[status] > RANK[row.status] || (isSoft(row) && status === 'delivered') ? status : row.status;

/** Every mail and how far it has come. The words of a mail are nowhere; its address is blanked with its person. */
export const emails = projection({
  name: 'emails',
  version: 1,
  columns,
  key: { column: 'email_id', of: ({ data }) => data.emailId },
  erasure: { column: 'account_id', row: (row) => ({ ...row, recipient: ERASED }) },
  indexes: [
    ['queued_at', 'email_id'],
    ['provider_id', 'queued_at', 'email_id'],
    ['appointment_id', 'queued_at'],
    ['account_id'],
  ],
  fold: {
    EmailQueued: (_row, { data, recordedAt }): EmailRow => ({
      email_id: data.emailId,
      account_id: data.accountId,
      recipient: data.to,
      template: data.template,
      status: 'queued',
      attempts: 0,
      last_error: null,
      next_attempt_at: data.sendAt ?? recordedAt,
      queued_at: recordedAt,
      sent_at: null,
      delivered_at: null,
      opened_at: null,
      bounced_at: null,
      appointment_id: data.appointmentId ?? null,
      provider_id:
        (data.appointmentId === undefined ? undefined : appointmentRef(data.appointmentId))?.providerId ?? null,
    }),
    EmailSent: (row, { data: { to, attempt, at } }) =>
      row && {
        ...row,
        recipient: to,
        status: raised(row, 'sent'),
        attempts: attempt,
        next_attempt_at: null,
        sent_at: at,
      },
    EmailAttemptFailed: (row, { data: { attempt, error, nextAttemptAt } }) =>
      row && { ...row, attempts: attempt, last_error: error, next_attempt_at: nextAttemptAt ?? null },
    EmailAbandoned: (row) => row && { ...row, status: raised(row, 'failed'), next_attempt_at: null },
    EmailSuppressed: (row, { data: { reason } }) =>
      row && { ...row, status: raised(row, 'suppressed'), last_error: reason, next_attempt_at: null },
    EmailDelivered: (row, { data: { at } }) =>
      row && { ...row, status: raised(row, 'delivered'), next_attempt_at: null, delivered_at: at },
    // A mail that was opened has arrived, whatever else was told of it.
    EmailOpened: (row, { data: { at } }) =>
      row && { ...row, status: raised(row, 'delivered'), next_attempt_at: null, opened_at: at },
    EmailBounced: (row, { data: { kind, at } }): EmailRow | undefined => {
      if (row === undefined || (kind === 'soft' && RANK[row.status] >= RANK.delivered)) return row;
      return { ...row, status: 'bounced', last_error: kind, next_attempt_at: null, bounced_at: at };
    },
  },
});

/** Which mails are wanted. `from` and `to` are instants, half-open, of when a mail was queued. */
export type EmailFilter = {
  /** In whose calendar the appointment lies that the mail is about; undefined: every mail of the service. */
  readonly providerId?: string | undefined;
  readonly status?: EmailStatus | undefined;
  readonly template?: string | undefined;
  readonly appointmentId?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
};

type Emails = SelectQueryBuilder<ReadModels, 'emails', object>;
const wanted = (db: Kysely<ReadModels>, filter: EmailFilter): Emails => {
  const { providerId, status, template, appointmentId, from, to } = filter;
  let query: Emails = db.selectFrom('emails');
  if (providerId !== undefined) query = query.where('provider_id', '=', providerId);
  if (status !== undefined) query = query.where('status', '=', status);
  if (template !== undefined) query = query.where('template', '=', template);
  if (appointmentId !== undefined) query = query.where('appointment_id', '=', appointmentId);
  if (from !== undefined) query = query.where('queued_at', '>=', from);
  if (to !== undefined) query = query.where('queued_at', '<', to);
  return query;
};

/** A page of mails, the latest first, and how many there are. */
export const listEmails = async (
  db: Kysely<ReadModels>,
  { limit, offset, ...filter }: EmailFilter & { readonly limit: number; readonly offset: number },
) => {
  const query = wanted(db, filter);
  const [items, { total }] = await Promise.all([
    query.selectAll().orderBy('queued_at', 'desc').orderBy('email_id').limit(limit).offset(offset).execute(),
    query.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total };
};

/** The mails about one appointment, the first first. */
export const emailsAbout = (db: Kysely<ReadModels>, appointmentId: string): Promise<EmailRow[]> =>
  db
    .selectFrom('emails')
    .selectAll()
    .where('appointment_id', '=', appointmentId)
    .orderBy('queued_at')
    .orderBy('email_id')
    .execute();

const how = (condition: ReturnType<typeof sql<boolean>>) => sql<number>`(count(*) filter (where ${condition}))::int`;

/** How many mails of each template have come how far, by its name. */
export const emailStatistics = (db: Kysely<ReadModels>, filter: EmailFilter) =>
  wanted(db, filter)
    .select([
      'template',
      sql<number>`count(*)::int`.as('queued'),
      how(sql`sent_at is not null or delivered_at is not null or bounced_at is not null`).as('sent'),
      how(sql`delivered_at is not null or opened_at is not null`).as('delivered'),
      how(sql`status = 'bounced'`).as('bounced'),
      how(sql`status = 'failed'`).as('failed'),
      how(sql`opened_at is not null`).as('opened'),
    ])
    .groupBy('template')
    .orderBy('template')
    .execute();
