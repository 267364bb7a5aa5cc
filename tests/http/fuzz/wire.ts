import { Agent, type IncomingMessage, request as open } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Operation } from './document.ts';

/** A request as it goes over the wire. */
export type Sent = {
  /** Whose login it carries. */
  readonly as: string;
  readonly method: string;
  /** Path and query, to the byte. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer;
  /** Without a length, in chunks. */
  readonly chunked?: boolean;
  /** Where it was aimed at; undefined: no route is there, or perhaps not. */
  readonly operation: Operation | undefined;
};

export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Undefined when it is no JSON. */
  readonly json: unknown;
};

/** Milliseconds that an answer may take. Some wait two seconds for a read model. */
const PATIENCE = 15_000;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** The first events of a stream that never ends by itself. */
const textOf = async (message: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  const endless = String(message.headers['content-type']).startsWith('text/event-stream');
  for await (const chunk of message) {
    chunks.push(chunk as Buffer);
    if (endless) break;
  }
  const bytes = Buffer.concat(chunks);
  return (message.headers['content-encoding'] === 'gzip' && bytes.length > 0 ? gunzipSync(bytes) : bytes).toString(
    'utf8',
  );
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Sends a request and waits for all of its answer. Throws when the connection ends without one. */
export const send = (base: string, { method, path, headers, body, chunked }: Sent): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const framing = chunked
      ? (['transfer-encoding', 'chunked'] as const)
      : (['content-length', String(body?.length)] as const);
    const given = new Map<string, string[]>();
    for (const [name, value] of [...(body === undefined ? [] : [framing]), ...headers])
      given.set(name, [...(given.get(name) ?? []), value]);
    const outgoing = open({ hostname, port, method, path, agent, timeout: PATIENCE });
    for (const [name, values] of given) outgoing.setHeader(name, values.length === 1 ? (values[0] ?? '') : values);
    outgoing.on('response', (message) => {
      textOf(message).then(
        (text) => resolve({ status: message.statusCode ?? 0, headers: message.headers, text, json: parsed(text) }),
        reject,
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`No answer within ${PATIENCE} ms`)));
    outgoing.on('error', reject);
    if (body !== undefined) outgoing.write(body);
    outgoing.end();
  });

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const LONG = 4_000;

/** The request for a shell, with the token left as a variable named after its owner. */
export const curlOf = (base: string, { as, method, path, headers, body, chunked }: Sent): string => {
  const shown = headers.map(
    ([name, value]) => `-H ${quoted(`${name}: ${value.replace(/^Bearer ey\S+/, `Bearer <${as}>`)}`)}`,
  );
  const printable = body === undefined || /^[\t\n\r -~]*$/.test(body.toString('latin1'));
  const data =
    body === undefined
      ? []
      : printable && body.length < LONG
        ? [`--data-binary ${quoted(body.toString())}`]
        : [`--data-binary @<(echo ${body.toString('base64').slice(0, LONG)} | base64 -d) # ${body.length} bytes`];
  return [
    `curl -i --path-as-is -X ${method} ${quoted(`${base}${path}`)}`,
    ...shown,
    ...(chunked ? ["-H 'transfer-encoding: chunked'"] : []),
    ...data,
  ].join(' ');
};
