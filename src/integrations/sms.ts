import { NotConfigured } from './delivery.ts';

/** A text message as it leaves the service. */
export type TextMessage = {
  /** E.164. */
  readonly to: string;
  /** Whose message it is: what is kept of it goes when the account is erased. */
  readonly accountId?: string;
  /** Name of the template it was made from, for lists and figures. */
  readonly template: string;
  readonly text: string;
  /** Messages with the same key are sent once. */
  readonly dedupeKey: string;
};

/**
 * Sends text messages. Settles once the outside service has taken the message, or the outbox keeps it; throws
 * DeliveryFailed when it was not taken, and NotConfigured where nothing can take it.
 */
export type Sms = {
  readonly send: (message: TextMessage) => Promise<void>;
  /** Whether a message sent now has a chance: a service is configured, and not known to be down. */
  readonly available: () => boolean;
};

/** In production without a service: a code that nobody receives would lock people out, and may not be kept either. */
export const noSms: Sms = { send: () => Promise.reject(new NotConfigured('sms')), available: () => false };
