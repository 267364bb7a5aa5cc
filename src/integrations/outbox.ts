import type pg from 'pg';
import type { Logger } from 'pino';
import type { Mail, Mailer, Sent } from './email.ts';
import type { Sms, TextMessage } from './sms.ts';

/** Messages that are kept at most, and for how many days. */
const KEPT = 10_000;
const KEPT_DAYS = 30;

export type Channel = 'email' | 'sms' | 'push';

/** `suppressed`: kept here, because no service is configured. `failed`: so far; it may be tried again. */
export type Status = 'sent' | 'failed' | 'suppressed';

/** A message in the outbox. */
export type OutboxMessage = {
  readonly id: string;
  readonly channel: Channel;
  /** The address; masked in production. */
  readonly recipient: string;
  readonly template: string;
  /** Content is there only where it was suppressed outside production. */
  readonly subject: string | null;
  readonly text: string | null;
  readonly html: string | null;
  readonly status: Status;
  readonly at: string;
};

type Hash = (purpose: string, value: string) => string;

/** `ada@example.org` as `a***@example.org`, `+4930123456` as `+***56`. */
export const masked = (address: string): string =>
  address.includes('@') ? address.replace(/^(.).*(?=@)/u, '$1***') : address.replace(/^(.).*(..)$/u, '$1***$2');

const hashed = (hash: Hash, recipient: string): string =>
  hash('outbox-recipient', recipient.trim().normalize('NFC').toLowerCase());

type Message = Omit<Mail, 'subject' | 'html' | 'emailId' | 'calendar'> & {
  readonly channel: Channel;
  readonly subject: string | null;
  readonly html: string | null;
};

const mailMessage = (mail: Mail): Message => ({ ...mail, channel: 'email' });
const smsMessage = (message: TextMessage): Message => ({ ...message, channel: 'sms', subject: null, html: null });

/**
 * What became of every message, by its key. Content is kept only of messages that no service takes because none is
 * configured, and only outside production; in production addresses are masked too.
 */
export const createOutbox = ({
  pool,
  hash,
  log,
  production,
}: {
  readonly pool: Pick<pg.Pool, 'query'>;
  readonly hash: Hash;
  readonly log: Pick<Logger, 'info'>;
  readonly production: boolean;
}) => {
  const note = async (message: Message, status: Status): Promise<void> => {
    const { channel, to, accountId, concerns = [], template, subject, text, html, dedupeKey } = message;
    const content = production || status !== 'suppressed' ? [null, null, null] : [subject, text, html];
    const { rows } = await pool.query<{ id: string }>(
      `insert into convene.outbox
         (channel, recipient, recipient_hash, account_id, concerns, template, subject, body_text, body_html, status,
          dedupe_key)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       on conflict (dedupe_key) do update set status = excluded.status, at = now() where outbox.status = 'failed'
       returning id`,
      [
        channel,
        production ? masked(to) : to,
        hashed(hash, to),
        accountId ?? null,
        concerns,
        template,
        ...content,
        status,
        dedupeKey,
      ],
    );
    const id = rows[0]?.id;
    if (id === undefined) return;
    if (status === 'suppressed')
      log.info({ channel, template, outboxId: id }, 'no service is configured: the message stays in the outbox');
    await pool.query(`delete from convene.outbox where id <= $1 or at < now() - make_interval(days => $2)`, [
      String(BigInt(id) - BigInt(KEPT)),
      KEPT_DAYS,
    ]);
  };

  const doneBefore = async (dedupeKey: string): Promise<Sent | undefined> => {
    const { rows } = await pool.query<{ status: Sent['status'] }>(
      `select status from convene.outbox where dedupe_key = $1 and status <> 'failed'`,
      [dedupeKey],
    );
    return rows[0];
  };

  /** Sends what was not sent before. A crash before the note is kept sends it again, under the same name. */
  const once = async (message: Message, send: () => Promise<Sent>): Promise<Sent> => {
    const before = await doneBefore(message.dedupeKey);
    if (before !== undefined) return before;
    let sent: Sent;
    try {
      sent = await send();
    } catch (error) {
      await note(message, 'failed');
      throw error;
    }
    await note(message, sent.status);
    return sent;
  };
  const suppress = async (message: Message): Promise<Sent> => {
    await note(message, 'suppressed');
    return { status: 'suppressed' };
  };

  return {
    /** Takes mail and text messages where no service is configured. */
    mailer: { send: (mail) => suppress(mailMessage(mail)) } satisfies Mailer,
    sms: {
      send: async (message) => void (await suppress(smsMessage(message))),
      available: () => true,
    } satisfies Sms,
    /** The same service, each message sent once, and what became of it noted. */
    mailerOver: (mailer: Mailer): Mailer => ({ send: (mail) => once(mailMessage(mail), () => mailer.send(mail)) }),
    smsOver: (sms: Sms): Sms => ({
      send: async (message) =>
        void (await once(smsMessage(message), async () => {
          await sms.send(message);
          return { status: 'sent' };
        })),
      available: sms.available,
    }),
  };
};

/** Forgets the messages to an account, and those to others that tell about it. */
export const forgetMessages = async (pool: Pick<pg.Pool, 'query'>, accountId: string): Promise<void> => {
  await pool.query('delete from convene.outbox where account_id = $1 or $1 = any (concerns)', [accountId]);
};

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
    readonly hash: Hash;
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
