/**
 * An outside service did not take a message. Its texts are made of names out of the code and of numbers only: what
 * services and their libraries say quotes addresses and content, so none of it, and no cause, is kept.
 */
export class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed';
  readonly service: string;
  /** What became of it, such as `smtp-421` or `twilio-timeout`. */
  readonly code: string;
  /** Whether the service would answer the same to the same message later. */
  readonly permanent: boolean;
  constructor(service: string, what: string | number, permanent = false) {
    super(`${service} did not take the message (${what})`);
    this.service = service;
    this.code = `${service}-${what}`;
    this.permanent = permanent;
  }
}

/** No outside service is configured for what was asked; trying again changes nothing. */
export class NotConfigured extends Error {
  override readonly name = 'NotConfigured';
  readonly code: string;
  constructor(channel: string) {
    super(`No service is configured for ${channel}`);
    this.code = `no-${channel}-service`;
  }
}

/** Whether a failure is final: another attempt would end the same. */
export const isFinal = (error: unknown): boolean =>
  error instanceof NotConfigured || (error instanceof DeliveryFailed && error.permanent);
