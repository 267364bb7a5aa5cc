import t from 'tap';
import { type Answer, type Client, eventually, sharedService } from '../support/service.ts';

/** Headers with which a query shows what another caller's command did. */
const after = ({ headers }: Answer) => ({ 'consistency-token': headers.get('consistency-token') ?? '' });

t.test('estimation over HTTP', async (t) => {
  const { user, admin, anonymous, pool } = await sharedService();
  const [fay, vic, wim, eve] = await Promise.all([user('Fay'), user('Vic'), user('Wim'), user('Eve')]);
  for (const person of [fay, vic, wim, eve])
    await eventually(
      () => person.get('/sessions'),
      ({ status }) => status === 200,
    );
  const settings = { deck: 'fibonacci' };

  type Room = { readonly id: string; readonly code: string; readonly at: string };
  const room = async (...people: readonly Client[]): Promise<Room> => {
    const { body } = await fay.post('/sessions', { name: 'Sprint 12', settings });
    const { id, code } = body.data;
    for (const person of people) await person.post(`/sessions/${id}/join`);
    return { id, code, at: `/sessions/${id}` };
  };
  const story = async ({ at }: Room, title = 'Log in by e-mail'): Promise<string> =>
    (await fay.post(`${at}/stories`, { title })).body.data.id;
  const voting = async (...people: readonly Client[]) => {
    const session = await room(...people);
    const on = `${session.at}/stories/${await story(session)}`;
    await fay.post(`${on}/open`);
    return { ...session, on };
  };

  t.test('asks for a login', async (t) => {
    t.equal((await anonymous.post('/sessions', { name: 'Sprint 12' })).status, 401);
    t.equal((await anonymous.get('/sessions')).status, 401);
  });

  t.test('creates a session and lists it', async (t) => {
    const created = await fay.post('/sessions', { name: 'Sprint 12', description: 'Checkout' });
    t.equal(created.status, 201);
    t.match(created.body.data, { name: 'Sprint 12', status: 'lobby', facilitatorId: fay.accountId });
    t.match(created.body.data.code, /^[A-HJKMNP-Z2-9]{6}$/);
    const { body } = await fay.get('/sessions?q=sprint&role=facilitator&status=lobby');
    t.match(body.data.sessions[0], { id: created.body.data.id, myRole: 'facilitator', participantCount: 1 });
    const one = await fay.get(`/sessions/${created.body.data.code.toLowerCase()}`);
    t.match(one.body.data, { id: created.body.data.id, description: 'Checkout', stories: [], version: 1 });
    t.match(one.body.data.participants, [{ id: fay.accountId, displayName: 'Fay', role: 'facilitator' }]);
  });

  t.test('gives the first answer again to the same Idempotency-Key', async (t) => {
    const key = { 'idempotency-key': 'create-once' };
    const first = await vic.post('/sessions', { name: 'Once' }, key);
    const second = await vic.post('/sessions', { name: 'Once' }, key);
    t.strictSame(second.body, first.body);
    t.equal(second.headers.get('idempotency-replayed'), 'true');
    t.equal((await vic.post('/sessions', { name: 'Twice' }, key)).status, 422);
  });

  t.test('refuses names that are empty or too long', async (t) => {
    for (const name of ['', 'x'.repeat(101)]) {
      const { status, body } = await fay.post('/sessions', { name });
      t.equal(status, 422);
      t.match(body.error.details, [{ field: 'name' }]);
    }
  });

  t.test('lets people join by code in either case, once', async (t) => {
    const { id, code, at } = await room();
    const joined = await vic.post('/sessions/join', { code: code.toLowerCase(), displayName: 'Victoria' });
    t.equal(joined.status, 200);
    t.match(joined.body.data, { id, participantId: vic.accountId, role: 'voter' });
    t.match(joined.body.data.participants, [{ displayName: 'Fay' }, { displayName: 'Victoria' }]);
    t.equal((await vic.post(`/sessions/${code}/join`)).status, 200);
    const { body } = await fay.get(`${at}/status`, after(joined));
    t.match(body.data.participants, [{ displayName: 'Fay' }, { displayName: 'Victoria' }]);
    t.equal(body.data.participants.length, 2);
    t.match((await vic.get('/sessions')).body.data.sessions[0], { id, myRole: 'voter' });
  });

  t.test('knows no session by an unknown code, and refuses malformed ids', async (t) => {
    t.equal((await vic.post('/sessions/join', { code: 'ZZZZZZ' })).status, 404);
    t.equal((await vic.post('/sessions/join', { code: 'O0' })).status, 404);
    t.equal((await vic.get('/sessions/ZZZZZZ/status')).status, 404);
    t.equal((await vic.get('/sessions/not-a-uuid/status')).status, 422);
    t.equal((await vic.post('/sessions/not-a-uuid/join')).status, 422);
    t.equal((await vic.post('/sessions/join', {})).status, 422);
  });

  t.test('lets people leave, once, and still read', async (t) => {
    const { at } = await room(vic);
    t.equal((await vic.post(`${at}/leave`)).status, 200);
    t.equal((await vic.post(`${at}/leave`)).status, 409);
    const { status, body } = await vic.get(`${at}/status`);
    t.equal(status, 200);
    t.strictSame(
      body.data.participants.map((participant: { id: string }) => participant.id),
      [fay.accountId],
    );
  });

  t.test('does not exist for outsiders and for who was removed', async (t) => {
    const { at } = await room(vic);
    const turnedOut = await fay.delete(`${at}/participants/${vic.accountId}`);
    for (const path of ['', '/status', '/stories', '/history', '/summary'])
      for (const outsider of [eve, vic])
        t.equal((await outsider.get(`${at}${path}`, after(turnedOut))).status, 404, path);
    t.equal((await vic.post(`${at}/join`)).status, 403);
    t.strictSame(
      (await vic.get('/sessions?limit=50')).body.data.sessions.filter(({ id }: { id: string }) => at.endsWith(id)),
      [],
    );
  });

  t.test('keeps what is the facilitator’s from voters', async (t) => {
    const { at, on } = await voting(vic);
    t.equal((await vic.post(`${at}/stories`, { title: 'Mine' })).status, 403);
    t.equal((await vic.post(`${on}/open`)).status, 403);
    t.equal((await vic.post(`${on}/reveal`)).status, 403);
  });

  t.test('shows who has voted and no card before the reveal', async (t) => {
    const { at, on } = await voting(vic, wim);
    const vote = await vic.put(`${on}/vote`, { value: '89' });
    t.match(vote, { status: 200, body: { data: { hasVoted: true, value: '89', votesCast: 1, votersExpected: 2 } } });
    for (const path of ['', '/status', '/stories', '/history', '/summary']) {
      const { status, body } = await wim.get(`${at}${path}`, after(vote));
      t.equal(status, 200);
      t.notMatch(JSON.stringify(body), /"89"/, path);
    }
    const { body } = await wim.get(`${at}/status`);
    const seen = body.data.participants.find(({ id }: { id: string }) => id === vic.accountId);
    t.match(seen, { hasVoted: true });
    t.match(body.data, { myVote: null, votes: null, statistics: null, votesCast: 1 });
    t.equal((await vic.get(`${at}/status`)).body.data.myVote, '89');
  });

  t.test('keeps a face-down card out of every read model but the voter’s own and out of the audit trail', async (t) => {
    const { id, at, on } = await voting(vic);
    const own = await fay.call('PATCH', at, { settings: { anonymousVotes: true } });
    t.equal(own.status, 200);
    const vote = await vic.put(`${on}/vote`, { value: '89' });
    await vic.get(`${at}/status`);
    const tables = await pool.query<{ name: string }>(
      `select c.relname as name from pg_class c where c.relnamespace = 'read'::regnamespace and c.relkind = 'r'`,
    );
    const holding: string[] = [];
    for (const { name } of tables.rows) {
      const { rowCount } = await pool.query(`select from read."${name}" x where to_jsonb(x)::text like '%"89"%'`);
      if (rowCount !== 0) holding.push(name.replace(/_v\d+$/, ''));
    }
    t.strictSame(holding, ['own_votes']);
    const auditor = await admin();
    for (const path of ['events', 'state']) {
      const seen = await auditor.get(`/audit/streams/estimationSession/${id}/${path}`, after(vote));
      t.equal(seen.status, 200, path);
      t.match(JSON.stringify(seen.body), vic.accountId);
      t.notMatch(JSON.stringify(seen.body), /"89"|"salt"/);
    }
    t.equal((await auditor.get(`${at}/status`, after(vote))).body.data.votesCast, 1, 'though administrators see it');
  });

  t.test('counts the last card alone', async (t) => {
    const { on } = await voting(vic);
    await vic.put(`${on}/vote`, { value: '5' });
    await vic.post(`${on}/votes`, { value: '8' });
    const revealed = await fay.post(`${on}/reveal`);
    t.equal(revealed.status, 200);
    t.strictSame(revealed.body.data.votes, [{ participantId: vic.accountId, value: '8' }]);
    const result = await vic.get(`${on}/result`, after(revealed));
    t.match(result.body.data.rounds, [{ round: 1, votes: [{ value: '8', displayName: 'Vic' }] }]);
    t.notMatch(JSON.stringify(result.body.data.rounds), /"5"/);
  });

  t.test('takes cards of the deck, from voters, before the reveal', async (t) => {
    const { at, on } = await voting(vic);
    await wim.post(`${at}/join`, { asObserver: true });
    const wrong = await vic.put(`${on}/vote`, { value: '4' });
    t.match(wrong, { status: 422, body: { error: { details: [{ field: 'value' }] } } });
    t.equal((await wim.put(`${on}/vote`, { value: '5' })).status, 403);
    t.equal((await eve.put(`${on}/vote`, { value: '5' })).status, 404);
    t.match(await fay.post(`${on}/reveal`), { status: 409, body: { error: { reason: 'no-votes' } } });
    await vic.put(`${on}/vote`, { value: '5' });
    await fay.post(`${on}/reveal`);
    t.match(await vic.put(`${on}/vote`, { value: '8' }), {
      status: 409,
      body: { error: { code: 'CONFLICT', reason: 'round-not-open' } },
    });
  });

  t.test('adds statistics up', async (t) => {
    const { at, on } = await voting(vic, wim);
    await Promise.all([
      fay.put(`${on}/vote`, { value: '3' }),
      vic.put(`${on}/vote`, { value: '5' }),
      wim.put(`${on}/vote`, { value: '?' }),
    ]);
    const revealed = await fay.post(`${on}/reveal`);
    t.match(revealed.body.data.statistics, { average: 4, median: 4, count: 3, consensus: false });
    const status = await vic.get(`${at}/status`, after(revealed));
    t.match(status.body.data, { status: 'revealed', myVote: '5', votesCast: 3, statistics: { count: 3 } });
  });

  t.test('keeps earlier rounds in the result', async (t) => {
    const { at, on } = await voting(vic, wim);
    await vic.put(`${on}/vote`, { value: '13' });
    await fay.post(`${on}/reveal`);
    t.match((await fay.post(`${on}/restart`)).body.data, { round: 2, votesCast: 0 });
    await vic.put(`${on}/vote`, { value: '5' });
    await wim.put(`${on}/vote`, { value: '5' });
    await fay.post(`${on}/reveal`);
    const accepted = await fay.put(`${on}/estimate`, { value: '5' });
    t.match(accepted, { status: 200, body: { data: { status: 'estimated', estimate: '5', rounds: 2 } } });
    const { body } = await fay.get(`${on}/result`);
    t.match(body.data, { estimate: '5', rounds: [{ round: 1 }, { round: 2, statistics: { consensus: true } }] });
    t.match((await fay.get(`${at}/stories?status=estimated`)).body.data, {
      stories: [{ estimate: '5' }],
      pagination: { total: 1 },
    });
    t.match((await fay.get('/sessions?limit=1')).body.data.sessions, [{ storyCount: 1, estimatedCount: 1 }]);
  });

  t.test('ties no card to a person in an anonymous round', async (t) => {
    const { at } = await room(vic, wim);
    await fay.call('PATCH', at, { settings: { anonymousVotes: true } });
    const on = `${at}/stories/${await story({ id: '', code: '', at })}`;
    await fay.post(`${on}/open`);
    await wim.put(`${on}/vote`, { value: '8' });
    await vic.put(`${on}/vote`, { value: '1' });
    const revealed = await fay.post(`${on}/reveal`);
    t.strictSame(revealed.body.data.votes, [{ value: '1' }, { value: '8' }]);
    t.strictSame((await vic.get(`${at}/status`, after(revealed))).body.data.votes, [{ value: '1' }, { value: '8' }]);
    t.strictSame((await vic.get(`${on}/result`, after(revealed))).body.data.rounds[0].votes, [
      { value: '1' },
      { value: '8' },
    ]);
  });

  t.test('hands over when the facilitator leaves', async (t) => {
    const { at } = await room(vic);
    const gone = await fay.post(`${at}/leave`);
    const { body } = await vic.get(`${at}/status`, after(gone));
    t.match(body.data, { facilitatorId: vic.accountId, participants: [{ id: vic.accountId, role: 'facilitator' }] });
  });

  t.test('is read-only once completed', async (t) => {
    const { at, on } = await voting(vic);
    const done = await fay.post(`${at}/complete`);
    t.match(
      { status: done.status, data: done.body.data },
      {
        status: 200,
        data: {
          status: 'completed',
          totals: { stories: 1 },
          stories: [{ title: 'Log in by e-mail', estimate: null, rounds: 1, spread: null }],
          participants: [{ displayName: 'Fay', role: 'facilitator' }, { id: vic.accountId }],
          durationMinutes: 0,
        },
      },
    );
    t.strictSame((await fay.get(`${at}/summary`)).body.data, done.body.data);
    t.equal((await vic.put(`${on}/vote`, { value: '5' })).status, 409);
    t.equal((await vic.post(`${at}/join`)).status, 409);
    t.equal((await fay.post(`${at}/stories`, { title: 'Late' })).status, 409);
    t.equal((await vic.post(`${at}/complete`)).status, 403);
    const history = await vic.get(`${at}/history?limit=50`, after(done));
    t.equal(history.status, 200);
    t.match(history.body.data.items.at(-1), { type: 'SessionCompleted', actor: { displayName: 'Fay' } });
    const days = history.body.data.items.map((entry: { at: string }) => entry.at.slice(0, 10));
    const all = await vic.get(`${at}/history?from=${days[0]}&to=${days.at(-1)}`);
    t.equal(all.body.data.pagination.total, history.body.data.pagination.total, 'a date is that whole day');
    t.match(await vic.get(`${at}/history?from=2027-03-02&to=2027-03-01`), {
      status: 422,
      body: { error: { details: [{ field: 'to' }] } },
    });
    t.match((await vic.get(`${at}/summary`, after(done))).body.data, { totals: { stories: 1, estimated: 0 } });
  });

  t.test('frees the code of an archived session', async (t) => {
    const { at, code } = await room();
    await fay.post(`${at}/complete`);
    t.equal((await fay.post(`${at}/archive`)).status, 200);
    t.equal((await fay.get(`/sessions/${code}`)).status, 404);
    t.equal((await fay.get(at)).status, 200);
    t.match((await fay.get('/sessions?archived=true')).body.data.sessions, [{ code, status: 'archived' }]);
  });

  t.test('holds If-Match against the story below it, and against the session otherwise', async (t) => {
    const session = await room(vic);
    const on = `${session.at}/stories/${await story(session)}`;
    await story(session, 'Another');
    t.equal((await fay.get(session.at)).headers.get('etag'), '"4"');
    const opened = await fay.post(`${on}/open`, {}, { 'if-match': '"0"' });
    t.match({ status: opened.status, etag: opened.headers.get('etag') }, { status: 200, etag: '"1"' });
    t.equal((await fay.post(`${on}/skip`, {}, { 'if-match': '"0"' })).status, 412);
    t.equal((await fay.post(`${session.at}/complete`, {}, { 'if-match': '"4"' })).status, 412);
    t.equal((await fay.post(`${session.at}/complete`, {}, { 'if-match': '"5"' })).status, 200);
  });

  t.test('counts two votes cast at the same moment', async (t) => {
    const { at, on } = await voting(vic, wim);
    const votes = await Promise.all([vic.put(`${on}/vote`, { value: '5' }), wim.put(`${on}/vote`, { value: '8' })]);
    const { body } = await wim.get(`${at}/status`, after(votes[0]));
    t.strictSame(
      votes.map(({ status }) => status),
      [200, 200],
    );
    t.equal(body.data.votesCast, 2);
  });

  t.test('reveals by itself where it is set to, once everybody has voted', async (t) => {
    const { at } = await room(vic, wim);
    await fay.call('PATCH', at, { settings: { autoReveal: true } });
    const on = `${at}/stories/${await story({ id: '', code: '', at })}`;
    await fay.post(`${on}/open`);
    await vic.put(`${on}/vote`, { value: '5' });
    await wim.put(`${on}/vote`, { value: '5' });
    const ask = async () => (await fay.get(`${at}/status`)).body.data;
    const status = await eventually(ask, ({ status }) => status === 'revealed');
    t.match(status, { statistics: { consensus: true } });
  });

  t.test('allows twenty open sessions a creator, however fast they come', async (t) => {
    const host = await user('Host');
    const all = await Promise.all(Array.from({ length: 22 }, () => host.post('/sessions', { name: 'Sprint' })));
    const created = all.filter(({ status }) => status === 201);
    t.equal(created.length, 20);
    t.match(
      all.find(({ status }) => status !== 201),
      {
        status: 409,
        body: { error: { reason: 'too-many-sessions' } },
      },
    );
    await host.post(`/sessions/${created[0]?.body.data.id}/complete`);
    t.equal((await host.post('/sessions', { name: 'Sprint' })).status, 201, 'and another after one is completed');
  });
});
