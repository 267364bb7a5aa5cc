import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Context, Row } from './bench.ts';
import { openConnection, requestText } from './service/connection.ts';
import { type Listens, listeners } from './service/listeners.ts';
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

const listen = async (listens: Listens, ...to: readonly [url: string, token: string, topic: string]) => {
  let hear = (_at: number): void => {};
  const close = await listens(...to, (_seq, at) => hear(at));
  const told = (): Promise<number> =>
    new Promise((resolve) => {
      hear = resolve;
    });
  return { told, close } satisfies Listener;
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
  listens: Listens,
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
    const open: Listener[] = [];
    const began = performance.now();
    await each(
      Array.from({ length: count }, (_, number) => number),
      async (number) =>
        void open.push(await listen(listens, service.url, tokens[Math.floor(number / EACH)] ?? '', topic)),
    );
    const opening = performance.now() - began;
    const opened = await memoryOf(service);
    await pause(IDLE_MS);
    const idle = await memoryOf(service);

    const connection = await openConnection(service.url);
    const told = Promise.all(open.map((listener) => listener.told()));
    const slotId = provider?.slots.at(-1)?.slotId;
    const token = tokens[0] ?? '';
    const booked = performance.now();
    const answer = await connection.send(requestText('POST', '/api/v1/appointments', { token, body: { slotId } }));
    if (answer.status !== 201) throw new Error(`Refused: ${answer.status} ${answer.body()}`);
    const last = Math.max(...(await told)) - booked;
    connection.close();
    for (const { close } of open) close();
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
    const sockets = await measured(context, 'WebSocket', listeners.WebSocket);
    const streams = await measured(context, 'server-sent events', listeners['server-sent events']);
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
