import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Bench, Context, Row } from './bench.ts';
import { openConnection, requestText } from './service/connection.ts';
import { type Running, runService, settled } from './service/process.ts';
import { tokenOf } from './service/secrets.ts';
import { each, loggedIn, providerWith, seed } from './service/seed.ts';

const CONNECTIONS = 2_000;
/** As many as an account may have. */
const EACH = 5;
/** Longer than it takes until every connection was pinged once. */
const IDLE_MS = 35_000;
const MOST_MB = 300;
const MB = 1_048_576;

/** An open connection, subscribed. `told` settles with the time of the next message after it was asked for. */
type Listener = { readonly told: () => Promise<number>; readonly close: () => void };
type Opens = (url: string, token: string, topic: string) => Promise<Listener>;

const isMessage = (text: string): boolean => text.includes('"event":');

const webSocket: Opens = async (url, token, topic) => {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'auth', token }));
  socket.send(JSON.stringify({ type: 'subscribe', topic }));
  await new Promise<void>((resolve, fail) => {
    socket.on('message', (data) => {
      if (String(data).includes('"subscribed"')) resolve();
    });
    socket.on('close', (code) => fail(new Error(`Closed with ${code}`)));
    socket.on('error', fail);
  });
  return {
    told: () =>
      new Promise((resolve) =>
        socket.on('message', (data) => {
          if (isMessage(String(data))) resolve(performance.now());
        }),
      ),
    close: () => socket.terminate(),
  };
};

const serverSentEvents: Opens = async (url, token, topic) => {
  const request = get(`${url}/api/v1/live?topics=${topic}`, {
    agent: false,
    headers: { authorization: `Bearer ${token}` },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`Refused: ${response.statusCode}`);
  response.setEncoding('utf8');
  await new Promise<void>((resolve) => {
    response.on('data', (text: string) => {
      if (text.includes('"subscribed"')) resolve();
    });
  });
  return {
    told: () =>
      new Promise((resolve) =>
        response.on('data', (text: string) => {
          if (isMessage(text)) resolve(performance.now());
        }),
      ),
    close: () => request.destroy(),
  };
};

const figure = (text: string, name: string): number =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);

/** What the service says of its own memory, in MB. */
const memoryOf = async ({ url }: Running): Promise<{ readonly rss: number; readonly heap: number }> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return {
    rss: figure(text, 'process_resident_memory_bytes') / MB,
    heap: figure(text, 'nodejs_heap_size_used_bytes') / MB,
  };
};

const measured = async (
  { database, folder, sized, says }: Context,
  name: string,
  open: Opens,
): Promise<{ readonly rows: readonly Row[]; readonly idle: number }> => {
  const { connectionString, drop } = await database();
  const count = sized(CONNECTIONS);
  const tokens: string[] = [];
  let provider: Awaited<ReturnType<typeof providerWith>> | undefined;
  await seed(connectionString, async (append) => {
    provider = await providerWith(append, 1, 0);
    await each(
      Array.from({ length: Math.ceil(count / EACH) }, (_, number) => number),
      async (number) => void tokens.push(tokenOf(await loggedIn(append, 'free', number))),
    );
  });
  const topic = `availability:${provider?.login.accountId}`;
  const service = await runService(connectionString, join(folder, name.replace(/\W/g, '-')));
  try {
    await settled(connectionString);
    await pause(5_000);
    const before = await memoryOf(service);
    says(`connections: opening ${count}, ${name}; ${before.rss.toFixed(0)} MB before`);
    const listeners: Listener[] = [];
    const began = performance.now();
    await each(
      Array.from({ length: count }, (_, number) => number),
      async (number) => void listeners.push(await open(service.url, tokens[Math.floor(number / EACH)] ?? '', topic)),
    );
    const opening = performance.now() - began;
    const opened = await memoryOf(service);
    await pause(IDLE_MS);
    const idle = await memoryOf(service);

    const connection = await openConnection(service.url);
    const told = Promise.all(listeners.map((listener) => listener.told()));
    const slotId = provider?.slots.at(-1)?.slotId;
    const token = tokens[0] ?? '';
    const booked = performance.now();
    const answer = await connection.send(requestText('POST', '/api/v1/appointments', { token, body: { slotId } }));
    if (answer.status !== 201) throw new Error(`Refused: ${answer.status} ${answer.body()}`);
    const last = Math.max(...(await told)) - booked;
    connection.close();
    for (const { close } of listeners) close();
    const rows: Row[] = [
      { who: name, metric: 'memory before', value: before.rss, unit: 'MB' },
      { who: name, metric: `memory with ${count} just opened`, value: opened.rss, unit: 'MB' },
      { who: name, metric: `memory with ${count} idle`, value: idle.rss, unit: 'MB' },
      { who: name, metric: `heap with ${count} idle`, value: idle.heap, unit: 'MB' },
      { who: name, metric: 'memory of each', value: ((idle.rss - before.rss) * 1024) / count, unit: 'kB' },
      { who: name, metric: 'opening', value: count / (opening / 1000), unit: 'connections/s' },
      { who: name, metric: `from the command to the last of ${count}`, value: last, unit: 'ms' },
    ];
    return { rows, idle: idle.rss };
  } finally {
    await service.stop();
    await drop();
  }
};

/** What a live connection costs that nothing happens on. */
export const connections: Bench = {
  name: 'connections',
  title: '2,000 idle live connections: memory of the service, WebSocket and server-sent events',
  run: async (context) => {
    const sockets = await measured(context, 'WebSocket', webSocket);
    const streams = await measured(context, 'server-sent events', serverSentEvents);
    return {
      rows: [...sockets.rows, ...streams.rows],
      ratios: {},
      goals: [
        { name: 'memory with 2,000 idle WebSockets', value: sockets.idle, unit: 'MB', atMost: MOST_MB },
        { name: 'memory with 2,000 idle streams', value: streams.idle, unit: 'MB', atMost: MOST_MB },
      ],
    };
  },
};
