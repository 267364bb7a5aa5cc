import { randomUUID } from 'node:crypto';
import t from 'tap';
import { eventually, testService } from '../../support/service.ts';
import { openSocket, openStream, type Socket } from './client.ts';

t.test('live updates of the service', async (t) => {
  const service = await testService(t, { CORS_ORIGINS: 'https://app.example.org' });
  const { url, api } = service;
  const [fay, vic, wim, eve] = await Promise.all(['Fay', 'Vic', 'Wim', 'Eve'].map((name) => service.user(name)));
  if (!fay || !vic || !wim || !eve) throw new Error('Nobody there');

  const room = async () => {
    const { id } = (await fay.post('/sessions', { name: 'Sprint' })).body.data;
    for (const person of [vic, wim])
      await person.post(`/sessions/${id}/join`, { displayName: person === vic ? 'Victoria' : undefined });
    const added = await fay.post(`/sessions/${id}/stories`, { title: 'A story' });
    const storyId = added.body.data.id;
    const made = BigInt(added.headers.get('consistency-token') ?? 0);
    return { id, topic: `session:${id}`, on: `/sessions/${id}/stories/${storyId}`, storyId, made };
  };
  /** Listens to a room from where all of its making lies behind: what the node hears of later it tells as news. */
  const listen = (socket: Socket, { topic, made }: { readonly topic: string; readonly made: bigint }) =>
    eventually(
      () => socket.subscribe(topic),
      ({ seq = '0' }) => BigInt(seq) >= made,
    );

  t.test('are refused to pages of foreign origins, with 403', async (t) => {
    for (const origin of ['https://evil.example', 'null'])
      await t.rejects(openSocket(url, { token: fay.token, origin }), { message: '403' }, origin);
    for (const origin of ['https://app.example.org', 'http://localhost:5173', url]) {
      const socket = await openSocket(url, { token: fay.token, origin });
      t.equal(await socket.close(), 1005, origin);
    }
    t.equal((await fetch(`${url}/ws`)).status, 404, 'and plain HTTP finds nothing there');
  });

  t.test('need a valid token first', async (t) => {
    for (const message of [{ type: 'auth', token: 'nonsense' }, { type: 'subscribe', topic: 'session:x' }, 'no JSON']) {
      const socket = await openSocket(url);
      socket.say(message);
      t.equal(await socket.closed, 4401, JSON.stringify(message));
    }
  });

  t.test('have no head without a stream, which would hold up its caller for as long as the token lives', async (t) => {
    const headers = { authorization: `Bearer ${fay.token}` };
    const path = `${api}/live?topics=availability:${randomUUID()}`;
    t.equal((await fetch(path, { method: 'HEAD', headers, signal: AbortSignal.timeout(5_000) })).status, 404);
  });

  t.test('are limited to five connections of an account and 64 KB of a message', async (t) => {
    const person = await service.user('Many');
    const sockets = await Promise.all(Array.from({ length: 5 }, () => openSocket(url, { token: person.token })));
    const sixth = await openSocket(url);
    sixth.say({ type: 'auth', token: person.token });
    t.equal(await sixth.closed, 4429);
    const stream = await openStream(`${api}/live?topics=availability:${randomUUID()}`, {
      authorization: `Bearer ${person.token}`,
    });
    t.equal(stream.status, 429, 'streams count too');
    await sockets[0]?.close();
    const [, second] = sockets;
    const again = await eventually(
      async () => {
        const socket = await openSocket(url);
        socket.say({ type: 'auth', token: person.token });
        return Promise.race([socket.closed, socket.until(({ type }) => type === 'auth:ok').then(() => socket)]);
      },
      (result) => typeof result !== 'number',
    );
    t.type(again, 'object', 'a place given back is free again');
    second?.say('x'.repeat(65_537));
    t.equal(await second?.closed, 1009);
  });

  t.test('of a session tell everybody in it what happens, and no card before the reveal', async (t) => {
    const { id, topic, on, storyId } = await room();
    const sockets = await Promise.all([fay, vic, wim].map(({ token }) => openSocket(url, { token })));
    for (const socket of sockets) t.match(await socket.subscribe(topic), { type: 'subscribed', topic, seq: /^\d+$/ });
    await fay.post(`${on}/open`);
    await vic.put(`${on}/vote`, { value: '13' });
    await vic.put(`${on}/vote`, { value: '21' });
    for (const socket of sockets) {
      t.match(await socket.until(({ event }) => event === 'session:voting-opened'), {
        topic,
        at: /Z$/,
        seq: /^\d+$/,
        data: { storyId, round: 1 },
      });
      t.strictSame((await socket.until(({ event }) => event === 'session:vote-cast')).data, {
        storyId,
        round: 1,
        participantId: vic.accountId,
        hasVoted: true,
      });
      t.notMatch(JSON.stringify(socket.heard), /"(?:13|21)"|salt/);
    }
    await fay.post(`${on}/reveal`);
    await fay.put(`${on}/estimate`, { value: '21' });
    await fay.post(`/sessions/${id}/complete`);
    for (const socket of sockets) {
      const { data } = await socket.until(({ event }) => event === 'session:votes-revealed');
      t.strictSame(data.votes, [{ participantId: vic.accountId, value: '21' }]);
      t.match(await socket.until(({ event }) => event === 'session:estimate-accepted'), { data: { value: '21' } });
      t.ok(await socket.until(({ event }) => event === 'session:completed'));
      await socket.close();
    }
  });

  t.test('of a session are for those in it now', async (t) => {
    const made = await room();
    const { id, topic } = made;
    const outsider = await openSocket(url, { token: eve.token });
    t.match(await outsider.subscribe(topic), { type: 'error', code: 'FORBIDDEN', topic });
    t.match(
      await outsider.subscribe(`session:${randomUUID()}`),
      { type: 'error', code: 'FORBIDDEN' },
      'as with a session that is not there',
    );
    t.match(await outsider.subscribe('session:nonsense'), { type: 'error', code: 'VALIDATION_ERROR' });

    const [stays, goes] = [await openSocket(url, { token: fay.token }), await openSocket(url, { token: wim.token })];
    for (const socket of [stays, goes]) await listen(socket, made);
    const before = goes.heard.length;
    await fay.delete(`/sessions/${id}/participants/${wim.accountId}`);
    t.match(await goes.until(({ type }) => type === 'error'), { code: 'FORBIDDEN', topic });
    await vic.post(`/sessions/${id}/leave`);
    t.ok(
      await stays.until(
        ({ event, data }) => event === 'session:participant-left' && data.participantId === vic.accountId,
      ),
    );
    t.notOk(
      goes.heard.slice(before).some(({ event }) => event !== undefined),
      'who was removed hears nothing more',
    );
    t.match(await goes.subscribe(topic), { type: 'error', code: 'FORBIDDEN' });
    await vic.post(`/sessions/${id}/join`, { displayName: 'Victoria II' });
    const joined = await stays.until(({ event }) => event === 'session:participant-joined');
    t.match(joined.data, { participantId: vic.accountId, displayName: 'Victoria II', role: 'voter' });
    for (const socket of [outsider, stays, goes]) await socket.close();
  });

  t.test('resume behind a message, over WebSocket and server-sent events alike', async (t) => {
    const made = await room();
    const { id, topic, on } = made;
    const first = await openSocket(url, { token: vic.token });
    const { seq = '' } = await listen(first, made);
    await first.close();
    await fay.post(`${on}/open`);
    await vic.put(`${on}/vote`, { value: '5' });
    const second = await openSocket(url, { token: vic.token });
    t.match(await second.subscribe(topic, seq), { type: 'subscribed', seq });
    await fay.post(`${on}/reveal`);
    await second.until(({ event }) => event === 'session:votes-revealed');
    const wanted = ['session:voting-opened', 'session:vote-cast', 'session:votes-revealed'];
    const got = second.heard.filter(({ event }) => event !== undefined);
    t.strictSame(
      got.map(({ event }) => event),
      wanted,
    );

    const headers = { authorization: `Bearer ${vic.token}` };
    const stream = await openStream(`${api}/live?topics=${topic},availability:${fay.accountId}`, {
      ...headers,
      'last-event-id': seq,
    });
    t.equal(stream.status, 200);
    t.match(stream.type, /^text\/event-stream/);
    await stream.next(({ event }) => event === 'session:votes-revealed');
    t.strictSame(
      stream.events.map(({ event }) => event),
      ['subscribed', 'subscribed', ...wanted],
    );
    const sent = stream.events.slice(2);
    t.strictSame(
      sent.map(({ data }) => data),
      got,
      'with the same messages',
    );
    t.strictSame(
      sent.map(({ id }) => id),
      got.map(({ seq }) => seq),
    );
    await stream.close();

    const rest = await openStream(`${api}/live?topics=${topic}`, { ...headers, 'last-event-id': sent[1]?.id ?? '' });
    await fay.post(`/sessions/${id}/complete`);
    await rest.next(({ event }) => event === 'session:completed');
    t.strictSame(
      rest.events.map(({ event }) => event),
      ['subscribed', 'session:votes-revealed', 'session:completed'],
    );
    await rest.close();
    const names = await openSocket(url, { token: vic.token, query: '?names=hyphen' });
    await names.subscribe(topic, seq);
    t.ok(await names.until(({ event }) => event === 'session-votes-revealed'));
    for (const socket of [second, names]) await socket.close();
  });

  t.test('of availability tell which slots come and go', async (t) => {
    const admin = await service.admin();
    const provider = await service.user('Provider');
    await admin.post('/provider/profiles', { accountId: provider.accountId, displayName: 'Provider' });
    const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
      dayOfWeek,
      intervals: [{ start: '10:00', end: '11:00' }],
    }));
    await eventually(
      () => provider.put('/provider/availability', { weekly }),
      ({ status }) => status === 200,
    );
    const socket = await openSocket(url, { token: eve.token });
    await socket.subscribe(`availability:${provider.accountId}`);
    const day = (days: number) => Temporal.Now.plainDateISO().add({ days }).toString();
    await provider.post('/provider/timeslots', { from: day(3), to: day(4) });
    await socket.until(() => socket.heard.filter(({ event }) => event === 'slot:changed').length === 4);
    const free = socket.heard.filter(({ event, data }) => event === 'slot:changed' && data.isAvailable);
    t.equal(free.length, 4);
    const { slotId } = free[0]?.data ?? {};
    const booked = await vic.post('/appointments', { slotId, notes: 'nobody else may know' });
    t.equal(booked.status, 201);
    await socket.until(({ event, data }) => event === 'slot:changed' && data.slotId === slotId && !data.isAvailable);
    await vic.delete(`/appointments/${booked.body.data.id}`);
    await socket.until(
      ({ event, data }) =>
        event === 'slot:changed' &&
        data.slotId === slotId &&
        data.isAvailable === true &&
        socket.heard.filter((one) => one.data.slotId === slotId).length === 3,
    );
    t.notMatch(JSON.stringify(socket.heard), new RegExp(`${vic.accountId}|nobody else`), 'and never who takes them');
    const resumed = await openSocket(url, { token: eve.token });
    await resumed.subscribe(`availability:${provider.accountId}`, free[0]?.seq);
    const told = (messages: typeof socket.heard) => messages.filter(({ event }) => event !== undefined);
    await resumed.until(() => told(resumed.heard).length === 5);
    t.strictSame(told(resumed.heard), told(socket.heard).slice(1), 'and resumes in the middle of what one event tells');
    for (const one of [socket, resumed]) await one.close();
  });

  t.test('as server-sent events answer refusals like every route', async (t) => {
    const { topic } = await room();
    t.equal((await service.anonymous.get(`/live?topics=${topic}`)).status, 401);
    t.equal((await eve.get(`/live?topics=${topic}`)).status, 403);
    const unverified = await service.newcomer();
    t.equal((await unverified.get(`/live?topics=availability:${randomUUID()}`)).status, 403);
    for (const query of [
      '',
      '?topics=',
      '?topics=attic:x',
      `?topics=${Array.from({ length: 21 }, () => `availability:${randomUUID()}`).join()}`,
    ])
      t.equal((await fay.get(`/live${query}`)).status, 422, query.slice(0, 30));
    t.equal((await fay.get(`/live?topics=${topic}`, { 'last-event-id': 'yesterday' })).status, 422);
  });

  t.test('end with 1001 when the service drains', async (t) => {
    const { topic } = await room();
    const socket = await openSocket(url, { token: fay.token });
    await socket.subscribe(topic);
    const stream = await openStream(`${api}/live?topics=${topic}`, { authorization: `Bearer ${fay.token}` });
    await stream.next(({ event }) => event === 'subscribed');
    const stopped = service.stop();
    t.equal(await socket.closed, 1001);
    await stream.ended;
    await stopped;
  });
});
