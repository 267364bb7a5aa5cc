import t from 'tap';
import { type Client, eventually, testService } from '../../support/service.ts';
import { openSocket } from '../live/client.ts';
import { done, room, voting } from './room.ts';

t.test('presence in a session', async (t) => {
  const service = await testService(t);
  const { pool } = service;
  const [fay, vic, wim] = await Promise.all(['Fay', 'Vic', 'Wim'].map((name) => service.user(name)));
  if (!fay || !vic || !wim) throw new Error('Nobody there');
  /** Another process of the same service, which has heard of nobody yet. */
  const other = await testService(t, service.environment);

  const presence = async (at: string, by: Client = fay) => {
    const { participants } = done(await by.get(`${at}/status`));
    return Object.fromEntries(
      participants.map(({ id, present }: { id: string; present: boolean }) => [id, present]),
    ) as Readonly<Record<string, boolean>>;
  };
  /** Lets the last sign of life of somebody lie so many seconds back. */
  const silent = ({ accountId }: Client, id: string, seconds: number) =>
    pool.query(
      `update convene.session_presence set seen_at = now() - make_interval(secs => $3)
       where account_id = $1 and session_id = $2`,
      [accountId, id, seconds],
    );

  t.test('begins with joining and ends 90 seconds after the last request', async (t) => {
    const { id, at } = await room(fay, [vic, wim]);
    t.strictSame(await presence(at), { [fay.accountId]: true, [vic.accountId]: true, [wim.accountId]: true });
    await silent(vic, id, 89);
    t.equal((await presence(at))[vic.accountId], true);
    await silent(vic, id, 96);
    t.equal((await presence(at))[vic.accountId], false);
    t.match(done(await fay.get(at)).participants, [{}, { id: vic.accountId, present: false }, {}]);
    t.equal((await presence(at, vic))[vic.accountId], true, 'whoever asks is there');
    t.equal((await presence(at))[wim.accountId], true);
  });

  t.test(
    'is renewed by any request to the session, on any node, and told to those who listen on every node',
    async (t) => {
      const { id, at } = await room(fay, [vic]);
      const sockets = [
        await openSocket(service.url, { token: fay.token }),
        await openSocket(other.url, { token: fay.token }),
      ];
      for (const socket of sockets) await socket.subscribe(`session:${id}`);
      const told = async (present: boolean, times: number) => {
        for (const { heard, until } of sockets) {
          const fitting = () =>
            heard.filter(
              ({ event, data }) =>
                event === 'session:presence' && data.participantId === vic.accountId && data.present === present,
            );
          await until(() => fitting().length >= times);
          t.equal(fitting().length, times, 'once');
          t.notOk('seq' in (fitting().at(-1) ?? {}), 'it has no place in the log');
        }
      };
      const before = (await pool.query('select count(*) from log.events')).rows[0].count;
      await silent(vic, id, 96);
      await told(false, 1);
      const elsewhere = await other.login(vic.email);
      const logIns = (await pool.query('select count(*) from log.events')).rows[0].count;
      t.equal((await elsewhere.get(`${at}/status`)).status, 200);
      await told(true, 1);
      await eventually(
        () => presence(at),
        (people) => people[vic.accountId] === true,
      );
      await silent(vic, id, 96);
      await told(false, 2);
      // What was written within the last seconds is not written again: that it was long ago is a lie of this test.
      await eventually(
        () => vic.post('/commands/CastVote', { sessionId: id, storyId: id, value: '5' }),
        ({ status }) =>
          status === 404 &&
          sockets[0]?.heard.filter(({ event, data }) => event === 'session:presence' && data.present === true)
            .length === 2,
      );
      await told(true, 2);
      t.ok(Number(logIns) >= Number(before));
      const { rows } = await pool.query(`select type from log.events where stream = $1`, [`estimationSession-${id}`]);
      t.strictSame(
        rows.map(({ type }: { type: string }) => type),
        ['SessionCreated', 'ParticipantJoined', 'ParticipantJoined'],
        'nothing of it is stored',
      );
      for (const socket of sockets) await socket.close();
    },
  );

  t.test('is renewed by listening', async (t) => {
    const { id, at } = await room(fay, [wim]);
    await silent(wim, id, 96);
    t.equal((await presence(at))[wim.accountId], false);
    const socket = await openSocket(other.url, { token: wim.token });
    await socket.subscribe(`session:${id}`);
    await eventually(
      () => presence(at),
      (people) => people[wim.accountId] === true,
    );
    await socket.close();
  });

  t.test('of people who left or were removed is of no interest', async (t) => {
    const { id, at } = await room(fay, [vic, wim]);
    const socket = await openSocket(service.url, { token: fay.token });
    await socket.subscribe(`session:${id}`);
    done(await vic.post(`${at}/leave`));
    done(await fay.delete(`${at}/participants/${wim.accountId}`));
    for (const gone of [vic, wim]) await silent(gone, id, 96);
    await eventually(
      async () =>
        (await pool.query('select from convene.session_presence where session_id = $1 and present', [id])).rowCount,
      (count) => count === 1,
    );
    const elsewhere = await other.login(vic.email);
    t.equal((await elsewhere.get(`${at}/status`)).status, 200, 'though he may read');
    done(await fay.patch(at, { name: 'Sprint 13' }));
    await socket.until(({ event }) => event === 'session:settings-changed');
    t.strictSame(
      socket.heard.filter(({ event }) => event === 'session:presence'),
      [],
    );
    await socket.close();
  });

  t.test('is all that auto-reveal waits for', async (t) => {
    const { id, at, on } = await voting(fay, [vic, wim], { autoReveal: true });
    done(await vic.put(`${on}/vote`, { value: '5' }));
    t.match(done(await fay.get(`${at}/status`)), { status: 'voting', votersExpected: 2 });
    await silent(wim, id, 96);
    const { votes } = await eventually(
      async () => done(await fay.get(`${at}/status`)),
      ({ status }) => status === 'revealed',
    );
    t.match(votes, [{ participantId: vic.accountId, value: '5' }]);
  });
});
