import { connect, type Socket } from 'node:net';

/** What comes back on a plain connection until the service hangs up. */
export type Heard = { readonly text: string; readonly statuses: readonly number[] };

const talk = (base: string, parts: readonly (string | Buffer)[], end: boolean): Promise<Heard> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(base);
    const socket: Socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    const done = (): void => {
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ text, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)) });
    };
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', done);
    socket.on('end', done);
    for (const part of parts) socket.write(part);
    if (end) socket.end();
  });

const HOST = 'Host: x\r\n';
const CLOSE = 'Connection: close\r\n';
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\n${HOST}${more}\r\n`;
const post = (more: string, body: string): string =>
  `POST /api/v1/auth/login HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n${more}\r\n${body}`;

/**
 * Bytes that are no proper HTTP, or more of it than one request, and the statuses that may answer them. What a service
 * may take for a good request asks it to hang up behind its answer, so that all there is to hear has an end.
 */
export type RawCase = {
  readonly name: string;
  readonly parts: readonly (string | Buffer)[];
  readonly statuses: readonly (readonly number[])[];
  /** The client says at once that nothing more follows. */
  readonly end?: boolean;
};

/** `[]` among the statuses: hanging up without a word. */
export const rawCases: readonly RawCase[] = [
  { name: 'no HTTP at all', parts: ['hello\r\n\r\n'], statuses: [[400]] },
  { name: 'binary rubbish', parts: [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0xfc, 0x00])], statuses: [[400]] },
  { name: 'HTTP/2 without asking', parts: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], statuses: [[400], [505], []] },
  { name: 'another version', parts: [`GET /health/live HTTP/9.9\r\n${HOST}\r\n`], statuses: [[400], [505]] },
  { name: 'HTTP/1.0', parts: ['GET /health/live HTTP/1.0\r\n\r\n'], statuses: [[200]] },
  { name: 'no host', parts: ['GET /health/live HTTP/1.1\r\n\r\n'], statuses: [[400]] },
  { name: 'two hosts', parts: [`GET /health/live HTTP/1.1\r\n${CLOSE}${HOST}${HOST}\r\n`], statuses: [[200], [400]] },
  { name: 'a made-up method', parts: [`BREW /health/live HTTP/1.1\r\n${HOST}\r\n`], statuses: [[400]] },
  { name: 'half a request', parts: ['GET /health/li'], statuses: [[], [400]], end: true },
  { name: 'half a body', parts: [post('Content-Length: 100\r\n', '{"email":')], statuses: [[], [400]], end: true },
  { name: 'headers that never end', parts: [`GET / HTTP/1.1\r\n${HOST}X: `, 'x'.repeat(40_000)], statuses: [[431]] },
  {
    name: 'a thousand headers',
    parts: [get('/health/live', CLOSE + 'A: b\r\n'.repeat(4_000))],
    statuses: [[431], [200]],
  },
  { name: 'a long address', parts: [get(`/${'x'.repeat(30_000)}`, CLOSE)], statuses: [[431], [404], [400]] },
  { name: 'a space in the address', parts: [get('/health live')], statuses: [[400]] },
  { name: 'NUL in the address', parts: [get('/health/live\u0000')], statuses: [[400]] },
  {
    name: 'bytes above ASCII in the address',
    parts: [Buffer.from(get('/health/\xff\xfe', CLOSE), 'latin1')],
    statuses: [[400], [404]],
  },
  { name: 'NUL in a header', parts: [get('/health/live', 'X: a\u0000b\r\n')], statuses: [[400]] },
  {
    name: 'a header folded over two lines',
    parts: [get('/health/live', `${CLOSE}X: a\r\n b\r\n`)],
    statuses: [[400], [200]],
  },
  { name: 'a header without a name', parts: [get('/health/live', ': x\r\n')], statuses: [[400]] },
  { name: 'a space before the colon', parts: [get('/health/live', 'X : x\r\n')], statuses: [[400]] },
  {
    name: 'lines that end in LF alone',
    parts: ['GET /health/live HTTP/1.1\nHost: x\nConnection: close\n\n'],
    statuses: [[200], [400]],
  },
  { name: 'two lengths', parts: [post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}')], statuses: [[400]] },
  { name: 'a negative length', parts: [post('Content-Length: -1\r\n', '{}')], statuses: [[400]] },
  { name: 'a length that is no number', parts: [post('Content-Length: 2x\r\n', '{}')], statuses: [[400]] },
  {
    name: 'length and chunks together',
    parts: [post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n')],
    statuses: [[400]],
  },
  {
    name: 'an unknown coding',
    parts: [post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
    statuses: [[400], [501]],
  },
  {
    name: 'a chunk of no size',
    parts: [post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n')],
    statuses: [[400], [400, 400]],
  },
  {
    name: 'a chunk that is too long',
    parts: [post('Transfer-Encoding: chunked\r\n', 'ffffffffffffffffff\r\n{}')],
    statuses: [[400]],
  },
  {
    name: 'trailers',
    parts: [post(`${CLOSE}Transfer-Encoding: chunked\r\n`, '2\r\n{}\r\n0\r\nX: y\r\n\r\n')],
    statuses: [[422]],
  },
  {
    name: 'an expectation',
    parts: [post(`${CLOSE}Expect: 100-continue\r\nContent-Length: 2\r\n`, '{}')],
    statuses: [[100, 422]],
  },
  {
    name: 'an expectation nobody can meet',
    parts: [post(`${CLOSE}Expect: wonders\r\nContent-Length: 2\r\n`, '{}')],
    statuses: [[417], [422]],
  },
  {
    name: 'three in a row',
    parts: [get('/health/live').repeat(2), get('/health/live', CLOSE)],
    statuses: [[200, 200, 200]],
  },
  {
    name: 'a good one, a bad one',
    parts: [get('/health/live'), 'rubbish\r\n\r\n'],
    statuses: [[200, 400], [400], [200]],
  },
  {
    name: 'the address of another server',
    parts: [get('http://elsewhere.example/health/live', CLOSE)],
    statuses: [[200], [404], [400]],
  },
  { name: 'a tunnel', parts: [`CONNECT elsewhere.example:443 HTTP/1.1\r\n${HOST}\r\n`], statuses: [[], [400], [404]] },
  { name: 'an asterisk', parts: [`OPTIONS * HTTP/1.1\r\n${HOST}${CLOSE}\r\n`], statuses: [[204], [404], [400]] },
  {
    name: 'an upgrade to something unknown',
    parts: [get('/health/live', 'Connection: Upgrade, close\r\nUpgrade: irc\r\n')],
    statuses: [[200]],
  },
  {
    name: 'an upgrade without a key',
    parts: [get('/ws', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')],
    statuses: [[400], [426], [404]],
  },
  {
    name: 'an upgrade elsewhere',
    parts: [
      get(
        '/api/v1/sessions',
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
      ),
    ],
    statuses: [[404], [401], [400]],
  },
  {
    name: 'a frame of no known kind',
    parts: [
      get(
        '/ws',
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
      ),
      Buffer.from([0xff, 0xff, 0x00, 0x01, 0x02, 0x03]),
    ],
    statuses: [[101]],
  },
];

/** What is wrong with how the service took the bytes; undefined: nothing. */
export const rawFault = async (
  base: string,
  { parts, statuses, end = false }: RawCase,
): Promise<string | undefined> => {
  const { text, statuses: got } = await talk(base, parts, end);
  if (got.some((status) => status >= 500 && status !== 501 && status !== 505)) return `status ${got.join()}`;
  if (!statuses.some((wanted) => wanted.join() === got.join()))
    return `statuses ${got.join() || 'none'} instead of ${statuses.map((wanted) => wanted.join() || 'none').join(' or ')}`;
  const shown = /\bat .{1,60}:\d+:\d+|node_modules|node:internal|\.ts:\d+|Error: /.exec(text)?.[0];
  return shown === undefined ? undefined : `shows its insides: ${shown}`;
};
