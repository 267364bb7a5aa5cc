import t from 'tap';
import {
  type EmailEvent,
  email,
  queueEmail,
  recordEmailAttempt,
  recordEmailDelivery,
} from '../../../src/domain/messaging/email.ts';
import { id, now, spec } from '../../support/spec.ts';

const given = spec(email);
const ids = { emailId: id('mail'), accountId: id('ada') };
const to = 'ada@example.org';
const at = now.toISOString();
const in_ = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();
const addressHash = 'a'.repeat(64);
const facts = { to, addressHash };

const order = { ...ids, template: 'cancellation', variables: { side: 'client' }, dedupeKey: 'cancellation/one' };
const queued = (template = 'cancellation'): EmailEvent => ({ type: 'EmailQueued', data: { ...order, template, to } });
const failed = (attempt: number, nextAttemptAt?: string): EmailEvent => ({
  type: 'EmailAttemptFailed',
  data: { ...ids, attempt, error: 'smtp-451', ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }) },
});
const sent: EmailEvent = { type: 'EmailSent', data: { ...ids, to, attempt: 1, providerMessageId: 'm1', at } };
const abandoned = (attempts: number): EmailEvent => ({
  type: 'EmailAbandoned',
  data: { ...ids, attempts, lastError: 'smtp-451' },
});
const attempt = (attempt: number, more: { final?: boolean } = {}) => ({
  emailId: ids.emailId,
  attempt,
  result: { outcome: 'failed' as const, error: 'smtp-451', final: false, ...more },
});

t.test('queueing a mail', async (t) => {
  t.test('notes what it is about and where it goes', async () => {
    given().when(queueEmail, order, undefined, { to }).then(queued());
    given()
      .when(queueEmail, { ...order, to: 'new@example.org', appointmentId: 'a1', sendAt: at }, undefined, { to })
      .then({ type: 'EmailQueued', data: { ...order, to: 'new@example.org', appointmentId: 'a1', sendAt: at } });
  });
  t.test('changes nothing when it is queued already', async () =>
    given(queued()).when(queueEmail, order, undefined, { to }).nothing(),
  );
  t.test('is refused without an account', async () =>
    given().when(queueEmail, order, undefined, { to: undefined }).rejected('account-unknown', 'accountId'),
  );
});

t.test('an attempt', async (t) => {
  t.test('that the service takes settles the mail', async () =>
    given(queued())
      .when(recordEmailAttempt, {
        emailId: ids.emailId,
        attempt: 1,
        result: { outcome: 'accepted', to, providerMessageId: 'm1' },
      })
      .then(sent),
  );
  t.test('that fails is followed by five others, more and more slowly', async () => {
    const past: EmailEvent[] = [queued()];
    for (const [index, pause] of [60, 300, 900, 3_600, 21_600].entries()) {
      const next = failed(index + 1, in_(pause));
      given(...past)
        .when(recordEmailAttempt, attempt(index + 1))
        .then(next);
      past.push(next);
    }
    given(...past)
      .when(recordEmailAttempt, attempt(6))
      .then(failed(6), abandoned(6));
  });
  t.test('is followed by two soon ones when somebody waits for a code', async () => {
    const past: EmailEvent[] = [queued('otp-code'), failed(1, in_(10)), failed(2, in_(30))];
    given(past[0] as EmailEvent)
      .when(recordEmailAttempt, attempt(1))
      .then(failed(1, in_(10)));
    given(...past)
      .when(recordEmailAttempt, attempt(3))
      .then(failed(3), abandoned(3));
  });
  t.test('that fails for good is the last', async () =>
    given(queued())
      .when(recordEmailAttempt, attempt(1, { final: true }))
      .then(failed(1), abandoned(1)),
  );
  t.test('is not made at all when there is nothing to send or nowhere', async () => {
    for (const reason of ['bounce_list', 'not_configured', 'outdated'] as const)
      given(queued())
        .when(recordEmailAttempt, { emailId: ids.emailId, attempt: 1, result: { outcome: 'suppressed', reason } })
        .then({ type: 'EmailSuppressed', data: { ...ids, reason } });
  });
  t.test('is noted once and in order', async () => {
    given(queued(), failed(1, in_(60)))
      .when(recordEmailAttempt, attempt(1))
      .nothing();
    given(queued()).when(recordEmailAttempt, attempt(2)).nothing();
    for (const end of [sent, abandoned(1)]) given(queued(), end).when(recordEmailAttempt, attempt(2)).nothing();
    given().when(recordEmailAttempt, attempt(1)).nothing();
  });
});

t.test('a notice of the mail service', async (t) => {
  const notice = (notice: 'delivered' | 'opened' | 'hard' | 'soft' | 'complaint') => ({
    emailId: ids.emailId,
    notice,
    at,
  });
  const delivered: EmailEvent = { type: 'EmailDelivered', data: { ...ids, at } };
  t.test('is a fact once', async () => {
    given(queued(), sent).when(recordEmailDelivery, notice('delivered'), undefined, facts).then(delivered);
    given(queued(), sent, delivered).when(recordEmailDelivery, notice('delivered'), undefined, facts).nothing();
    given(queued(), sent)
      .when(recordEmailDelivery, notice('opened'), undefined, facts)
      .then({ type: 'EmailOpened', data: { ...ids, at } });
    for (const kind of ['hard', 'soft', 'complaint'] as const)
      given(queued(), sent, delivered)
        .when(recordEmailDelivery, notice(kind), undefined, facts)
        .then({ type: 'EmailBounced', data: { ...ids, to, addressHash, kind, at } });
  });
  t.test('counts too when it is there before the answer, or the answer was lost', async () => {
    given(queued()).when(recordEmailDelivery, notice('delivered'), undefined, facts).then(delivered);
    given(queued(), abandoned(6)).when(recordEmailDelivery, notice('delivered'), undefined, facts).then(delivered);
    given(queued(), delivered)
      .when(recordEmailAttempt, {
        emailId: ids.emailId,
        attempt: 1,
        result: { outcome: 'accepted', to, providerMessageId: 'm1' },
      })
      .then(sent);
  });
  t.test('of a mail that nobody sent is refused', async () =>
    given().when(recordEmailDelivery, notice('delivered'), undefined, facts).rejected('email-unknown'),
  );
});
