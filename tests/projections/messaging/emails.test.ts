import t from 'tap';
import { appointmentIdOf } from '../../../src/domain/booking/ids.ts';
import type { EmailEvent } from '../../../src/domain/messaging/email.ts';
import { type AccountRow, accounts } from '../../../src/projections/identity/accounts.ts';
import { type EmailRow, emails } from '../../../src/projections/messaging/emails.ts';
import { id, now } from '../../support/spec.ts';

const ids = { emailId: id('mail'), accountId: id('ada') };
const to = 'ada@example.org';
const at = now.toISOString();
const appointmentId = appointmentIdOf({ providerId: id('practice'), day: '2026-03-04', uuid: id('appointment') });

const queued: EmailEvent = {
  type: 'EmailQueued',
  data: { ...ids, to, template: 'cancellation', variables: {}, dedupeKey: 'key', appointmentId },
};
const sent: EmailEvent = { type: 'EmailSent', data: { ...ids, to: 'new@example.org', attempt: 2, at } };
const failed: EmailEvent = {
  type: 'EmailAttemptFailed',
  data: { ...ids, attempt: 1, error: 'smtp-451', nextAttemptAt: at },
};
const delivered: EmailEvent = { type: 'EmailDelivered', data: { ...ids, at } };
const opened: EmailEvent = { type: 'EmailOpened', data: { ...ids, at } };
const bounced = (kind: 'hard' | 'soft' | 'complaint'): EmailEvent => ({
  type: 'EmailBounced',
  data: { ...ids, to, addressHash: 'x', kind, at },
});

type Fold = (row: unknown, event: object, key: string) => unknown;
const fold = (...history: readonly EmailEvent[]): EmailRow =>
  history.reduce<unknown>(
    (row, event) =>
      (emails.fold as unknown as Record<string, Fold>)[event.type]?.(row, { ...event, recordedAt: at }, ''),
    undefined,
  ) as EmailRow;

const orders = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));

t.test('a mail shows how far it has come', async (t) => {
  t.match(fold(queued), {
    status: 'queued',
    recipient: to,
    attempts: 0,
    next_attempt_at: at,
    appointment_id: appointmentId,
    provider_id: id('practice'),
  });
  t.match(fold(queued, failed), { status: 'queued', attempts: 1, last_error: 'smtp-451', next_attempt_at: at });
  t.match(fold(queued, failed, sent), {
    status: 'sent',
    attempts: 2,
    sent_at: at,
    recipient: 'new@example.org',
    next_attempt_at: null,
  });
  const abandoned: EmailEvent = { type: 'EmailAbandoned', data: { ...ids, attempts: 6, lastError: 'smtp-451' } };
  t.match(fold(queued, failed, abandoned), { status: 'failed', next_attempt_at: null });
  t.match(fold(queued, failed, abandoned, delivered), { status: 'delivered' }, 'its answer was lost');
  const suppressed: EmailEvent = { type: 'EmailSuppressed', data: { ...ids, reason: 'bounce_list' } };
  t.match(fold(queued, suppressed), { status: 'suppressed', last_error: 'bounce_list', next_attempt_at: null });
});

t.test('notices in any order end the same', async (t) => {
  for (const [notices, status] of [
    [[sent, delivered], 'delivered'],
    [[sent, opened], 'delivered'],
    [[sent, delivered, opened, bounced('soft')], 'delivered'],
    [[sent, bounced('soft')], 'bounced'],
    [[sent, delivered, opened, bounced('complaint')], 'bounced'],
    [[sent, bounced('soft'), bounced('hard')], 'bounced'],
  ] as const) {
    const all = orders(notices).map((order) => fold(queued, ...order));
    t.ok(all.length > 1);
    for (const row of all) t.equal(row.status, status);
  }
});

t.test('an account whose address refuses mail shows it until the address is another or released', async (t) => {
  const row = { account_id: ids.accountId, email: to, email_deliverable: true } as AccountRow;
  const heard = (of: Partial<AccountRow>, type: 'EmailBounced' | 'AddressUnblocked' | 'EmailChanged', data: object) =>
    (accounts.fold as unknown as Record<string, Fold>)[type]?.(
      { ...row, ...of },
      { type, data, recordedAt: at, revision: 3 },
      '',
    );
  for (const kind of ['hard', 'complaint'])
    t.match(heard({}, 'EmailBounced', { kind, to }), { email_deliverable: false });
  t.match(heard({}, 'EmailBounced', { kind: 'soft', to }), { email_deliverable: true });
  t.match(heard({ email: 'new@example.org' }, 'EmailBounced', { kind: 'hard', to }), { email_deliverable: true });
  const refused = { email_deliverable: false };
  t.match(heard(refused, 'AddressUnblocked', {}), { email_deliverable: true });
  t.match(heard(refused, 'EmailChanged', { email: 'new@example.org' }), { email_deliverable: true });
});
