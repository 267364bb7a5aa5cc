import { createHmac, randomUUID } from 'node:crypto';
import type { Reads } from '../../../src/commands/reads.ts';
import { appointmentIdOf, scheduleId, slotIdOf } from '../../../src/domain/booking/ids.ts';
import type { ProviderEvent } from '../../../src/domain/booking/provider/index.ts';
import type { ScheduleEvent } from '../../../src/domain/booking/schedule/index.ts';
import type { AccountEvent } from '../../../src/domain/identity/account/events.ts';
import type { Mail, Sent } from '../../../src/integrations/email.ts';
import type { TextMessage } from '../../../src/integrations/sms.ts';

export const accountId = randomUUID();
export const requestId = randomUUID();
export const NOW = new Date('2026-03-01T12:00:00.000Z');
export const publicUrl = 'https://convene.example.org';
export const sender = 'no-reply@example.com';
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
    mailer: {
      send: async (mail: Mail): Promise<Sent> => {
        mails.push(mail);
        return { status: 'sent', providerMessageId: `taken-${mails.length}` };
      },
    },
    sms: { send: async (message: TextMessage) => void texts.push(message), available: () => true },
  };
};

export const providerId = randomUUID();
const DAY = { providerId, day: '2026-03-03' };
/** Nine o'clock in Luxembourg. */
export const startTime = '2026-03-03T08:00:00.000Z';
export const endTime = '2026-03-03T08:30:00.000Z';
export const appointmentId = appointmentIdOf({ ...DAY, uuid: randomUUID() });
const slotId = slotIdOf({ ...DAY, startTime });
const ids = { appointmentId, providerId, clientId: accountId };

/** Events as the log gives them, each of a command of its own and all at one time unless they say otherwise. */
export const recorded = <Event extends { readonly type: string; readonly data: object }>(
  ...events: readonly (Event & { readonly commandId?: string; readonly recordedAt?: string })[]
) =>
  events.map(({ commandId, ...event }, index) => ({
    recordedAt: at,
    ...event,
    metadata: { commandId: commandId ?? `command-${index}` },
  }));

/** An appointment of Ada with a practice, on the third of March. */
export const booked = (more: { notes?: string | null; timezone?: string | null } = {}) =>
  ({
    type: 'AppointmentBooked',
    data: { ...ids, slotId, startTime, endTime, notes: 'First <visit>', timezone: null, bookedBy: 'client', ...more },
  }) as const satisfies ScheduleEvent;
export const moved = (to: string) =>
  ({
    type: 'AppointmentRescheduled',
    data: {
      ...ids,
      fromSlotId: slotId,
      toSlotId: slotIdOf({ ...DAY, startTime: to }),
      oldStartTime: startTime,
      startTime: to,
      endTime: new Date(Date.parse(to) + 1_800_000).toISOString(),
      by: 'client',
    },
  }) as const satisfies ScheduleEvent;
export const noted = (notes: string | null) =>
  ({ type: 'AppointmentNotesUpdated', data: { ...ids, notes, by: 'client' } }) as const satisfies ScheduleEvent;
export const cancelled = (by: 'client' | 'provider' | 'admin' | 'system', reason: string | null = null) =>
  ({
    type: 'AppointmentCancelled',
    data: { ...ids, slotId, startTime, by, actorId: accountId, reason },
  }) as const satisfies ScheduleEvent;
export const practice = (more: { location?: string | null; meetingLink?: string | null } = {}) =>
  ({
    providerId,
    accountId: providerId,
    displayName: 'Dr. "Weber" & Co',
    bio: null,
    timezone: 'Europe/Luxembourg',
    meetingLink: null,
    location: '2 Rue du Fort',
    priceCents: null,
    currency: null,
    ...more,
  }) as const;
export const opened = (more: Parameters<typeof practice>[0] = {}) =>
  ({ type: 'ProviderProfileCreated', data: practice(more) }) as const satisfies ProviderEvent;
export const relocated = (more: Parameters<typeof practice>[0]) =>
  ({ type: 'ProviderProfileUpdated', data: practice(more) }) as const satisfies ProviderEvent;

/** The streams of an appointment: what happened to it and to its provider. */
export const bookingStreams = (
  appointment: readonly (ScheduleEvent & { commandId?: string })[] = [booked()],
  profile: readonly (ProviderEvent & { commandId?: string })[] = [opened()],
) => ({
  [`schedule-${scheduleId(DAY)}`]: recorded(...appointment),
  [`provider-${providerId}`]: recorded(...profile),
  [`account-${providerId}`]: [registered({ accountId: providerId, email: 'weber@example.org', displayName: 'Weber' })],
});
