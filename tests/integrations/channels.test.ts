import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { type ChannelSettings, openChannels } from '../../src/integrations/channels.ts';
import type { Mail } from '../../src/integrations/email.ts';
import { outboxMessages } from '../../src/integrations/outbox.ts';
import type { TextMessage } from '../../src/integrations/sms.ts';
import { mailServer } from '../support/mailServer.ts';
import { testDatabase } from '../support/postgres.ts';

const hash = (purpose: string, value: string): string =>
  createHmac('sha256', 'key').update(`${purpose}/${value}`).digest('hex');
const mail: Mail = {
  to: 'ada@example.org',
  accountId: 'ada',
  template: 'password-changed',
  subject: 'Changed',
  text: 'It was changed',
  html: '<p>It was changed</p>',
  dedupeKey: 'one',
};
const message: TextMessage = { to: '+4930123456', template: 'otp-code', text: '654321', dedupeKey: 'two' };
const nothing: ChannelSettings = {
  production: false,
  smtpUrl: undefined,
  resendApiKey: undefined,
  mailFrom: 'Convene <no-reply@example.com>',
  mailReplyTo: undefined,
  twilio: undefined,
};

const opened = async (t: Test, settings: Partial<ChannelSettings>) => {
  const { pool } = await testDatabase(t, { migrate: true });
  const log = pino({ level: 'silent' });
  const channels = await openChannels({ ...nothing, ...settings }, { pool, hash, log });
  const list = async () => (await outboxMessages(pool, { hash, offset: 0, limit: 50 })).items;
  return { ...channels, list };
};

t.test('the channels', async (t) => {
  t.test('lead to the outbox where nothing is configured', async (t) => {
    const { mailer, sms, circuits, forget, list } = await opened(t, {});
    await mailer.send(mail);
    await sms.send(message);
    t.match(await list(), [
      { channel: 'sms', text: '654321', status: 'suppressed' },
      { channel: 'email', text: mail.text, status: 'suppressed' },
    ]);
    t.equal(sms.available(), true);
    t.strictSame(circuits, []);
    await mailer.send({ ...mail, accountId: 'ben', concerns: ['ada', 'ben'], dedupeKey: 'three' });
    await forget('ada');
    t.match(await list(), [{ channel: 'sms' }]);
  });
  t.test('lead nowhere for text messages in production', async (t) => {
    const { mailer, sms, list } = await opened(t, { production: true });
    t.equal(sms.available(), false);
    await t.rejects(sms.send(message), { name: 'NotConfigured', code: 'no-sms-service' });
    await mailer.send(mail);
    t.match(await list(), [{ channel: 'email', text: null, recipient: 'a***@example.org', status: 'suppressed' }]);
  });
  t.test('lead to the SMTP server, once a mail', async (t) => {
    const { url, mails } = await mailServer(t);
    const settings = { smtpUrl: url, mailReplyTo: 'People <people@example.com>' };
    const { mailer, list } = await opened(t, settings);
    await mailer.send(mail);
    await mailer.send(mail);
    t.equal(mails.length, 1);
    t.match(Object.fromEntries(mails[0]?.headers ?? []), { 'reply-to': 'People <people@example.com>' });
    t.match(await list(), [{ status: 'sent', subject: null, text: null, html: null }]);
  });
  t.test('answer to their sender when nothing else is said', async (t) => {
    const { url, mails } = await mailServer(t);
    const { mailer } = await opened(t, { smtpUrl: url });
    await mailer.send(mail);
    t.match(Object.fromEntries(mails[0]?.headers ?? []), { 'reply-to': nothing.mailFrom });
  });
  t.test('are cut while a service is down, and tell so', async (t) => {
    let refused = 0;
    const { url } = await mailServer(t, {
      onRcptTo: (_address, _session, done) => {
        refused += 1;
        done(Object.assign(new Error('later'), { responseCode: 451 }));
      },
    });
    const { mailer, circuits, list } = await opened(t, { smtpUrl: url });
    for (let time = 0; time < 5; time++) await t.rejects(mailer.send(mail), { code: 'smtp-451' });
    await t.rejects(mailer.send(mail), { code: 'smtp-circuit-open' });
    t.equal(refused, 5);
    t.strictSame(
      circuits.map(({ service, state }) => [service, state()]),
      [['smtp', 'open']],
    );
    t.match(await list(), [{ status: 'failed' }]);
  });
  t.test('have a circuit for each service', async (t) => {
    const { circuits, sms } = await opened(t, {
      resendApiKey: 're_1',
      twilio: {
        accountSid: `AC${'0'.repeat(32)}`,
        authToken: 'x',
        from: '+15005550006',
        messagingServiceSid: undefined,
      },
    });
    t.strictSame(circuits.map(({ service }) => service).sort(), ['resend', 'twilio']);
    t.equal(sms.available(), true);
  });
});
