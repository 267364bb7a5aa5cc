import { Resend } from 'resend';
import { z } from 'zod';
import { DeliveryFailed } from './delivery.ts';
import { type CalendarPart, type Mail, type Mailer, oneLine, recipientOf, type Sender } from './email.ts';

const RESEND_API = 'https://api.resend.com';
/** Milliseconds that an answer may take. */
const TIMEOUT_MS = 5_000;

/** What a refusal tells; its message can quote addresses and is left where it is. */
const Refusal = z.object({
  name: z
    .string()
    .regex(/^[a-z_]{1,60}$/)
    .catch('unknown'),
  statusCode: z.int().min(100).max(599).nullable().catch(null),
});

/** The tag by which notices of a mail tell which one it is. */
export const EMAIL_TAG = 'email_id';

const attached = ({ method, content }: CalendarPart) => ({
  filename: method === 'CANCEL' ? 'cancelled.ics' : 'appointment.ics',
  content: Buffer.from(content).toString('base64'),
  contentType: `text/calendar; charset=utf-8; method=${method}`,
});

/** A key, a sender or a quota that is not right is mended by an operator while the mail waits. */
const OF_THE_OPERATOR = [401, 403, 409, 429];

/**
 * Sends mail by Resend. The key of a mail goes with it, so that a mail repeated within a day after its answer was lost is
 * taken once.
 */
export const resendMailer = ({
  apiKey,
  from,
  replyTo,
  messageId,
  apiUrl = RESEND_API,
  timeoutMs = TIMEOUT_MS,
}: Sender & { readonly apiKey: string; readonly apiUrl?: string; readonly timeoutMs?: number }): Mailer => {
  const { emails } = new Resend(apiKey, { baseUrl: apiUrl });
  return {
    send: async (mail: Mail) => {
      const to = recipientOf('resend', mail);
      const { text, html, emailId, calendar } = mail;
      const content = { from, replyTo, to: [to], subject: oneLine(mail.subject), text, html };
      const more = {
        headers: { 'Auto-Submitted': 'auto-generated' },
        ...(emailId === undefined ? {} : { tags: [{ name: EMAIL_TAG, value: emailId }] }),
        ...(calendar === undefined ? {} : { attachments: [attached(calendar)] }),
      };
      const { data, error } = await emails
        .send(
          { ...content, ...more },
          { idempotencyKey: messageId(mail.dedupeKey), signal: AbortSignal.timeout(timeoutMs) },
        )
        .catch(() => ({ data: null, error: null }));
      if (data !== null) return { status: 'sent', providerMessageId: data.id };
      const { name, statusCode } = Refusal.catch({ name: 'unknown', statusCode: null }).parse(error);
      // The mail was taken before, in words that have changed since.
      if (name === 'invalid_idempotent_request') return { status: 'sent' };
      const permanent = statusCode !== null && statusCode < 500 && !OF_THE_OPERATOR.includes(statusCode);
      throw new DeliveryFailed('resend', statusCode ?? 'unreachable', permanent);
    },
  };
};
