import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import type { DeliveryFailed } from '../../src/integrations/delivery.ts';
import { type Mail, messageIds } from '../../src/integrations/email.ts';
import { smtpMailer } from '../../src/integrations/smtp.ts';
import { mailServer } from '../support/mailServer.ts';

const mail: Mail = {
  to: 'ada@example.org',
  template: 'password-reset',
  subject: 'Grüße, Ada',
  text: 'Your token: t0ken\n\nZwei Zeilen – und ein Ende.\n',
  html: '<p>Your token: t0ken</p>\n<p>Zwei Zeilen – und ein Ende.</p>\n',
  dedupeKey: 'password-reset/one',
};
const from = 'Convene <no-reply@mail.example.com>';
const messageId = messageIds(
  (purpose, value) => createHash('sha256').update(`${purpose}:${value}`).digest('hex'),
  from,
);
type Limits = Pick<Parameters<typeof smtpMailer>[0], 'stepMs' | 'mailMs'>;
const mailerTo = (url: string, more: Limits & { readonly replyTo?: string } = {}) =>
  smtpMailer({ url, from, replyTo: from, messageId, ...more });

/** The failure, which tells neither address nor content however closely it is looked at. */
const failure = async (t: Test, sending: Promise<unknown>): Promise<DeliveryFailed> => {
  const error = await sending.then(
    () => t.fail('was sent'),
    (thrown: DeliveryFailed) => thrown,
  );
  t.notMatch(inspect(error, { depth: 9, showHidden: true }), /ada@|t0ken|Grüße|s3cret|mailuser/);
  return error as DeliveryFailed;
};
const refusing = (responseCode: number) => Object.assign(new Error(`<ada@example.org> no, t0ken`), { responseCode });

t.test('a mail by SMTP', async (t) => {
  t.test('arrives as it was written', async (t) => {
    const { url, mails } = await mailServer(t);
    await mailerTo(url, { replyTo: 'People <people@example.com>' }).send(mail);
    const [received] = mails;
    t.equal(mails.length, 1);
    t.match(received, { from: 'no-reply@mail.example.com', to: ['ada@example.org'] });
    t.match(Object.fromEntries(received?.headers ?? []), {
      from: 'Convene <no-reply@mail.example.com>',
      'reply-to': 'People <people@example.com>',
      to: 'ada@example.org',
      subject: /^=\?UTF-8\?/,
      'auto-submitted': 'auto-generated',
      'message-id': /^<[0-9a-f]{40}@mail\.example\.com>$/,
      'content-type': /^multipart\/alternative/,
      'mime-version': '1.0',
    });
    const lines = (text: string | undefined) => text?.replaceAll('\r\n', '\n').trimEnd();
    t.equal(lines(received?.parts.get('text/plain')), lines(mail.text));
    t.equal(lines(received?.parts.get('text/html')), lines(mail.html));
  });

  t.test('brings what goes into a calendar, for programs that read it and for those that want a file', async (t) => {
    const { url, mails } = await mailServer(t);
    const content = 'BEGIN:VCALENDAR\r\nSUMMARY:Grüße\r\nEND:VCALENDAR\r\n';
    await mailerTo(url).send({ ...mail, calendar: { method: 'REQUEST', content } });
    const { parts, raw } = mails[0] ?? { parts: new Map(), raw: '' };
    t.equal(parts.get('text/calendar')?.trimEnd(), content.trimEnd());
    t.equal(parts.get('application/ics'), content);
    t.match(raw, /^Content-Type: text\/calendar; charset=utf-8; method=REQUEST\r$/m);
    t.match(raw, /^Content-Disposition: attachment; filename=appointment\.ics\r$/m);
    t.strictSame([...parts.keys()], ['text/plain', 'text/html', 'text/calendar', 'application/ics']);
  });

  t.test('is recognised by its Message-ID when it comes twice', async (t) => {
    const { url, mails } = await mailServer(t);
    const { providerMessageId } = { providerMessageId: '', ...(await mailerTo(url).send(mail)) };
    await mailerTo(url).send({ ...mail, subject: 'Another' });
    await mailerTo(url).send({ ...mail, dedupeKey: 'password-reset/two' });
    const [one, again, two] = mails.map(({ headers }) => headers.get('message-id'));
    t.ok(one);
    t.equal(providerMessageId, one);
    t.equal(again, one);
    t.not(two, one);
  });

  t.test('lets nobody write into its headers or to further addresses', async (t) => {
    const { url, mails } = await mailServer(t);
    const subject = 'Hello\r\nBcc: eve@example.org\r\n\r\nBody of Eve';
    await mailerTo(url).send({ ...mail, subject });
    const [received] = mails;
    t.strictSame(received?.to, ['ada@example.org']);
    t.equal(received?.headers.has('bcc'), false);
    t.equal(received?.headers.get('subject'), 'Hello Bcc: eve@example.org Body of Eve');
    for (const to of [
      'ada@example.org\r\nBcc: eve@example.org',
      'ada@example.org, eve@example.org',
      'Ada <ada@example.org>',
      'ada@example.org>\r\nRCPT TO:<eve@example.org',
      '"ada@example.org eve"@example.org',
      'ada',
      '',
    ]) {
      const { code, permanent } = await failure(t, mailerTo(url).send({ ...mail, to }));
      t.match({ code, permanent }, { code: 'smtp-bad-address', permanent: true });
    }
    t.equal(mails.length, 1);
  });
});

