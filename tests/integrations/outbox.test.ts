import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { Mail } from '../../src/integrations/email.ts';
import { outboxMailer, outboxMessages } from '../../src/integrations/outbox.ts';
import { testDatabase } from '../support/postgres.ts';

const hash = (purpose: string, value: string): string =>
  createHmac('sha256', 'key').update(`${purpose}/${value}`).digest('hex');
const mail: Mail = {
  to: 'Ada@example.org',
  template: 'email-verification',
  subject: 'Please verify',
  text: 'Your token: 123',
  html: '<p>Your token: 123</p>',
  dedupeKey: 'one',
};
const everything = { hash, offset: 0, limit: 50 };

const outbox = async (t: Test, production: boolean) => {
  const { pool } = await testDatabase(t, { migrate: true });
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => lines.push(line) });
  return { pool, lines, mailer: outboxMailer({ pool, hash, log, production }) };
};

t.test('outside production the outbox', async (t) => {
  const { pool, lines, mailer } = await outbox(t, false);
  t.test('keeps a mail with its content, once', async (t) => {
    await mailer.send(mail);
    await mailer.send({ ...mail, subject: 'Again' });
    const { items, total } = await outboxMessages(pool, everything);
    t.equal(total, 1);
    const { to, dedupeKey: _key, ...content } = mail;
    t.match(items, [{ ...content, channel: 'email', recipient: to, status: 'suppressed', at: /Z$/ }]);
  });
  t.test('logs one line without content or address', async (t) => {
    t.equal(lines.length, 1);
    t.notMatch(lines[0], /example\.org|123/i);
  });
  t.test('finds mails by exact address, however it is written, and by channel', async (t) => {
    await mailer.send({ ...mail, to: 'bob@example.org', dedupeKey: 'two' });
    const of = async (filter: object) => (await outboxMessages(pool, { ...everything, ...filter })).total;
    t.equal(await of({ recipient: 'ada@EXAMPLE.org' }), 1);
    t.equal(await of({ recipient: 'ada' }), 0);
    t.equal(await of({ channel: 'email' }), 2);
    t.equal(await of({ channel: 'sms' }), 0);
    const newest = await outboxMessages(pool, { ...everything, limit: 1 });
    t.match(newest, { items: [{ recipient: 'bob@example.org' }], total: 2 });
  });
  t.test('forgets mails after thirty days', async (t) => {
    await pool.query(`update convene.outbox set at = now() - interval '31 days'`);
    await mailer.send({ ...mail, dedupeKey: 'three' });
    t.equal((await outboxMessages(pool, everything)).total, 1);
  });
});

t.test('in production the outbox keeps neither content nor address', async (t) => {
  const { pool, mailer } = await outbox(t, true);
  await mailer.send(mail);
  const { items } = await outboxMessages(pool, { ...everything, recipient: 'ada@example.org' });
  t.match(items, [{ recipient: 'A***@example.org', subject: null, text: null, html: null, template: mail.template }]);
  const { rows } = await pool.query('select * from convene.outbox');
  t.notMatch(JSON.stringify(rows), /Ada@|123|verify"/);
});
