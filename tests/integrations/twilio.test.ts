import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import type { DeliveryFailed } from '../../src/integrations/delivery.ts';
import type { TextMessage } from '../../src/integrations/sms.ts';
import { twilioSms } from '../../src/integrations/twilio.ts';
import { type Asked, answering, dripping, json } from '../support/answering.ts';

const accountSid = `AC${'0'.repeat(32)}`;
const account = { accountSid, authToken: 's3cret', from: '+15005550006', messagingServiceSid: undefined };
const message: TextMessage = {
  to: '+4930123456',
  template: 'otp-code',
  text: '654321 is your code – für dich',
  dedupeKey: 'otp-code/one',
};

const twilio = async (
  t: Test,
  answer: (response: ServerResponse, asked: Asked) => void,
  more: Partial<Parameters<typeof twilioSms>[0]> = {},
) => {
  const { url, asked } = await answering(t, answer);
  return { sms: twilioSms({ ...account, apiUrl: url, ...more }), asked };
};
const created = (response: ServerResponse): void =>
  json(response, 201, { sid: `SM${'1'.repeat(32)}`, status: 'queued', to: message.to, body: message.text });

/** The failure, which tells neither number nor content however closely it is looked at. */
const failure = async (t: Test, sending: Promise<void>): Promise<DeliveryFailed> => {
  const error = await sending.then(
    () => t.fail('was sent'),
    (thrown: DeliveryFailed) => thrown,
  );
  t.notMatch(inspect(error, { depth: 9, showHidden: true }), /4930123456|654321|s3cret/);
  return error as DeliveryFailed;
};

t.test('a text message by Twilio', async (t) => {
  t.test('goes out from the number of the account', async (t) => {
    const { sms, asked } = await twilio(t, created);
    await sms.send(message);
    t.equal(asked.length, 1);
    const [request] = asked;
    t.match(request, { method: 'POST', path: `/2010-04-01/Accounts/${accountSid}/Messages.json` });
    t.equal(request?.headers.authorization, `Basic ${Buffer.from(`${accountSid}:s3cret`).toString('base64')}`);
    t.strictSame(Object.fromEntries(new URLSearchParams(request?.body)), {
      To: message.to,
      From: account.from,
      Body: message.text,
    });
  });
  t.test('goes out by the messaging service where there is one', async (t) => {
    const messagingServiceSid = `MG${'2'.repeat(32)}`;
    const { sms, asked } = await twilio(t, created, { messagingServiceSid });
    await sms.send(message);
    t.strictSame(Object.fromEntries(new URLSearchParams(asked[0]?.body)), {
      To: message.to,
      MessagingServiceSid: messagingServiceSid,
      Body: message.text,
    });
  });
  t.test('goes to nothing but a telephone number', async (t) => {
    const { sms, asked } = await twilio(t, created);
    for (const to of ['', 'ada', '030123456', '+4930123456,+4930123457', 'whatsapp:+4930123456'])
      t.match(await failure(t, sms.send({ ...message, to })), { code: 'twilio-bad-number', permanent: true });
    t.equal(asked.length, 0);
  });
});

t.test('Twilio', async (t) => {
  for (const [status, code, permanent] of [
    [400, 21211, true],
    [404, 20404, true],
    [401, 20003, false],
    [403, 20003, false],
    [429, 20429, false],
    [500, 20500, false],
    [503, 20503, false],
  ] as const)
    t.test(`answers ${status}: ${permanent ? 'final' : 'to be tried again'}`, async (t) => {
      const body = { status, code, message: `The number ${message.to} is not one: ${message.text}` };
      const { sms, asked } = await twilio(t, (response) => json(response, status, body));
      t.match(await failure(t, sms.send(message)), { code: `twilio-${status}`, permanent });
      t.equal(asked.length, 1, 'is asked once');
    });
  t.test('answers with what is no JSON', async (t) => {
    const { sms } = await twilio(t, (response) => response.writeHead(502).end('<html>bad gateway</html>'));
    t.match(await failure(t, sms.send(message)), { code: 'twilio-502', permanent: false });
  });
  for (const [title, answer, timeoutMs] of [
    // Long enough for a busy machine to have sent the request.
    ['does not answer', () => {}, 1_000],
    ['answers too slowly', dripping, 1_000],
    ['hangs up', (response: ServerResponse) => void response.destroy()],
  ] as const satisfies readonly (readonly [string, (response: ServerResponse) => void, number?])[])
    t.test(title, async (t) => {
      const { sms, asked } = await twilio(t, answer, timeoutMs === undefined ? {} : { timeoutMs });
      t.match(await failure(t, sms.send(message)), { code: 'twilio-unreachable', permanent: false });
      t.equal(asked.length, 1);
    });
  t.test('is not there', async (t) => {
    const sms = twilioSms({ ...account, apiUrl: 'http://127.0.0.1:1' });
    t.match(await failure(t, sms.send(message)), { code: 'twilio-unreachable', permanent: false });
  });
});