t.test('a server that refuses', async (t) => {
  for (const [title, responseCode, permanent] of [
    ['the recipient for now', 450, false],
    ['the recipient for good', 550, true],
  ] as const)
    t.test(title, async (t) => {
      const { url, mails } = await mailServer(t, {
        onRcptTo: (_address, _session, done) => done(refusing(responseCode)),
      });
      t.match(await failure(t, mailerTo(url).send(mail)), { code: `smtp-${responseCode}`, permanent });
      t.equal(mails.length, 0);
    });
  for (const [title, responseCode, permanent] of [
    ['the content for now', 451, false],
    ['the content for good', 554, true],
  ] as const)
    t.test(title, async (t) => {
      const { url } = await mailServer(t, {
        onData: (stream, _session, done) => {
          stream.resume();
          stream.on('end', () => done(refusing(responseCode)));
        },
      });
      t.match(await failure(t, mailerTo(url).send(mail)), { code: `smtp-${responseCode}`, permanent });
    });
  t.test('everybody for now', async (t) => {
    const { url } = await mailServer(t, { onConnect: (_session, done) => done(refusing(421)) });
    t.match(await failure(t, mailerTo(url).send(mail)), { permanent: false });
  });
});

t.test('a server that wants a sign-in', async (t) => {
  const wanting = (t: Test) =>
    mailServer(t, {
      authOptional: false,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        username === 'mailuser' && password === 's3cret@/'
          ? done(null, { user: username })
          : done(new Error('mailuser s3cret is wrong')),
    });
  t.test('gets the one of the address', async (t) => {
    const { port, mails } = await wanting(t);
    await mailerTo(`smtp://mailuser:s3cret%40%2F@127.0.0.1:${port}`).send(mail);
    t.match(mails, [{ user: 'mailuser', to: ['ada@example.org'] }]);
  });
  t.test('refuses a wrong one, which an operator can mend while the mail waits', async (t) => {
    const { port, url, mails } = await wanting(t);
    const wrong = mailerTo(`smtp://mailuser:other@127.0.0.1:${port}`);
    t.match(await failure(t, wrong.send(mail)), { code: 'smtp-535', permanent: false });
    t.match(await failure(t, mailerTo(url).send(mail)), { code: 'smtp-530' });
    t.equal(mails.length, 0);
  });
});

t.test('encryption', async (t) => {
  const pem = (name: string) => readFileSync(join(import.meta.dirname, '../eventstore/standIn/tls', name));
  const identity = { key: pem('key.pem'), cert: pem('certificate.pem') };
  const encrypting = (t: Test) => mailServer(t, { ...identity, disabledCommands: ['AUTH'] });
  t.test('is not used with a certificate that nobody vouches for', async (t) => {
    const { url, mails } = await encrypting(t);
    t.match(await failure(t, mailerTo(url).send(mail)), { code: /^smtp-.*cert/, permanent: false });
    t.equal(mails.length, 0);
  });
  t.test('is used with one that the operator vouches for', async (t) => {
    const { url, mails } = await encrypting(t);
    await mailerTo(`${url}?tls.rejectUnauthorized=false`).send(mail);
    t.match(mails, [{ secure: true }]);
  });
  t.test('is insisted on beyond this machine, whatever the server offers', async (t) => {
    const { port, mails } = await mailServer(t);
    // The name is this machine's all the same: what counts is how the address is written.
    const remote = `smtp://0x7f000001:${port}`;
    t.equal(new URL('http://0x7f000001/').hostname, '127.0.0.1');
    t.match(await failure(t, mailerTo(remote).send(mail)), { permanent: false });
    t.equal(mails.length, 0);
    await mailerTo(`${remote}?ignoreTLS=true`).send(mail);
    t.match(mails, [{ secure: false }]);
  });
  t.test('comes first with smtps', async (t) => {
    const { port, mails } = await mailServer(t, { ...identity, secure: true });
    const url = `smtps://127.0.0.1:${port}`;
    t.match(await failure(t, mailerTo(url).send(mail)), { permanent: false });
    await mailerTo(`${url}?tls.rejectUnauthorized=false`).send(mail);
    t.match(mails, [{ secure: true }]);
  });
});

t.test('a server out of reach', async (t) => {
  /** One limit is short and the other far away, so that on a busy machine too it is known which of them is met. */
  const impatient = { step: { stepMs: 100, mailMs: 60_000 }, mail: { stepMs: 60_000, mailMs: 300 } };
  const serving = async (t: Test, onConnection: (socket: Socket) => void) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      onConnection(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((closed) => server.close(() => closed()));
    });
    return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  t.test('refuses the connection', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    t.match(await failure(t, mailerTo(`smtp://127.0.0.1:${port}`).send(mail)), {
      code: 'smtp-econnrefused',
      permanent: false,
    });
  });
  t.test('hangs up', async (t) => {
    const url = await serving(t, (socket) => socket.end());
    t.match(await failure(t, mailerTo(url).send(mail)), { permanent: false });
  });
  t.test('says nothing', async (t) => {
    const url = await serving(t, () => {});
    t.match(await failure(t, mailerTo(url, impatient.step).send(mail)), { code: 'smtp-etimedout', permanent: false });
  });
  t.test('stops in the middle', async (t) => {
    const url = await serving(t, (socket) => {
      socket.write('220 here\r\n');
      socket.once('data', () => socket.write('250 here\r\n'));
    });
    t.match(await failure(t, mailerTo(url, impatient.step).send(mail)), { code: 'smtp-etimedout', permanent: false });
  });
  t.test('keeps talking without end', async (t) => {
    const url = await serving(t, (socket) => {
      let last = 0;
      const talk = (): void => {
        if (socket.destroyed) return;
        if (performance.now() - last > 30) {
          socket.write('250-STILL-HERE\r\n');
          last = performance.now();
        }
        setImmediate(talk);
      };
      socket.write('220 here\r\n');
      socket.once('data', talk);
    });
    t.match(await failure(t, mailerTo(url, impatient.mail).send(mail)), { code: 'smtp-eabort', permanent: false });
  });
});
