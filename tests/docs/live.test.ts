import { EventEmitter, once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { closeCodes, defaultLimits } from '../../src/http/live/limits.ts';
import { testService } from '../support/service.ts';

type Message = { readonly event: string; readonly seq?: string; readonly data: { readonly title?: string } };
type Follow = (
  base: string,
  topic: string,
  on: {
    readonly token: () => Promise<string>;
    readonly onMessage: (message: Message) => void;
    readonly onAfresh: () => void;
  },
) => () => void;

const page = await readFile(new URL('../../docs/live.md', import.meta.url), 'utf8');

/** Passes connections on, until they are cut. */
const wire = async (target: string) => {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const service = connect(Number(port), hostname);
    for (const [one, other] of [
      [client, service],
      [service, client],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('No port');
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  const stop = (): void => {
    cut();
    server.close();
  };
  return { url: `http://127.0.0.1:${address.port}`, cut, stop };
};

t.test('the client of the page misses nothing when its connection is cut', async (t) => {
  const service = await testService(t);
  const [fay, vic] = [await service.user('Fay'), await service.user('Vic')];
  const { id } = (await fay.post('/sessions', { name: 'Sprint' })).body.data;
  await vic.post(`/sessions/${id}/join`, {});
  const code = /```js\n([\s\S]+?)```/.exec(page)?.[1] ?? '';
  t.ok(code.split('\n').length <= 40, 'and is short');
  const file = join(service.dataDir, 'client.mjs');
  await writeFile(file, code);
  const { follow } = (await import(pathToFileURL(file).href)) as { follow: Follow };

  const { url, cut, stop } = await wire(service.url);
  const told = new EventEmitter();
  const titles: (string | undefined)[] = [];
  let afresh = 0;
  const end = follow(url, `session:${id}`, {
    token: async () => vic.token ?? '',
    onMessage: ({ event, data }) => {
      if (event === 'session:story-changed') titles.push(data.title);
      told.emit('told');
    },
    onAfresh: () => {
      afresh += 1;
      told.emit('told');
    },
  });
  while (afresh === 0) await once(told, 'told');
  const wanted = Array.from({ length: 9 }, (_, n) => `Story ${n}`);
  for (const [n, title] of wanted.entries()) {
    if (n % 3 === 1) cut();
    await fay.post(`/sessions/${id}/stories`, { title });
    if (n % 3 === 2) while (titles.length <= n) await once(told, 'told');
  }
  t.strictSame(titles, wanted);
  t.equal(afresh, 1);
  end();
  stop();
});

t.test('the page names every close code and limit', async (t) => {
  const codes = [...page.matchAll(/^\| (\d{4}) \|/gm)].map(([, code]) => Number(code));
  t.strictSame(new Set(codes), new Set(Object.values(closeCodes)));
  for (const text of [
    `${defaultLimits.connectionsPerAccount} over all nodes`,
    `${defaultLimits.strangersPerAddress} on each node`,
    `${defaultLimits.messageBytes / 1024} KB`,
    `${defaultLimits.unreadBytes / 1_048_576} MB`,
    `${defaultLimits.replayedMessages} of a topic`,
    `closed after ${defaultLimits.silence / 1000} seconds`,
    `ping every ${defaultLimits.pingEvery / 1000} seconds`,
    `after ${defaultLimits.authWithin / 1000} seconds is closed`,
  ])
    t.match(page.replaceAll('\n', ' '), text);
});
