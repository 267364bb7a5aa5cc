import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type Client, eventually, testService } from '../../support/service.ts';
import { openSocket, openStream } from './client.ts';

/** What a login that has ended may still see of the world. */
const WITHIN_MS = 1_000;

t.test('live connections over two nodes', async (t) => {
  const service = await testService(t);
  const other = await service.secondNode();
  const nodes = [service.url, other.url] as const;
  const [fay, vic] = [await service.user('Fay'), await service.user('Vic')];
  const topicOfNobody = `availability:${randomUUID()}`;
  const ticketOf = async (person: Client): Promise<string> => (await person.post('/live/tickets', {})).body.data.ticket;

  /** Opens a connection and says with what code it ended, or that it is open. */
  const attempt = async (url: string, login: { token?: string; ticket?: string }) => {
    const { token, ticket } = login;
    const socket = await openSocket(url, ticket === undefined ? {} : { query: `?ticket=${ticket}` });
    if (token !== undefined) socket.say({ type: 'auth', token });
    const code = await Promise.race([socket.closed, socket.until(({ type }) => type === 'auth:ok').then(() => 'open')]);
    return { socket, code };
  };

  t.test('by ticket', async (t) => {
    t.test('log in once, on whichever node', async (t) => {
      const answer = await fay.post('/live/tickets', {});
      t.equal(answer.status, 201);
      t.equal(answer.headers.get('cache-control'), 'no-store');
      const { ticket, expiresAt } = answer.body.data;
      const left = Date.parse(expiresAt) - Date.now();
      t.ok(left > 20_000 && left <= 31_000, `for 30 s, not ${left} ms`);
      const first = await attempt(other.url, { ticket });
      t.equal(first.code, 'open');
      t.match(await first.socket.subscribe(topicOfNobody), { type: 'subscribed' });
      for (const url of nodes) t.equal((await attempt(url, { ticket })).code, 4401, 'and never again');
      await first.socket.close();
      t.notMatch(
        JSON.stringify((await service.pool.query('select * from convene.live_tickets')).rows),
        ticket,
        'and are not kept in the clear',
      );
    });

    t.test('let one in, however many come at once', async (t) => {
      for (let round = 0; round < 5; round += 1) {
        const ticket = await ticketOf(fay);
        const attempts = await Promise.all(
          Array.from({ length: 10 }, (_, n) => attempt(nodes[n % 2] ?? '', { ticket })),
        );
        t.equal(attempts.filter(({ code }) => code === 'open').length, 1);
        await Promise.all(attempts.map(({ socket }) => socket.close()));
      }
    });

    t.test('open streams without a header', async (t) => {
      const ticket = await ticketOf(fay);
      const path = `/api/v1/live?topics=${topicOfNobody}&ticket=${ticket}`;
      const stream = await openStream(`${other.url}${path}`, {});
      t.equal(stream.status, 200);
      await stream.next(({ event }) => event === 'subscribed');
      await stream.close();
      for (const url of nodes) t.equal((await fetch(`${url}${path}`)).status, 401);
    });

    t.test('are worth nothing when they are old, or their login has ended', async (t) => {
      const old = await ticketOf(fay);
      await service.pool.query(`update convene.live_tickets set expires_at = now() - interval '1 millisecond'`);
      t.equal((await attempt(service.url, { ticket: old })).code, 4401);
      const again = await service.login(fay.email);
      const orphan = await ticketOf(again);
      t.equal((await again.post('/auth/logout', {})).status, 200);
      for (const url of nodes) t.equal((await attempt(url, { ticket: orphan })).code, 4401);
    });

    t.test('are for logged-in accounts with a verified address', async (t) => {
      t.equal((await service.anonymous.post('/live/tickets', {})).status, 401);
      t.equal((await (await service.newcomer()).post('/live/tickets', {})).status, 403);
    });
  });

  t.test('end within a second of their login, on every node', async (t) => {
    const ends: readonly (readonly [string, (person: Client) => Promise<{ status: number }>])[] = [
      ['a log-out', (person) => person.post('/auth/logout', {})],
      ['the account', async (person) => (await service.admin()).delete(`/users/${person.accountId}`, { reason: 'x' })],
    ];
    const tookUntil = async (what: string, end: (person: Client) => Promise<{ status: number }>): Promise<number> => {
      const person = await service.user('Leaver');
      const stays = await service.login(person.email);
      const sockets = await Promise.all(nodes.map((url) => openSocket(url, { token: person.token })));
      const stream = await openStream(`${other.url}/api/v1/live?topics=${topicOfNobody}`, {
        authorization: `Bearer ${person.token}`,
      });
      const kept = await openSocket(other.url, { token: stays.token });
      t.equal((await end(person)).status, 200, what);
      const began = performance.now();
      for (const socket of sockets) t.equal(await socket.closed, 4401, `${what} closes sockets`);
      t.match(await stream.next(({ event }) => event === 'closing'), { data: { code: 4401 } });
      await stream.ended;
      const took = performance.now() - began;
      if (what === 'the account') t.equal(await kept.closed, 4401, 'with all its logins');
      else {
        t.match(await kept.subscribe(topicOfNobody), { type: 'subscribed' }, 'other logins go on');
        await kept.close();
      }
      return took;
    };
    for (const [what, end] of ends) {
      let took = await tookUntil(what, end);
      // A machine may stand still for a second, but hardly whenever it is asked.
      for (let more = 2; more > 0 && took >= WITHIN_MS; more -= 1) took = await tookUntil(what, end);
      t.ok(took < WITHIN_MS, `${what}: ${took} ms`);
    }
  });

  t.test('lose the topic of a provider who closes, on every node, and get it back when it opens', async (t) => {
    const admin = await service.admin();
    const provider = await service.user('Provider');
    const profile = { displayName: 'Provider', timezone: 'UTC' };
    await admin.post('/provider/profiles', { accountId: provider.accountId, ...profile });
    const topic = `availability:${provider.accountId}`;
    const sockets = await Promise.all(nodes.map((url) => openSocket(url, { token: vic.token })));
    for (const socket of sockets) t.match(await socket.subscribe(topic), { type: 'subscribed' });
    const setActive = async (active: boolean) => {
      const path = `/provider/profiles/${provider.accountId}`;
      t.equal((await admin.put(path, { ...profile, active })).status, 200);
    };
    await setActive(false);
    for (const socket of sockets) {
      t.match(await socket.until(({ type }) => type === 'error'), { code: 'NOT_FOUND', topic });
      t.match(await socket.subscribe(topic), { type: 'error', code: 'NOT_FOUND' });
    }
    await setActive(true);
    for (const socket of sockets) {
      const answer = () => socket.subscribe(topic);
      t.match(await eventually(answer, ({ type }) => type === 'subscribed'), { type: 'subscribed' });
      await socket.close();
    }
  });

  t.test('of one account are five, over all nodes', async (t) => {
    const person = await service.user('Many');
    const attempts = await Promise.all(
      Array.from({ length: 14 }, (_, n) => attempt(nodes[n % 2] ?? '', { token: person.token ?? '' })),
    );
    const open = attempts.filter(({ code }) => code === 'open');
    t.equal(open.length, 5);
    t.ok(
      attempts.every(({ code }) => code === 'open' || code === 4429),
      attempts.map(({ code }) => code).join(),
    );
    await open[0]?.socket.close();
    const next = await eventually(
      () => attempt(other.url, { token: person.token ?? '' }),
      ({ code }) => code === 'open',
    );
    t.equal((await attempt(service.url, { token: person.token ?? '' })).code, 4429);
    await Promise.all([next, ...open].map(({ socket }) => socket.close()));
    await eventually(
      () => service.pool.query('select from convene.live_places where account_id = $1', [person.accountId]),
      ({ rowCount }) => rowCount === 0,
    );
    await service.pool.query(
      `insert into convene.live_places select $1, n, $2, $2, now() - interval '1 second' from generate_series(1, 5) n`,
      [person.accountId, randomUUID()],
    );
    const free = await attempt(service.url, { token: person.token ?? '' });
    t.equal(free.code, 'open', 'the places of a node that died are free again');
    await free.socket.close();
  });

  t.test('go on at the other node when one stops: every message, none twice', async (t) => {
    const { id } = (await fay.post('/sessions', { name: 'Sprint' })).body.data;
    await vic.post(`/sessions/${id}/join`, {});
    const topic = `session:${id}`;
    const first = await openSocket(other.url, { token: vic.token });
    await first.subscribe(topic);
    const stream = await openStream(`${other.url}/api/v1/live?topics=${topic}`, {
      authorization: `Bearer ${vic.token}`,
    });
    await stream.next(({ event }) => event === 'subscribed');
    const titles = Array.from({ length: 12 }, (_, n) => `Story ${n}`);
    const add = (title: string) => fay.post(`/sessions/${id}/stories`, { title });
    for (const title of titles.slice(0, 4)) await add(title);
    const stories = ({ event }: { event?: string }) => event === 'session:story-changed';
    await first.until(() => first.heard.filter(stories).length === 4);
    await stream.next(() => stream.events.filter(stories).length === 4);
    const adding = (async () => {
      for (const title of titles.slice(4)) await add(title);
    })();
    const stopped = other.stop();
    t.equal(await first.closed, 1001);
    t.match(await stream.next(({ event }) => event === 'closing'), { data: { code: 1001 } });
    await stream.ended;
    const next = await openSocket(service.url, { token: vic.token });
    const seen = first.heard.filter(stories);
    t.match(await next.subscribe(topic, seen.at(-1)?.seq), { type: 'subscribed' });
    await Promise.all([adding, stopped]);
    await next.until(() => seen.length + next.heard.filter(stories).length >= titles.length);
    t.strictSame(
      [...seen, ...next.heard.filter(stories)].map(({ data }) => data.title),
      titles,
    );
    const id2 = stream.events.findLast(({ id }) => id !== undefined)?.id ?? '';
    const resumed = await openStream(`${service.url}/api/v1/live?topics=${topic}`, {
      authorization: `Bearer ${vic.token}`,
      'last-event-id': id2,
    });
    const streamed = stream.events.filter(stories);
    await resumed.next(() => streamed.length + resumed.events.filter(stories).length >= titles.length);
    t.strictSame(
      [...streamed, ...resumed.events.filter(stories)].map(({ data }) => data.data.title),
      titles,
    );
    for (const one of [next, resumed]) await one.close();
  });
});
