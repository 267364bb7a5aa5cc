import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { Mail } from '../../src/integrations/email.ts';
import { createOutbox, forgetMessages, outboxMessages } from '../../src/integrations/outbox.ts';
import type { TextMessage } from '../../src/integrations/sms.ts';
import { testDatabase } from '../support/postgres.ts';

const hash = (purpose: string, value: string): string =>
  createHmac('sha256', 'key').update(`${purpose}/${value}`).digest('hex');
const mail: Mail = {
  to: 'Ada@example.org',
  accountId: 'ada',
  template: 'email-verification',
  subject: 'Please verify',
  text: 'Your token: 123',
  html: '<p>Your token: 123</p>',
  dedupeKey: 'one',
};
const message: TextMessage = {
  to: '+4930123456',
  accountId: 'ada',
  template: 'otp-code',
  text: '654321 is your code',
  dedupeKey: 'text one',
};
const everything = { hash, offset: 0, limit: 50 };

const outboxOf = async (t: Test, production: boolean) => {
  const { pool } = await testDatabase(t, { migrate: true });
  const lines: string[] = [];
  // Without time and process, whose digits may look like those of a code.
  const log = pino({ level: 'debug', base: null, timestamp: false }, { write: (line) => lines.push(line) });
  const outbox = createOutbox({ pool, hash, log, production });
  const list = async (filter: object = {}) => (await outboxMessages(pool, { ...everything, ...filter })).items;
  return { pool, lines, outbox, list };
};

t.test('outside production the outbox', async (t) => {
  const { pool, lines, outbox, list } = await outboxOf(t, false);
  t.test('keeps a mail with its content, once', async (t) => {
    await outbox.mailer.send(mail);
    await outbox.mailer.send({ ...mail, subject: 'Again' });
    const items = await list();
    const { to, dedupeKey: _key, accountId: _account, ...content } = mail;
    t.equal(items.length, 1);
    t.match(items, [{ ...content, channel: 'email', recipient: to, status: 'suppressed', at: /Z$/ }]);
  });
  t.test('keeps a text message with its content, once', async (t) => {
    t.equal(outbox.sms.available(), true);
    await outbox.sms.send(message);
    await outbox.sms.send({ ...message, text: 'Again' });
    t.match(await list({ channel: 'sms' }), [
      { channel: 'sms', recipient: message.to, text: message.text, subject: null, html: null, status: 'suppressed' },
    ]);
  });
  t.test('logs one line each without content or address', async (t) => {
    t.equal(lines.length, 2);
    t.notMatch(lines.join(), /example\.org|123|654321|4930/i);
  });
  t.test('finds messages by exact address, however it is written, and by channel', async (t) => {
    await outbox.mailer.send({ ...mail, to: 'bob@example.org', accountId: 'bob', dedupeKey: 'two' });
    const of = async (filter: object) => (await outboxMessages(pool, { ...everything, ...filter })).total;
    t.equal(await of({ recipient: 'ada@EXAMPLE.org' }), 1);
    t.equal(await of({ recipient: 'ada' }), 0);
    t.equal(await of({ channel: 'email' }), 2);
    t.equal(await of({ channel: 'push' }), 0);
    const newest = await outboxMessages(pool, { ...everything, limit: 1 });
    t.match(newest, { items: [{ recipient: 'bob@example.org' }], total: 3 });
  });
  t.test('forgets what it holds for an account', async (t) => {
    await forgetMessages(pool, 'ada');
    t.match(await list(), [{ recipient: 'bob@example.org' }]);
  });
  t.test('forgets messages after thirty days', async (t) => {
    await pool.query(`update convene.outbox set at = now() - interval '31 days'`);
    await outbox.mailer.send({ ...mail, dedupeKey: 'three' });
    t.equal((await list()).length, 1);
  });
});

t.test('in production the outbox keeps neither content nor address', async (t) => {
  const { pool, outbox, list } = await outboxOf(t, true);
  await outbox.mailer.send(mail);
  t.match(await list({ recipient: 'ada@example.org' }), [
    { recipient: 'A***@example.org', subject: null, text: null, html: null, template: mail.template },
  ]);
  await outbox.smsOver({ send: async () => {}, available: () => true }).send(message);
  t.match(await list({ recipient: message.to }), [{ recipient: '+***56', text: null, status: 'sent' }]);
  const { rows } = await pool.query('select * from convene.outbox');
  // Without the time, whose digits may be those of a code.
  t.notMatch(JSON.stringify(rows.map(({ at: _at, ...row }) => row)), /Ada@|123|654321|verify"|4930/);
});

t.test('beside a service the outbox', async (t) => {
  const { pool, lines, outbox, list } = await outboxOf(t, false);
  const taken: string[] = [];
  let up = true;
  const service = {
    send: async ({ dedupeKey }: { readonly dedupeKey: string }) => {
      if (!up) throw new Error('down');
      taken.push(dedupeKey);
      return { status: 'sent', providerMessageId: `taken as ${dedupeKey}` } as const;
    },
    available: () => up,
  };
  const mailer = outbox.mailerOver(service);
  t.test('notes what was sent, without content, and lets it be sent once', async (t) => {
    t.strictSame(await mailer.send(mail), { status: 'sent', providerMessageId: 'taken as one' });
    t.strictSame(await mailer.send(mail), { status: 'sent' });
    t.strictSame(taken, ['one']);
    t.match(await list(), [{ recipient: mail.to, subject: null, text: null, html: null, status: 'sent' }]);
    t.strictSame(lines, []);
  });
  t.test('notes what failed, until it is sent after all', async (t) => {
    up = false;
    await t.rejects(mailer.send({ ...mail, dedupeKey: 'two' }), { message: 'down' });
    t.match(await list(), [{ status: 'failed' }, { status: 'sent' }]);
    up = true;
    await mailer.send({ ...mail, dedupeKey: 'two' });
    t.match(await list(), [{ status: 'sent' }, { status: 'sent' }]);
    t.strictSame(taken, ['one', 'two']);
  });
  t.test('does the same for text messages, and tells whether there is a chance', async (t) => {
    const sms = outbox.smsOver({ ...service, send: async (message) => void (await service.send(message)) });
    up = false;
    t.equal(sms.available(), false);
    await t.rejects(sms.send(message), { message: 'down' });
    up = true;
    t.equal(sms.available(), true);
    await sms.send(message);
    await sms.send(message);
    t.match(await list({ channel: 'sms' }), [{ status: 'sent', text: null }]);
    t.strictSame(taken, ['one', 'two', message.dedupeKey]);
  });
  t.test('sends again what a crash kept from being noted', async (t) => {
    let cut = true;
    const query = ((...args: Parameters<typeof pool.query>) => {
      if (cut && String(args[0]).startsWith('insert')) throw new Error('connection lost');
      return pool.query(...args);
    }) as typeof pool.query;
    const crashing = createOutbox({ pool: { query }, hash, log: pino({ level: 'silent' }), production: false });
    const sending = crashing.mailerOver(service);
    taken.length = 0;
    await t.rejects(sending.send({ ...mail, dedupeKey: 'three' }), { message: 'connection lost' });
    cut = false;
    await sending.send({ ...mail, dedupeKey: 'three' });
    await sending.send({ ...mail, dedupeKey: 'three' });
    t.strictSame(taken, ['three', 'three']);
  });
});
