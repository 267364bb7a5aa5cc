import t from 'tap';
import { eventually, testService } from '../../support/service.ts';
import { done, room, voting } from './room.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

t.test('what the clock does to sessions', async (t) => {
  const service = await testService(t);
  const { user, pool } = service;
  const [fay, vic, wim] = await Promise.all([user('Fay'), user('Vic'), user('Wim')]);
  /** The service once more, with its own process's memory, at another time. */
  const restarted = (later = 0) => testService(t, service.environment, { ahead: later });
  const timer = { roundTimerSeconds: 15 };

  /** Lets the timers of rounds that wait run out now; how many. */
  const runOut = async (): Promise<number> => {
    const { rowCount } = await pool.query(
      `update pgboss.job set start_after = now() where state = 'created' and data -> 'data' ->> 'command' = 'EndRound'`,
    );
    return rowCount ?? 0;
  };
  const waiting = (count: number) =>
    eventually(
      async () =>
        (
          await pool.query(
            `select from pgboss.job where state = 'created' and data -> 'data' ->> 'command' = 'EndRound'`,
          )
        ).rowCount ?? 0,
      (found) => found >= count,
    );
  /** Whether an event of the type is in the stream, once it is. */
  const stored = (type: string, stream: string) =>
    eventually(
      async () =>
        (await pool.query('select from log.events where stream = $1 and type = $2', [stream, type])).rowCount ?? 0,
      (count) => count > 0,
    );
  const statusOf = async (at: string) => done(await fay.get(`${at}/status`));
  const storyIn = async (at: string) => done(await fay.get(`${at}/stories`)).stories[0];

  t.test('a timer reveals the cards there are, and skips a story without any', async (t) => {
    const voted = await voting(fay, [vic], timer);
    const deadline = Date.parse(voted.deadline ?? '');
    t.ok(deadline > Date.now() && deadline <= Date.now() + 15_000, 'the deadline is told');
    t.equal((await statusOf(voted.at)).currentStory.deadline, voted.deadline);
    const idle = await voting(fay, [vic], timer);
    done(await vic.put(`${voted.on}/vote`, { value: '5' }));
    await waiting(2);
    t.equal((await statusOf(voted.at)).status, 'voting');
    await runOut();
    const revealed = await eventually(
      () => statusOf(voted.at),
      ({ status }) => status === 'revealed',
    );
    t.match(revealed, { votes: [{ value: '5' }], statistics: { count: 1 } });
    t.match(
      await eventually(
        () => storyIn(idle.at),
        ({ status }) => status !== 'voting',
      ),
      { status: 'skipped' },
    );
  });

  t.test('a timer does nothing to a round that has ended or was started afresh', async (t) => {
    const shown = await voting(fay, [vic], timer);
    done(await vic.put(`${shown.on}/vote`, { value: '5' }));
    done(await fay.post(`${shown.on}/reveal`));
    const fresh = await voting(fay, [vic], timer);
    done(await vic.put(`${fresh.on}/vote`, { value: '5' }));
    const over = await voting(fay, [vic], timer);
    done(await fay.post(`${over.at}/complete`));
    await waiting(3);
    done(await fay.patch(fresh.at, { settings: { roundTimerSeconds: 0 } }));
    done(await fay.post(`${fresh.on}/restart`));
    done(await vic.put(`${fresh.on}/vote`, { value: '8' }));
    const last = await voting(fay, [vic], timer);
    await waiting(4);
    await runOut();
    await eventually(
      () => storyIn(last.at),
      ({ status }) => status === 'skipped',
    );
    t.match(await statusOf(fresh.at), { status: 'voting', votesCast: 1, currentStory: { round: 2, deadline: null } });
    t.match(await storyIn(shown.at), { status: 'revealed' });
    t.match(await storyIn(over.at), { status: 'pending' });
  });

  t.test('a session set to it is revealed once nobody is waited for any more', async (t) => {
    const auto = { autoReveal: true };
    const leaves = await voting(fay, [vic, wim], auto);
    done(await vic.put(`${leaves.on}/vote`, { value: '5' }));
    t.equal((await statusOf(leaves.at)).status, 'voting');
    done(await wim.post(`${leaves.at}/leave`));
    await eventually(
      () => statusOf(leaves.at),
      ({ status }) => status === 'revealed',
    );

    const watches = await voting(fay, [vic, wim], auto);
    done(await vic.put(`${watches.on}/vote`, { value: '5' }));
    done(await fay.patch(`${watches.at}/participants/${wim.accountId}`, { role: 'observer' }));
    await eventually(
      () => statusOf(watches.at),
      ({ status }) => status === 'revealed',
    );

    const alone = await voting(fay, [], auto);
    done(await fay.put(`${alone.on}/vote`, { value: '5' }));
    await eventually(
      () => statusOf(alone.at),
      ({ status }) => status === 'revealed',
    );

    const plays = await voting(fay, [vic], auto);
    done(await fay.put(`${plays.on}/vote`, { value: '5' }));
    done(await vic.put(`${plays.on}/vote`, { value: '8' }));
    const { votes } = await eventually(
      () => statusOf(plays.at),
      ({ status }) => status === 'revealed',
    );
    t.equal(votes.length, 2, 'the facilitator has voted and is awaited');
  });

  t.test('downtime delays a timer, idle sessions expire and ended ones are archived', async (t) => {
    const late = await voting(fay, [vic], timer);
    done(await vic.put(`${late.on}/vote`, { value: '13' }));
    const idle = await voting(fay, [vic]);
    const completed = await room(fay, [vic]);
    done(await fay.post(`${completed.at}/complete`));
    await waiting(1);
    await service.stop();
    await runOut();

    const soon = await restarted(8 * HOUR - 60_000);
    const again = await soon.login(fay.email);
    const revealed = await eventually(
      async () => done(await again.get(`${late.at}/status`)),
      ({ status }) => status === 'revealed',
    );
    t.match(revealed.votes, [{ value: '13' }], 'a timer that ran out meanwhile');
    t.equal(done(await again.get(`${idle.at}/status`)).status, 'voting', 'not yet 8 hours');
    await soon.stop();

    const later = await restarted(8 * HOUR);
    const host = await later.login(fay.email);
    const status = await eventually(
      async () => done(await host.get(idle.at)),
      // Of one read model the session, of another its stories.
      ({ status, stories }) => status === 'expired' && stories[0].status !== 'voting',
    );
    t.match(status, { stories: [{ status: 'pending' }], currentStoryId: null }, 'the open round ends without result');
    t.match(done(await host.get('/sessions?status=expired&limit=50')).sessions.length > 0, true);
    t.match(await host.put(`${idle.on}/vote`, { value: '5' }), {
      status: 409,
      body: { error: { reason: 'session-closed' } },
    });
    const guest = await later.login(vic.email);
    t.equal((await guest.post(`${idle.at}/stories`, { title: 'Late' })).status, 403, 'right before state');
    t.equal((await guest.post(`${idle.at}/join`)).status, 409);
    t.equal(done(await host.get(completed.at)).status, 'completed', 'not archived before 30 days');
    t.ok(await stored('SessionPlaceFreed', `sessionHost-${fay.accountId}`), 'its creator has the place back');
    await later.stop();

    const month = await restarted(30 * DAY + HOUR);
    const owner = await month.login(fay.email);
    await eventually(
      async () => done(await owner.get(completed.at)),
      ({ status }) => status === 'archived',
    );
    const gone = await eventually(
      () => owner.get(`/sessions/${completed.code}`),
      ({ status }) => status === 404,
    );
    t.equal(gone.status, 404, 'the code is unknown');
    t.ok(await stored('SessionCodeFreed', `sessionCode-${completed.code}`), 'and free again');
    t.match(done(await owner.get('/sessions?archived=true&limit=50')).sessions, [{}]);
  });
});
