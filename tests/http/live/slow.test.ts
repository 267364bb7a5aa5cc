import { EventEmitter, once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { defaultLimits } from '../../../src/http/live/limits.ts';
import { eventually } from '../../support/service.ts';
import { liveServer } from './server.ts';

const TEXT_BYTES = 60_000;
/** More than the systems at both ends keep for a connection, and what the service keeps, taken together. */
const MESSAGES = 400;

/** A server, and how to tell its clients more than they take. */
const setUp = async (t: Test) => {
  const served = await liveServer(t);
  const { live, log } = served;
  let most = 0;
  /** Appends until nobody listens any more, and keeps what waits in the service at most. */
  const flood = async (unread: () => number): Promise<number> => {
    let appended = 0;
    for (; appended < MESSAGES && live.hub.listeners() > 0; appended += 1) {
      const position = log.append('room-a', 'Said', { text: `${appended} `.padEnd(TEXT_BYTES, 'x') });
      while (live.hub.position() < position) await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, unread());
    }
    return appended;
  };
  return { ...served, flood, most: () => most };
};

const subscribed = async (url: string) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?ticket=one`);
  const texts: string[] = [];
  const heard = new EventEmitter();
  socket.on('message', (data) => {
    texts.push(String(data));
    heard.emit('heard');
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'subscribe', topic: 'room:a' }));
  while (!texts.some((text) => text.includes('"subscribed"'))) await once(heard, 'heard');
  return { socket, texts, heard, closed };
};

t.test('a WebSocket that does not read', async (t) => {
  const { app, live, url, flood, most, clients } = await setUp(t);
  const { socket, texts, closed } = await subscribed(url);
  t.match(await clients(), /transport="websocket"} 1$/);
  const [server] = app.websocketServer.clients;
  socket.pause();
  const appended = await flood(() => server?.bufferedAmount ?? 0);
  t.ok(appended < MESSAGES, `is dropped after ${appended} messages`);
  t.equal(live.hub.listeners(), 0);
  t.equal(live.connections(), 0, 'and its place is free');
  t.ok(most() > 0, 'something waited');
  t.ok(most() <= defaultLimits.unreadBytes + 2 * TEXT_BYTES, `${most()} bytes waited at most`);
  socket.resume();
  t.strictSame(await closed, { code: 4408, reason: 'reading too slowly' }, 'and is told why, if it ever reads');
  const read = texts.filter((text) => text.includes('room:said'));
  t.ok(read.length >= appended - 1, 'what was sent before is whole');
  t.match(await eventually(clients, (text) => text.endsWith(' 0')), /transport="websocket"} 0$/);
});

t.test('a WebSocket that reads at its leisure gets everything', async (t) => {
  const { live, url, log } = await setUp(t);
  const seen = log.append('room-a', 'Said', { text: 'seen' });
  for (let n = 0; n < MESSAGES; n += 1) log.append('room-a', 'Said', { text: `${n} `.padEnd(TEXT_BYTES, 'x') });
  const { socket, texts, heard } = await subscribed(url);
  let most = 0;
  socket.send(JSON.stringify({ type: 'subscribe', topic: 'room:a', after: String(seen) }));
  const said = () => texts.filter((text) => text.includes('room:said'));
  while (said().length < MESSAGES) {
    await once(heard, 'heard');
    // 24 MB, more than could wait for it at once.
    if (said().length % 50 === 1) {
      socket.pause();
      for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, said().length);
      socket.resume();
    }
  }
  t.ok(most < MESSAGES, 'it was paused on the way');
  t.strictSame(
    said().map((text) => Number.parseInt(JSON.parse(text).data.text, 10)),
    Array.from({ length: MESSAGES }, (_, n) => n),
  );
  t.equal(live.hub.listeners(), 1);
  socket.close();
});

t.test('a stream that is not read', async (t) => {
  const { live, url, flood, clients } = await setUp(t);
  const request = get(`${url}/live?topics=room:a&ticket=one`, { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  t.equal(response.statusCode, 200);
  response.pause();
  while (live.hub.listeners() === 0) await new Promise((resolve) => setImmediate(resolve));
  const appended = await flood(() => 0);
  t.ok(appended < MESSAGES, `is dropped after ${appended} messages`);
  t.equal(live.connections(), 0);
  const cut = new Promise((resolve) => response.on('close', resolve));
  response.on('error', () => undefined);
  response.resume();
  await cut;
  t.notOk(response.complete, 'and is cut off');
  t.match(await eventually(clients, (text) => text.endsWith(' 0')), /transport="sse"} 0$/);
});

t.test('a client that does not answer the good-bye', async (t) => {
  const { app, url } = await setUp(t);
  const { socket, closed } = await subscribed(url);
  socket.pause();
  const began = performance.now();
  await app.close();
  const took = performance.now() - began;
  // By itself the library waits for half a minute.
  t.ok(took < 10_000, `does not hold up the stop: ${Math.round(took)} ms`);
  socket.resume();
  t.match(await closed, { code: 1001 });
});
