import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { eventually, testService } from '../support/service.ts';

const tour = await readFile(new URL('../../docs/tours/estimation.md', import.meta.url), 'utf8');
const html = /```html\n([\s\S]+?)```/.exec(tour)?.[1] ?? '';

/** The page of the tour, opened: what stands in it, and a way to press its buttons. */
type Page = {
  readonly text: (id: string) => Promise<string>;
  readonly press: (label: string) => Promise<void>;
  readonly pressable: () => Promise<readonly string[]>;
};

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** In a real browser, driven by its own protocol. */
const inChromium = async (t: Test, program: string, folder: string, address: string): Promise<Page> => {
  const child = spawn(
    program,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.teardown(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const endpoint = await new Promise<string>((resolve, reject) => {
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += chunk;
      const found = /DevTools listening on (ws:\S+)/.exec(told)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`The browser ended: ${told.slice(-500)}`)));
  });
  const socket = new WebSocket(endpoint);
  await once(socket, 'open');
  t.teardown(() => socket.terminate());
  const answers = new EventEmitter();
  socket.on('message', (data) => {
    const { id, result, error } = JSON.parse(String(data));
    if (id !== undefined) answers.emit(String(id), error ?? result);
  });
  let count = 0;
  const command = async (method: string, params: object, sessionId?: string) => {
    count += 1;
    const id = count;
    const answered = once(answers, String(id));
    socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    return (await answered)[0];
  };
  const { targetId } = await command('Target.createTarget', { url: address });
  const { sessionId } = await command('Target.attachToTarget', { targetId, flatten: true });
  const evaluate = async (expression: string) =>
    (await command('Runtime.evaluate', { expression, returnByValue: true }, sessionId)).result?.value;
  return {
    text: async (id) => (await evaluate(`document.getElementById('${id}')?.textContent ?? ''`)) ?? '',
    press: (label) =>
      evaluate(`[...document.querySelectorAll('button')].find((one) => one.textContent === '${label}').click()`),
    pressable: async () =>
      (await evaluate(`[...document.querySelectorAll('button:enabled')].map((one) => one.textContent)`)) ?? [],
  };
};

type Button = { textContent: string; disabled: boolean; onclick: () => unknown };
type Shown = { textContent: string; children: readonly Button[]; replaceChildren: (...children: Button[]) => void };

/** Where there is no browser: its script alone, with as much of a document as it touches. */
const withoutBrowser = async (t: Test, folder: string, address: string): Promise<Page> => {
  const shown = new Map<string, Shown>();
  const element = (id: string): Shown => {
    const known = shown.get(id);
    if (known !== undefined) return known;
    const fresh: Shown = {
      textContent: '',
      children: [],
      replaceChildren: (...children) => {
        fresh.children = children;
      },
    };
    shown.set(id, fresh);
    return fresh;
  };
  const sockets: globalThis.WebSocket[] = [];
  class Followed extends globalThis.WebSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  const script = /<script type="module">([\s\S]+?)<\/script>/.exec(html)?.[1] ?? '';
  const file = join(folder, 'page.mjs');
  await writeFile(file, `export const run = ({ document, location, WebSocket }) => {${script}};`);
  const { run } = (await import(pathToFileURL(file).href)) as { run: (globals: object) => void };
  run({
    document: { getElementById: element, createElement: () => ({}) },
    location: new URL(address),
    WebSocket: Followed,
  });
  t.teardown(() => {
    for (const socket of sockets) {
      socket.onclose = null;
      socket.close();
    }
  });
  const buttons = (): readonly Button[] => element('cards').children;
  return {
    text: async (id) => element(id).textContent,
    press: async (label) => {
      await buttons()
        .find(({ textContent }) => textContent === label)
        ?.onclick();
    },
    pressable: async () => buttons().flatMap(({ textContent, disabled }) => (disabled ? [] : [textContent])),
  };
};

t.test('the page of the estimation tour', async (t) => {
  const files = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(html);
  }).listen(0, '127.0.0.1');
  await once(files, 'listening');
  t.teardown(() => files.close());
  const bound = files.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('No port');
  const origin = `http://127.0.0.1:${bound.port}`;
  const service = await testService(t, { CORS_ORIGINS: origin });
  const [fay, vic] = [await service.user('Fay'), await service.user('Vic')];
  t.ok(html.split('\n').length <= 50, 'is short');

  const plays = async (t: Test, open: (address: string) => Promise<Page>): Promise<void> => {
    const { id } = (await fay.post('/sessions', { name: 'Sprint' })).body.data;
    await vic.post(`/sessions/${id}/join`);
    const { id: storyId } = (await fay.post(`/sessions/${id}/stories`, { title: 'Log in by e-mail' })).body.data;
    const on = `/sessions/${id}/stories/${storyId}`;
    const page = await open(
      `${origin}/vote.html#${new URLSearchParams({ api: service.api, session: id, token: vic.token ?? '' })}`,
    );
    const reads = (id: string, text: string) =>
      eventually(
        () => page.text(id),
        (found) => found === text,
      );

    await reads('people', 'Fay, Vic');
    t.equal(await page.text('story'), 'No story yet');
    t.strictSame(await page.pressable(), []);
    await fay.post(`${on}/open`);
    await reads('story', 'Log in by e-mail');
    await eventually(page.pressable, (labels) => labels.length === 9);
    await fay.put(`${on}/vote`, { value: '13' });
    await reads('people', 'Fay ✓, Vic');
    await page.press('5');
    await reads('people', 'Fay ✓, Vic ✓');
    await eventually(page.pressable, (labels) => labels.length === 8 && !labels.includes('5'));
    t.equal(await page.text('result'), '', 'no card before the reveal');
    await fay.post(`${on}/reveal`);
    await reads('result', '13 5');
    t.strictSame(await page.pressable(), []);
  };
  t.test('plays, by its script alone', async (t) => plays(t, (address) => withoutBrowser(t, service.dataDir, address)));
  if (CHROMIUM !== undefined)
    t.test('plays in a browser', async (t) =>
      plays(t, (address) => inChromium(t, CHROMIUM, join(service.dataDir, 'browser'), address)),
    );
});
