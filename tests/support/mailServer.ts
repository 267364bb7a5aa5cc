import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as a server received it. */
export type Received = {
  readonly from: string;
  readonly to: readonly string[];
  /** Encrypted on its way. */
  readonly secure: boolean;
  /** Whom the sender signed in as. */
  readonly user: string | undefined;
  /** By their names in lower case, unfolded. */
  readonly headers: ReadonlyMap<string, string>;
  /** Decoded, by media type. */
  readonly parts: ReadonlyMap<string, string>;
  readonly raw: string;
};

const decoded = (body: string, encoding: string): string => {
  switch (encoding) {
    case 'base64':
      return Buffer.from(body, 'base64').toString();
    case 'quoted-printable':
      return Buffer.from(
        body
          .replace(/=\r\n/g, '')
          .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      ).toString();
    default:
      return body;
  }
};

const entity = (raw: string) => {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const headers = new Map(
    head
      .replace(/\r\n[ \t]+/g, ' ')
      .split('\r\n')
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { headers, body: body.join('\r\n\r\n') };
};

type Entity = ReturnType<typeof entity>;

/** What stands in an entity, however deep. */
const leaves = ({ headers, body }: Entity): readonly Entity[] => {
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')?.[1];
  if (boundary === undefined) return [{ headers, body }];
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .flatMap((part) => leaves(entity(part.replace(/^\r\n/, ''))));
};

const parsed = (raw: string) => {
  const whole = entity(raw);
  const parts = new Map(
    leaves(whole).map((part) => [
      part.headers.get('content-type')?.split(';')[0] ?? '',
      decoded(part.body, part.headers.get('content-transfer-encoding') ?? ''),
    ]),
  );
  return { headers: whole.headers, parts };
};

/**
 * A real SMTP server on the loopback address, with a self-signed certificate; closed with the test. Without options it wants
 * neither encryption nor a sign-in.
 */
export const mailServer = async (
  t: { after: (callback: () => Promise<void>) => unknown },
  options: SMTPServerOptions = {},
) => {
  const mails: Received[] = [];
  const errors: Error[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    onData: (stream, session, done) => {
      text(stream).then((raw) => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          secure: session.secure,
          user: session.user === undefined ? undefined : String(session.user),
          raw,
          ...parsed(raw),
        });
        done();
      }, done);
    },
    ...options,
  });
  server.on('error', (error: Error) => errors.push(error));
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  t.after(() => new Promise<void>((closed) => server.close(() => closed())));
  return { port, url: `smtp://127.0.0.1:${port}`, mails, errors };
};
