import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

/** Told of every message with its place in the log and the time at which it was read. */
export type Heard = (seq: string, at: number) => void;
/** Opens a live connection that is subscribed to a topic once this is done; what comes back closes it. */
export type Listens = (url: string, token: string, topic: string, heard: Heard) => Promise<() => void>;

const seqOf = (text: string): string | undefined => /"seq":"(\d+)"/.exec(text)?.[1];
const isMessage = (text: string): boolean => text.includes('"event":');

const webSocket: Listens = async (url, token, topic, heard) => {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'auth', token }));
  socket.send(JSON.stringify({ type: 'subscribe', topic }));
  await new Promise<void>((resolve, fail) => {
    socket.on('message', (data) => {
      const at = performance.now();
      const text = String(data);
      if (text.includes('"subscribed"')) resolve();
      const seq = isMessage(text) ? seqOf(text) : undefined;
      if (seq !== undefined) heard(seq, at);
    });
    socket.on('close', (code) => fail(new Error(`Closed with ${code}`)));
    socket.on('error', fail);
  });
  return () => socket.terminate();
};

const serverSentEvents: Listens = async (url, token, topic, heard) => {
  const request = get(`${url}/api/v1/live?topics=${topic}`, {
    agent: false,
    headers: { authorization: `Bearer ${token}` },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`Refused: ${response.statusCode}`);
  response.setEncoding('utf8');
  let rest = '';
  await new Promise<void>((resolve, fail) => {
    response.on('data', (chunk: string) => {
      const at = performance.now();
      const blocks = `${rest}${chunk}`.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        if (block.includes('"subscribed"')) resolve();
        const seq = isMessage(block) ? seqOf(block) : undefined;
        if (seq !== undefined) heard(seq, at);
      }
    });
    response.on('close', () => fail(new Error('The stream ended')));
  });
  return () => request.destroy();
};

/** The kinds of live connections, by the names that reports give them. */
export const listeners = { WebSocket: webSocket, 'server-sent events': serverSentEvents } as const;
