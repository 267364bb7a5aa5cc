import { EventEmitter, once } from 'node:events';
import { WebSocket } from 'ws';

/** A message of the service, whichever kind. `data` is empty where there is none. */
export type Heard = {
  readonly type?: string;
  readonly event?: string;
  readonly topic?: string;
  readonly seq?: string;
  readonly at?: string;
  readonly code?: string;
  readonly data: Readonly<Record<string, unknown>>;
};

const parsed = (text: string): Heard => ({ data: {}, ...(JSON.parse(text) as Partial<Heard>) });

/** A WebSocket as a client sees it. */
export type Socket = {
  readonly heard: readonly Heard[];
  readonly say: (message: unknown) => void;
  /** Waits for the first message that fits. */
  readonly until: (fits: (message: Heard) => boolean) => Promise<Heard>;
  readonly subscribe: (topic: string, after?: string) => Promise<Heard>;
  readonly closed: Promise<number>;
  readonly close: () => Promise<number>;
};

/** Opens a WebSocket; rejects with the HTTP status when it is refused. `token` logs in at once. */
export const openSocket = async (
  url: string,
  {
    token,
    origin,
    query = '',
  }: { readonly token?: string | undefined; readonly origin?: string; readonly query?: string } = {},
): Promise<Socket> => {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws${query}`, origin === undefined ? {} : { origin });
  const told = new EventEmitter();
  const heard: Heard[] = [];
  socket.on('message', (data) => {
    heard.push(parsed(String(data)));
    told.emit('told');
  });
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      reject(new Error(String(response.statusCode)));
    });
    socket.on('error', reject);
  });
  const say = (message: unknown): void => socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  const until: Socket['until'] = async (fits) => {
    for (;;) {
      const found = heard.find(fits);
      if (found !== undefined) return found;
      await once(told, 'told');
    }
  };
  if (token !== undefined) {
    say({ type: 'auth', token });
    await until(({ type }) => type === 'auth:ok');
  }
  return {
    heard,
    say,
    until,
    subscribe: (topic, after) => {
      const before = heard.length;
      say({ type: 'subscribe', topic, ...(after === undefined ? {} : { after }) });
      return until(
        (message) => message.type !== undefined && message.topic === topic && heard.indexOf(message) >= before,
      );
    },
    closed,
    close: () => {
      socket.close();
      return closed;
    },
  };
};

/** One server-sent event. */
export type Sent = { readonly event: string; readonly id: string | undefined; readonly data: Heard };

/** Reads server-sent events. `next` waits for the first that fits. */
export const openStream = async (url: string, headers: Record<string, string>) => {
  const ending = new AbortController();
  const response = await fetch(url, { headers, signal: ending.signal });
  const events: Sent[] = [];
  const told = new EventEmitter();
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field('data');
        if (data !== undefined) events.push({ event: field('event') ?? '', id: field('id'), data: parsed(data) });
        told.emit('told');
      }
    }
  };
  const ended = read().catch(() => {});
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    events,
    ended,
    next: async (fits: (sent: Sent) => boolean): Promise<Sent> => {
      for (;;) {
        const found = events.find(fits);
        if (found !== undefined) return found;
        await once(told, 'told');
      }
    },
    close: () => {
      ending.abort();
      return ended;
    },
  };
};
