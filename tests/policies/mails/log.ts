import { createHmac, randomUUID } from 'node:crypto';
import type { Reads } from '../../../src/commands/binding.ts';
import type { AccountEvent } from '../../../src/domain/identity/account/events.ts';
import type { Mail } from '../../../src/integrations/email.ts';
import type { TextMessage } from '../../../src/integrations/sms.ts';

export const accountId = randomUUID();
export const requestId = randomUUID();
export const NOW = new Date('2026-03-01T12:00:00.000Z');
export const publicUrl = 'https://convene.example.org';
/** An hour from now. */
export const expiresAt = '2026-03-01T13:00:00.000Z';
/** An hour ago. */
export const at = '2026-03-01T11:00:00.000Z';

export const hash: Reads['hash'] = (purpose, value) =>
  createHmac('sha256', 'key').update(`${purpose}\0${value}`).digest('hex');

/** An account that was opened by Ada, in Berlin; with what is given instead. */
export const registered = (more: Partial<Extract<AccountEvent, { type: 'AccountRegistered' }>['data']> = {}) =>
  ({
    type: 'AccountRegistered',
    data: {
      accountId,
      email: 'ada@example.org',
      emailHash: 'hash of ada@example.org',
      displayName: 'Ada <Lovelace> & "Co"',
      timezone: 'Europe/Berlin',
      language: 'en',
      plan: 'free',
      createdFrom: 'web',
      method: 'password',
      ...more,
    },
  }) as const satisfies AccountEvent;

/** Reads of a log that holds these events, by stream. */
export const logOf = (
  streams: Readonly<Record<string, readonly unknown[]>>,
): Pick<Reads, 'history' | 'hash' | 'now'> => ({
  history: async ({ category }, id) => (streams[`${category}-${id}`] ?? []) as never,
  hash,
  now: () => NOW,
});

/** Takes mail and text messages, and tells what it took. */
export const taking = () => {
  const mails: Mail[] = [];
  const texts: TextMessage[] = [];
  return {
    mails,
    texts,
    mailer: { send: async (mail: Mail) => void mails.push(mail) },
    sms: { send: async (message: TextMessage) => void texts.push(message), available: () => true },
  };
};
