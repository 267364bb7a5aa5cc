import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { DeliveryFailed } from './delivery.ts';
import { type Mail, type Mailer, mailbox, oneLine, recipientOf, type Sender } from './email.ts';

/** Milliseconds that the server may take for each step, and for a whole mail. */
const STEP_MS = 5_000;
const MAIL_STEPS = 4;

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const name = z.string().regex(/^[A-Z][A-Z0-9_]{1,40}$/);

/** What a failure of the library tells; its texts quote addresses and are left where they are. */
const Failure = z.object({
  code: name.catch('UNKNOWN'),
  /** The one of the socket or of the encryption, behind the library's own. */
  originalCode: name.optional().catch(undefined),
  responseCode: z.int().min(100).max(599).optional().catch(undefined),
  permanent: z.boolean().optional().catch(undefined),
});

/** Refusals of a sign-in or of encryption are final answers too, but those an operator can mend while the mail waits. */
const OF_THE_MAIL = ['EENVELOPE', 'EMESSAGE'];

const failed = (error: unknown): DeliveryFailed => {
  const { code, originalCode, responseCode, permanent } = Failure.catch({ code: 'UNKNOWN' }).parse(error);
  const what = responseCode ?? (originalCode ?? code).toLowerCase().replaceAll('_', '-');
  return new DeliveryFailed('smtp', what, permanent === true && OF_THE_MAIL.includes(code));
};

/**
 * Whether the connection must be encrypted before anything is said: always, save to this machine, or where the address says
 * `?ignoreTLS=true`. A mail holds tokens, and an attacker on the way would only have to hide that the server can encrypt.
 */
const mustEncrypt = ({ protocol, hostname, searchParams }: URL): boolean =>
  protocol === 'smtp:' && !LOOPBACK.test(hostname) && searchParams.get('ignoreTLS') !== 'true';

/**
 * Sends mail to an SMTP server: one connection a mail, five seconds for each step and twenty in all. Certificates are
 * checked. `url` as in SMTP_URL; what stands behind its `?` are options of nodemailer.
 */
export const smtpMailer = ({
  url,
  from,
  replyTo,
  messageId,
  stepMs = STEP_MS,
  mailMs = MAIL_STEPS * stepMs,
}: Sender & { readonly url: string; readonly stepMs?: number; readonly mailMs?: number }): Mailer => {
  const transport = createTransport({
    url,
    ...(mustEncrypt(new URL(url)) ? { requireTLS: true } : {}),
    connectionTimeout: stepMs,
    greetingTimeout: stepMs,
    socketTimeout: stepMs,
    dnsTimeout: stepMs,
    // Whatever the address asks for, nothing of a mail is printed.
    logger: false,
    debug: false,
    transactionLog: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const sender = mailbox(from);
  const answers = mailbox(replyTo);

  return {
    send: async (mail: Mail) => {
      const to = recipientOf('smtp', mail);
      const signal = AbortSignal.timeout(mailMs);
      const named = messageId(mail.dedupeKey);
      const { calendar } = mail;
      const filename = calendar?.method === 'CANCEL' ? 'cancelled.ics' : 'appointment.ics';
      try {
        await transport.sendMail({
          envelope: { from: sender.address, to: [to] },
          from: sender,
          replyTo: answers,
          to: { name: '', address: to },
          subject: oneLine(mail.subject),
          text: mail.text,
          html: mail.html,
          messageId: named,
          ...(calendar === undefined ? {} : { icalEvent: { ...calendar, filename } }),
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
        });
        return { status: 'sent', providerMessageId: named };
      } catch (error) {
        throw failed(error);
      }
    },
  };
};
