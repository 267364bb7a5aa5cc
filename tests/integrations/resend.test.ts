import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import type { DeliveryFailed } from '../../src/integrations/delivery.ts';
import type { Mail } from '../../src/integrations/email.ts';
import { resendMailer } from '../../src/integrations/resend.ts';
import { type Asked, answering, dripping, json } from '../support/answering.ts';

const mail: Mail = {
  to: 'ada@example.org',
  template: 'password-reset',
  subject: 'Grüße,\r\nAda',
  text: 'Your token: t0ken',
  html: '<p>Your token: t0ken</p>',
  dedupeKey: 'password-reset/one',
};
const sender = {
  from: 'Convene <no-reply@example.com>',
  replyTo: 'people@example.com',
  messageId: (key: string) => `<${Buffer.from(key).toString('hex')}@example.com>`,
};

const resend = async (t: Test, answer: (response: ServerResponse, asked: Asked) => void, timeoutMs = 5_000) => {
  const { url, asked } = await answering(t, answer);
  return { mailer: resendMailer({ ...sender, apiKey: 're_s3cret', apiUrl: url, timeoutMs }), asked };
};
const taken = (response: ServerResponse): void => json(response, 200, { id: '49a3999c-0ce1-4ea6-ab68-afcd6dc2e794' });

/** The failure, which tells neither address nor content however closely it is looked at. */
const failure = async (t: Test, sending: Promise<unknown>): Promise<DeliveryFailed> => {
  const error = await sending.then(
    () => t.fail('was sent'),
    (thrown: DeliveryFailed) => thrown,
  );
  t.notMatch(inspect(error, { depth: 9, showHidden: true }), /ada@|t0ken|Grüße|s3cret/);
  return error as DeliveryFailed;
};

t.test('a mail by Resend', async (t) => {
  t.test('goes out as it was written, with its key', async (t) => {
    const { mailer, asked } = await resend(t, taken);
    const sent = { status: 'sent', providerMessageId: '49a3999c-0ce1-4ea6-ab68-afcd6dc2e794' };
    t.strictSame(await mailer.send(mail), sent);
    t.strictSame(await mailer.send(mail), sent);
    const [request, again] = asked;
    t.match(request, {
      method: 'POST',
      path: '/emails',
      headers: { authorization: 'Bearer re_s3cret', 'idempotency-key': sender.messageId(mail.dedupeKey) },
    });
    t.equal(again?.headers['idempotency-key'], request?.headers['idempotency-key']);
    t.match(JSON.parse(request?.body ?? ''), {
      from: sender.from,
      reply_to: sender.replyTo,
      to: ['ada@example.org'],
      subject: 'Grüße, Ada',
      text: mail.text,
      html: mail.html,
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
  });
  t.test('carries its id for later notices, and what goes into a calendar', async (t) => {
    const { mailer, asked } = await resend(t, taken);
    const content = 'BEGIN:VCALENDAR\r\nEND:VCALENDAR';
    await mailer.send({ ...mail, emailId: 'e1', calendar: { method: 'CANCEL', content } });
    t.match(JSON.parse(asked[0]?.body ?? ''), {
      tags: [{ name: 'email_id', value: 'e1' }],
      attachments: [
        {
          filename: 'cancelled.ics',
          content: Buffer.from(content).toString('base64'),
          content_type: 'text/calendar; charset=utf-8; method=CANCEL',
        },
      ],
    });
  });
  t.test('goes to one address and no other', async (t) => {
    const { mailer, asked } = await resend(t, taken);
    for (const to of [
      '',
      'ada@example.org, eve@example.org',
      'Ada <ada@example.org>',
      'ada@example.org\neve@example.org',
    ])
      t.match(await failure(t, mailer.send({ ...mail, to })), { code: 'resend-bad-address', permanent: true });
    t.equal(asked.length, 0);
  });
});

t.test('Resend', async (t) => {
  for (const [statusCode, name, permanent] of [
    [400, 'validation_error', true],
    [422, 'invalid_parameter', true],
    [401, 'missing_api_key', false],
    [403, 'invalid_api_key', false],
    [409, 'concurrent_idempotent_requests', false],
    [429, 'rate_limit_exceeded', false],
    [500, 'internal_server_error', false],
  ] as const)
    t.test(`answers ${statusCode}: ${permanent ? 'final' : 'to be tried again'}`, async (t) => {
      const body = { statusCode, name, message: `ada@example.org is not to get t0ken` };
      const { mailer, asked } = await resend(t, (response) => json(response, statusCode, body));
      t.match(await failure(t, mailer.send(mail)), { code: `resend-${statusCode}`, permanent });
      t.equal(asked.length, 1, 'is asked once');
    });
  t.test('has taken the mail before in other words: it is sent', async (t) => {
    const body = { statusCode: 409, name: 'invalid_idempotent_request', message: 'Same key, other payload' };
    const { mailer, asked } = await resend(t, (response) => json(response, 409, body));
    t.strictSame(await mailer.send(mail), { status: 'sent' });
    t.equal(asked.length, 1);
  });
  for (const [title, answer, timeoutMs] of [
    ['answers with what is no JSON', (response: ServerResponse) => void response.writeHead(502).end('<html>')],
    ['answers with what is no refusal', (response: ServerResponse) => json(response, 500, null)],
    ['answers with what is no success', (response: ServerResponse) => void response.writeHead(200).end('<html>')],
    // Long enough for a busy machine to have sent the request.
    ['does not answer', () => {}, 1_000],
    ['answers too slowly', dripping, 1_000],
    ['hangs up', (response: ServerResponse) => void response.destroy()],
  ] as const satisfies readonly (readonly [string, (response: ServerResponse) => void, number?])[])
    t.test(title, async (t) => {
      const { mailer, asked } = await resend(t, answer, timeoutMs);
      t.match(await failure(t, mailer.send(mail)), { code: /^resend-(?:502|unreachable)$/, permanent: false });
      t.equal(asked.length, 1);
    });
  t.test('is not there', async (t) => {
    const mailer = resendMailer({ ...sender, apiKey: 're_s3cret', apiUrl: 'http://127.0.0.1:1' });
    t.match(await failure(t, mailer.send(mail)), { code: 'resend-unreachable', permanent: false });
  });
});
