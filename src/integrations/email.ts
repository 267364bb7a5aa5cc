import { email } from '../domain/fields.ts';
import { DeliveryFailed } from './delivery.ts';

/** What calendars read of a mail: an iCalendar object, and what it asks them to do. */
export type CalendarPart = { readonly method: 'REQUEST' | 'CANCEL'; readonly content: string };

/** A mail as it leaves the service. */
export type Mail = {
  /** UUID by which later notices of the mail service find it. */
  readonly emailId?: string;
  readonly to: string;
  /** Whose mail it is: what is kept of it goes when the account is erased. */
  readonly accountId?: string;
  /** Whom else it tells about: what is kept of it goes with any of them. */
  readonly concerns?: readonly string[];
  /** Name of the template it was made from, for lists and figures. */
  readonly template: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Mails with the same key are sent once. */
  readonly dedupeKey: string;
  readonly calendar?: CalendarPart;
};

/** What became of a mail. `suppressed`: no service is configured, so that it went nowhere. */
export type Sent =
  | {
      readonly status: 'sent';
      /** What the service calls it; absent when it had taken the mail before and did not say so again. */
      readonly providerMessageId?: string;
    }
  | { readonly status: 'suppressed' };

/**
 * Sends mail. Settles once the outside service has taken the mail, or the outbox keeps it; throws DeliveryFailed when it
 * was not taken.
 */
export type Mailer = { readonly send: (mail: Mail) => Promise<Sent> };

/** Whom mails come from and whom answers go to, each `address` or `Name <address>`. */
export type Sender = {
  readonly from: string;
  readonly replyTo: string;
  /** Names a mail in its header, the same for the same key: whoever gets it twice can tell. */
  readonly messageId: (dedupeKey: string) => string;
};

/** The two parts of `Name <address>`; the name is empty in a bare address. */
export const mailbox = (text: string): { readonly name: string; readonly address: string } => {
  const [, name, address] = /^(.*)<([^<>]+)>$/u.exec(text.trim()) ?? ['', '', text];
  return { name: name?.trim().replace(/^"(.*)"$/u, '$1') ?? '', address: address?.trim() ?? '' };
};

/** A Message-ID that follows from the key of the mail, below the domain of the sender. */
export const messageIds =
  (hash: (purpose: string, value: string) => string, from: string) =>
  (dedupeKey: string): string =>
    `<${hash('message-id', dedupeKey).slice(0, 40)}@${mailbox(from).address.split('@')[1] ?? 'localhost'}>`;

/** A header in one line. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();

/** The one address that a mail goes to, as it may stand in an SMTP command; anything else is refused for good. */
export const recipientOf = (service: string, { to }: Pick<Mail, 'to'>): string => {
  const parsed = email.safeParse(to);
  if (!parsed.success) throw new DeliveryFailed(service, 'bad-address', true);
  return parsed.data;
};
