import t from 'tap';
import type { AccountEvent } from '../../../src/domain/identity/account/events.ts';
import { queueEmail } from '../../../src/domain/messaging/email.ts';
import { mails, messages } from '../../../src/policies/identity.ts';
import { type JobDeps, jobs } from '../../../src/policies/jobs.ts';
import { writeMail } from '../../../src/policies/mails/index.ts';
import type { AnyPolicy, Reaction } from '../../../src/policies/policy.ts';
import { accountId, at, expiresAt, logOf, publicUrl, registered, requestId, sender } from './log.ts';

const request = { accountId, requestId, expiresAt };
const events: readonly AccountEvent[] = [
  { type: 'EmailVerificationRequested', data: request },
  { type: 'AccountLocked', data: { accountId, until: expiresAt, reason: 'admin' } },
  { type: 'PasswordResetRequested', data: request },
  { type: 'PasswordResetCompleted', data: { accountId, passwordHash: 'x', at } },
  { type: 'PasswordChanged', data: { accountId, passwordHash: 'x', at } },
  { type: 'EmailChangeRequested', data: { ...request, newEmail: 'new@example.org', newEmailHash: 'x' } },
  { type: 'AccountDeactivated', data: { accountId, by: 'admin', reason: 'because of Eve', at } },
];
const reactionsTo = (policy: AnyPolicy, event: AccountEvent): readonly Reaction[] =>
  policy.on[event.type]?.({ ...event, recordedAt: at } as never) ?? [];

t.test('what happens to an account', async (t) => {
  t.strictSame(
    events.map(({ type }) => type).sort(),
    Object.keys(mails.on).sort(),
    'is told for every event of the policy here',
  );
  for (const event of events)
    t.test(`is told by mail: ${event.type}`, async (t) => {
      const orders = reactionsTo(mails, event);
      t.ok(orders.length > 0);
      for (const order of orders) {
        if (order.kind !== 'command' || order.command !== 'QueueEmail') throw new Error('A mail is queued');
        const { to, variables, ...input } = queueEmail.input.parse(order.input);
        t.equal(to, input.template === 'email-change' ? 'new@example.org' : undefined);
        t.notMatch(JSON.stringify([input, variables]), /example\.org|Eve|"x"/, 'by an order without personal data');
        const reads = logOf({ [`account-${accountId}`]: [registered(), event] });
        const written = await writeMail({ ...input, ...variables }, { reads, publicUrl, sender });
        t.match(written, { emailId: input.emailId, dedupeKey: input.dedupeKey }, 'from which a mail is written');
      }
    });
  t.test('ends with the messages kept for it, those on their way included', async (t) => {
    const erased: AccountEvent = { type: 'AccountErased', data: { accountId, by: 'owner', emailHash: 'x', at } };
    const [now, later, ...rest] = reactionsTo(messages, erased);
    t.strictSame(rest, []);
    t.match(
      [now, later],
      [
        { kind: 'job', job: 'forget-messages', data: { accountId } },
        { kind: 'job', job: 'forget-messages', data: { accountId }, at: new Date(Date.parse(at) + 600_000) },
      ],
    );
    const forgotten: string[] = [];
    const forget = async (id: string) => void forgotten.push(id);
    await jobs['forget-messages']?.run({ accountId }, { forget } as JobDeps);
    t.strictSame(forgotten, [accountId]);
  });
});
