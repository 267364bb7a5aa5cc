import { DemoFailed } from './client.ts';

/** A message as it came over the WebSocket, and when. */
export type LiveMessage = {
  readonly type?: string;
  readonly event?: string;
  readonly topic?: string;
  readonly seq?: string;
  readonly code?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly receivedAt: number;
};

export type Socket = {
  readonly messages: readonly LiveMessage[];
  /** Everything received so far, as text. */
  readonly text: () => string;
  readonly say: (message: object) => void;
  /** The first message that fits, waited for at most 10 s. Throws DemoFailed. */
  readonly heard: (what: string, fits: (message: LiveMessage) => boolean) => Promise<LiveMessage>;
  readonly close: () => Promise<void>;
};

/** Connects and logs in. */
export const connect = async (base: string, token: string): Promise<Socket> => {
  const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/ws`);
  const messages: LiveMessage[] = [];
  let text = '';
  let told = Promise.withResolvers<void>();
  socket.addEventListener('message', ({ data }) => {
    text += String(data);
    messages.push({ ...(JSON.parse(String(data)) as object), receivedAt: performance.now() });
    told.resolve();
    told = Promise.withResolvers();
  });
  const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new DemoFailed('The WebSocket cannot be opened')));
  });
  const heard: Socket['heard'] = async (what, fits) => {
    const late = AbortSignal.timeout(10_000);
    const overdue = new Promise<never>((_, reject) =>
      late.addEventListener('abort', () => reject(new DemoFailed(`Not heard within 10 s: ${what}`))),
    );
    overdue.catch(() => {});
    for (;;) {
      const found = messages.find(fits);
      if (found !== undefined) return found;
      await Promise.race([told.promise, overdue]);
    }
  };
  socket.send(JSON.stringify({ type: 'auth', token }));
  await heard('the login', ({ type }) => type === 'auth:ok');
  return {
    messages,
    text: () => text,
    say: (message) => socket.send(JSON.stringify(message)),
    heard,
    close: async () => {
      socket.close();
      await closed;
    },
  };
};

/** Subscribes to a topic, behind a message or from now on. */
export const subscribe = async (socket: Socket, topic: string, after?: string): Promise<LiveMessage> => {
  const before = socket.messages.length;
  socket.say({ type: 'subscribe', topic, ...(after === undefined ? {} : { after }) });
  return socket.heard(
    `the subscription to ${topic}`,
    (message) => message.topic === topic && message.type === 'subscribed' && socket.messages.indexOf(message) >= before,
  );
};
