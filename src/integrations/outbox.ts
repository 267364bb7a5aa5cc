import type pg from 'pg';
import type { Logger } from 'pino';
import type { Mailer } from './email.ts';

/** Messages that are kept at most, and for how many days. */
const KEPT = 10_000;
const KEPT_DAYS = 30;

export type Channel = 'email' | 'sms' | 'push';

/** A message in the outbox. Content is there only outside production. */
export type OutboxMessage = {
  readonly id: string;
  readonly channel: Channel;
  /** The address; masked in production. */
  readonly recipient: string;
  readonly template: string;
  readonly subject: string | null;
  readonly text: string | null;
  readonly html: string | null;
  readonly status: string;
  readonly at: string;
};

/** `ada@example.org` as `a***@example.org`. */
const masked = (address: string): string => address.replace(/^(.).*(?=@)/u, '$1***');

const hashed = (hash: (purpose: string, value: string) => string, recipient: string): string =>
  hash('outbox-recipient', recipient.trim().normalize('NFC').toLowerCase());

/**
 * Takes mail where no mail service is configured: keeps it, readable for operators, and logs one line without content.
 * In production only the fact is kept, never content or address.
 */
export const outboxMailer = ({
  pool,
  hash,
  log,
  production,
}: {
  readonly pool: pg.Pool;
  readonly hash: (purpose: string, value: string) => string;
  readonly log: Logger;
  readonly production: boolean;
}): Mailer => ({
  send: async ({ to, template, subject, text, html, dedupeKey }) => {
    const content = production ? [null, null, null] : [subject, text, html];
    const { rows } = await pool.query<{ id: string }>(
      `insert into convene.outbox
         (channel, recipient, recipient_hash, template, subject, body_text, body_html, status, dedupe_key)
       values ('email', $1, $2, $3, $4, $5, $6, 'suppressed', $7)
       on conflict (dedupe_key) do nothing returning id`,
      [production ? masked(to) : to, hashed(hash, to), template, ...content, dedupeKey],
    );
    const id = rows[0]?.id;
    if (id === undefined) return;
    log.info({ template, outboxId: id }, 'no mail service is configured: the mail stays in the outbox');
    await pool.query(`delete from convene.outbox where id <= $1 or at < now() - make_interval(days => $2)`, [
      String(BigInt(id) - BigInt(KEPT)),
      KEPT_DAYS,
    ]);
  },
});

/** Messages in the outbox, newest first: one page, and how many there are. `recipient` is the exact address. */
export const outboxMessages = async (
  pool: pg.Pool,
  {
    channel,
    recipient,
    hash,
    offset,
    limit,
  }: {
    readonly channel?: Channel | undefined;
    readonly recipient?: string | undefined;
    readonly hash: (purpose: string, value: string) => string;
    readonly offset: number;
    readonly limit: number;
  },
): Promise<{ readonly items: readonly OutboxMessage[]; readonly total: number }> => {
  const filter = '($1::text is null or channel = $1) and ($2::text is null or recipient_hash = $2)';
  const values = [channel ?? null, recipient === undefined ? null : hashed(hash, recipient)];
  const [{ rows }, total] = await Promise.all([
    pool.query<Omit<OutboxMessage, 'at'> & { at: Date | string }>(
      `select id::text, channel, recipient, template, subject, body_text as text, body_html as html, status, at
       from convene.outbox where ${filter} order by id desc offset $3 limit $4`,
      [...values, offset, limit],
    ),
    pool.query<{ count: string }>(`select count(*) from convene.outbox where ${filter}`, values),
  ]);
  const items = rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() }));
  return { items, total: Number(total.rows[0]?.count ?? 0) };
};
