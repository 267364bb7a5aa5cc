import t from 'tap';
import { type EmailEvent, email, queueEmail, recordEmailAttempt } from '../../../src/domain/messaging/email.ts';
import { DeliveryFailed } from '../../../src/integrations/delivery.ts';
import type { Mail, Sent } from '../../../src/integrations/email.ts';
import { AttemptNoted } from '../../../src/policies/attempts.ts';
import type { Execute } from '../../../src/policies/execute.ts';
import { mail } from '../../../src/policies/mails/index.ts';
import { sendMail } from '../../../src/policies/mails/sending.ts';
import { emailSending } from '../../../src/policies/messaging.ts';
import { accountId, at, hash, logOf, NOW, publicUrl, registered, sender } from './log.ts';

const order = { template: 'password-changed', accountId, at } as const;
const queued = queueEmail.input.parse(mail(order).input);
const { emailId } = queued;

/** A log of one mail, a mailer that does as it is told, and a recorder that can be cut off. */
const world = (client: readonly unknown[] = [registered()], blocked: readonly unknown[] = []) => {
  const history: EmailEvent[] = [{ type: 'EmailQueued', data: { ...queued, to: 'ada@example.org' } as never }];
  const sent: Mail[] = [];
  const answers: (Sent | Error)[] = [];
  let cut = false;
  const streams: Record<string, readonly unknown[]> = {
    [`email-${emailId}`]: history,
    [`account-${accountId}`]: client,
    [`blockedAddress-${hash('email', 'ada@example.org')}`]: blocked,
  };
  const execute: Execute = async (name, input, cause) => {
    if (cut) throw new Error('connection lost');
    t.equal(name, 'RecordEmailAttempt');
    t.match(cause, { policy: 'email-sending', causationId: 'event', correlationId: 'chain' });
    const state = history.reduce(email.evolve, email.initial);
    const events = recordEmailAttempt.rule(recordEmailAttempt.input.parse(input), state, { now: NOW } as never);
    history.push(...(events as EmailEvent[]));
    return { ok: true } as never;
  };
  const mailer = {
    send: async (one: Mail): Promise<Sent> => {
      sent.push(one);
      const answer = answers.shift() ?? { status: 'sent', providerMessageId: 'm1' };
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const send = (attempt = 1) =>
    sendMail(
      { emailId, attempt, causationId: 'event', correlationId: 'chain' },
      { reads: logOf(streams), mailer, execute, publicUrl, sender },
    );
  const cutOff = (now: boolean): void => {
    cut = now;
  };
  return { history, sent, answers, send, cutOff };
};
const typesOf = (history: readonly EmailEvent[]) => history.slice(1).map(({ type }) => type);

t.test('an attempt at a mail', async (t) => {
  t.test('hands it over and notes that it was taken', async (t) => {
    const { history, sent, send } = world();
    await send();
    t.match(sent, [{ to: 'ada@example.org', emailId, dedupeKey: queued.dedupeKey }]);
    t.match(history.at(-1), {
      type: 'EmailSent',
      data: { to: 'ada@example.org', attempt: 1, providerMessageId: 'm1' },
    });
    await send();
    t.equal(sent.length, 1, 'and is not made twice');
  });
  t.test('is made again under the same key when the process ends before the note', async (t) => {
    const { history, sent, send, cutOff } = world();
    cutOff(true);
    await t.rejects(send(), { message: 'connection lost' });
    cutOff(false);
    await send();
    t.equal(sent.length, 2);
    t.equal(sent[0]?.dedupeKey, sent[1]?.dedupeKey);
    t.strictSame(typesOf(history), ['EmailSent']);
  });
  t.test('goes to the address that counts now', async (t) => {
    const changed = { oldEmail: 'ada@example.org', oldEmailHash: 'a', email: 'new@example.org', emailHash: 'b', at };
    const { sent, send } = world([registered(), { type: 'EmailChanged', data: { accountId, ...changed } }]);
    await send();
    t.match(sent, [{ to: 'new@example.org' }]);
  });
  t.test('that fails is noted, and tells the queue that another one is due', async (t) => {
    const { history, sent, answers, send } = world();
    answers.push(new DeliveryFailed('smtp', 451));
    const failure = await send().catch((error: unknown) => error);
    t.match(failure, { name: 'AttemptNoted', code: 'smtp-451', last: false });
    t.match(history.at(-1), { type: 'EmailAttemptFailed', data: { attempt: 1, nextAttemptAt: /:01:00/ } });
    await send(1);
    t.strictSame([history.length, sent.length], [2, 1], 'the same attempt once more is not made');
    await send(2);
    t.match(history.at(-1), { type: 'EmailSent', data: { attempt: 2 } });
  });
  t.test('that fails for good is the last', async (t) => {
    const { history, answers, send } = world();
    answers.push(new DeliveryFailed('smtp', 550, true));
    const failure = await send().catch((error: unknown) => error);
    t.ok(failure instanceof AttemptNoted && failure.last);
    t.strictSame(typesOf(history), ['EmailAttemptFailed', 'EmailAbandoned']);
  });
  t.test('is not made where there is nothing to say or nobody to say it to', async (t) => {
    const erased = { type: 'AccountErased', data: { accountId, by: 'owner', emailHash: 'x', at } };
    const gone = world([registered(), erased]);
    await gone.send();
    t.match(gone.history.at(-1), { type: 'EmailSuppressed', data: { reason: 'outdated' } });
    const block = { type: 'AddressBlocked', data: { addressHash: 'x', accountId, emailId, reason: 'hard' } };
    const blocked = world([registered()], [block]);
    await blocked.send();
    t.match(blocked.history.at(-1), { type: 'EmailSuppressed', data: { reason: 'bounce_list' } });
    const nowhere = world();
    nowhere.answers.push({ status: 'suppressed' });
    await nowhere.send();
    t.match(nowhere.history.at(-1), { type: 'EmailSuppressed', data: { reason: 'not_configured' } });
    t.equal(gone.sent.length + blocked.sent.length, 0);
  });
  t.test('whose failure is a defect of our own is left to the queue', async (t) => {
    const { history, answers, send } = world();
    answers.push(new TypeError('a defect'));
    await t.rejects(send(), { name: 'TypeError' });
    t.equal(history.length, 1);
  });
});

t.test('the policy asks for the first attempt and for each next one when its time comes', async (t) => {
  const event = { id: 'event', metadata: { correlationId: 'chain' } };
  const of = { emailId, causationId: 'event', correlationId: 'chain' };
  t.match(emailSending.on.EmailQueued({ ...event, data: queued } as never), [
    { kind: 'job', job: 'send-mail', data: { ...of, attempt: 1 }, at: undefined },
  ]);
  t.match(emailSending.on.EmailQueued({ ...event, data: { ...queued, sendAt: at } } as never), [{ at: new Date(at) }]);
  const failed = { emailId, attempt: 2, error: 'smtp-451', nextAttemptAt: at };
  t.match(emailSending.on.EmailAttemptFailed({ ...event, data: failed } as never), [
    { data: { ...of, attempt: 3 }, at: new Date(at) },
  ]);
  t.strictSame(
    emailSending.on.EmailAttemptFailed({ ...event, data: { emailId, attempt: 6, error: 'x' } } as never),
    [],
  );
});

t.test('orders that say the same are one mail, others are another', async (t) => {
  const idOf = (of: Parameters<typeof mail>[0]) => queueEmail.input.parse(mail(of).input).emailId;
  t.equal(idOf(order), idOf({ ...order, more: 'of the event' } as never));
  t.not(idOf(order), idOf({ ...order, at: '2026-03-02T00:00:00.000Z' }));
  t.not(idOf(order), idOf({ ...order, accountId: '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01' }));
});
