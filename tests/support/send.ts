import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** Connections stay open between requests; idle ones do not keep a test from ending. */
const agent = new Agent({ keepAlive: true });

/** What is sent. Without a body none is announced. */
type Sending = {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
};

/** What came back, redirects included: they are not followed. */
type Sent = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string };

/**
 * Sends one request and reads the whole answer, which is asked for uncompressed. For tests that send thousands: under
 * the hooks of the test runner, which see every promise, `fetch` costs several times as much. Rejects when the connection
 * fails.
 */
export const send = (url: string, { method, headers, body }: Sending): Promise<Sent> =>
  new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sending = request(url, { method, agent, headers: { ...length, ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    sending.on('error', reject);
    sending.end(body);
  });
