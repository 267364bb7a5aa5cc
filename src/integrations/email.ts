/** A mail as it leaves the service. */
export type Mail = {
  readonly to: string;
  /** Name of the template it was made from, for lists and figures. */
  readonly template: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Mails with the same key are sent once. */
  readonly dedupeKey: string;
};

/**
 * Sends mail. Settles once the outside service has taken the mail, or the outbox keeps it; throws when it has to be
 * tried again later.
 */
export type Mailer = { readonly send: (mail: Mail) => Promise<void> };
