import { blockAddress } from '../domain/messaging/blockedAddress.ts';
import { revokeIntegration } from '../domain/messaging/integration/index.ts';
import { mail } from './mails/index.ts';
import type { SendingOrder } from './mails/sending.ts';
import { issue, type Job, job, policy } from './policy.ts';

type Event = { readonly id: string; readonly metadata: { readonly correlationId: string } };
const send = ({ id, metadata }: Event, emailId: string, attempt: number, at?: string): Job => {
  const { correlationId } = metadata;
  const order: SendingOrder = { emailId, attempt, causationId: id, correlationId };
  return job('send-mail', order, at === undefined ? undefined : new Date(at));
};

/** Sends queued mails, and again after a failure when its time comes. */
export const emailSending = policy('email-sending', {
  EmailQueued: (event) => [send(event, event.data.emailId, 1, event.data.sendAt)],
  EmailAttemptFailed: (event) => {
    const { emailId, attempt, nextAttemptAt } = event.data;
    return nextAttemptAt === undefined ? [] : [send(event, emailId, attempt + 1, nextAttemptAt)];
  },
});

/** Sends nothing more to addresses that take no mail, or whose owners call it unwanted. */
export const bounces = policy('email-bounces', {
  EmailBounced: ({ data: { emailId, accountId, addressHash, kind } }) =>
    kind === 'soft' ? [] : [issue(blockAddress, { addressHash, accountId, emailId, reason: kind })],
});

/** Destroys the tokens of connections that have ended, should a crash have kept the command from it. */
export const integrationEnding = policy('integrations-ending', {
  IntegrationRevoked: ({ data: { integrationId } }) => [issue(revokeIntegration, { integrationId, onlyEnding: true })],
});

/** Tells somebody whose connection is no longer accepted, once. */
export const integrationNotices = policy('integrations-notices', {
  IntegrationNeedsReconnect: ({ data: { accountId, integrationId }, recordedAt }) => [
    mail({ template: 'integration-reconnect', accountId, integrationId, at: recordedAt }),
  ],
});

/** Every policy about mails and connections to accounts elsewhere. */
export const messagingPolicies = [emailSending, bounces, integrationEnding, integrationNotices] as const;
