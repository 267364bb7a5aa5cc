import { connect, type Socket } from 'node:net';

/** What a benchmark looks at of an answer. */
export type Answer = {
  readonly status: number;
  /** Log position of what the command stored; 0 when the answer names none. */
  readonly position: number;
  /** Bytes of the body. */
  readonly bytes: number;
  readonly body: () => string;
};

/**
 * One kept-alive HTTP/1.1 connection that sends a ready-made request and waits for its answer. It looks at no more of
 * an answer than it must: the load shall cost less than what it measures.
 */
export type Connection = {
  readonly send: (request: string) => Promise<Answer>;
  readonly close: () => void;
};

const HEAD_END = '\r\n\r\n';
const numberAfter = (head: string, name: string): number => {
  const at = head.indexOf(name);
  return at < 0 ? 0 : Number.parseInt(head.slice(at + name.length), 10);
};

/** Opens a connection to the host and port of an address. Rejects what is being sent when it breaks. */
export const openConnection = async (url: string): Promise<Connection> => {
  const { hostname, port } = new URL(url);
  const socket = await new Promise<Socket>((resolve, fail) => {
    const opening = connect(Number(port), hostname, () => resolve(opening));
    opening.once('error', fail);
  });
  socket.setNoDelay(true);
  let waiting: { readonly resolve: (answer: Answer) => void; readonly fail: (error: Error) => void } | undefined;
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
    const end = received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = received.slice(0, end + 2).toLowerCase();
    const bytes = numberAfter(head, '\r\ncontent-length: ');
    const from = end + HEAD_END.length;
    if (received.length < from + bytes) return;
    const text = received.slice(from, from + bytes);
    received = received.slice(from + bytes);
    const status = Number.parseInt(head.slice(9, 12), 10);
    const position = numberAfter(head, '\r\nconsistency-token: ');
    const answered = waiting;
    waiting = undefined;
    answered?.resolve({ status, position, bytes, body: () => Buffer.from(text, 'latin1').toString('utf8') });
  });
  const broken = (error: Error): void => {
    waiting?.fail(error);
    waiting = undefined;
  };
  socket.on('error', broken);
  socket.on('close', () => broken(new Error('The server closed the connection')));
  return {
    send: (request) =>
      new Promise((resolve, fail) => {
        if (waiting !== undefined) return fail(new Error('One request at a time'));
        waiting = { resolve, fail };
        socket.write(request, 'utf8');
      }),
    close: () => socket.destroy(),
  };
};

/** A request as it goes over the wire. */
export const requestText = (
  method: string,
  path: string,
  {
    token,
    body,
    from,
  }: {
    readonly token?: string;
    readonly body?: unknown;
    /** The address that a proxy would say it comes from. */
    readonly from?: string;
  } = {},
): string => {
  const text = body === undefined ? '' : JSON.stringify(body);
  return [
    `${method} ${path} HTTP/1.1`,
    'host: localhost',
    ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    ...(from === undefined ? [] : [`x-forwarded-for: ${from}`]),
    ...(body === undefined ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(text)}`]),
    '',
    text,
  ].join('\r\n');
};
