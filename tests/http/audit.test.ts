import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { appointmentIdOf } from '../../src/domain/booking/ids.ts';
import { everyDay, inDays, ZONE } from '../support/practice.ts';
import { type Answer, type Client, eventually, testService } from '../support/service.ts';

const fields = ({ body }: Answer): string[] => body.error.details.map(({ field }: { field: string }) => field);
type Item = { readonly id: string; readonly action: string; readonly [name: string]: unknown };
const items = ({ body }: Answer): Item[] => body.data.items;

t.test('the audit trail over HTTP', async (t) => {
  const service = await testService(t);
  const admin = await service.admin();
  const [provider, client, nosy] = (await Promise.all(
    ['Provider', 'Carla', 'Nosy'].map((name) => service.user(name)),
  )) as [Client, Client, Client];

  const role = await admin.post('/rbac/roles', {
    name: 'trail_reader',
    description: 'Reads the audit trail without personal data',
    permissions: ['read:audit-logs', 'replay:events', 'read:access-log'],
  });
  t.equal(role.status, 201);
  const auditor = await service.user('Auditor');
  t.equal(
    (await admin.post(`/rbac/users/${auditor.accountId}/roles`, { roleName: 'trail_reader', reason: 'Audit' })).status,
    201,
  );
  await eventually(
    () => auditor.get('/audit/logs'),
    ({ status }) => status === 200,
  );

  await admin.post('/provider/profiles', { accountId: provider.accountId, displayName: 'Provider' });
  await eventually(
    () => provider.put('/provider/availability', { timezone: ZONE, weekly: everyDay('00:00', '24:00') }),
    ({ status }) => status === 200,
  );
  const opened = await provider.post('/provider/timeslots', { from: inDays(3), to: inDays(5) });
  const { body: free } = await client.get(
    `/appointments/available?providerId=${provider.accountId}&from=${inDays(3)}&to=${inDays(5)}&limit=100`,
    {
      'consistency-token': opened.headers.get('consistency-token') ?? '',
    },
  );
  const slots: { slotId: string; startTime: string }[] = free.data.slots;
  const beforeBooking = new Date().toISOString();
  const booked = await client.post('/appointments', { slotId: slots[0]?.slotId, notes: 'private matter' });
  t.equal(booked.status, 201);
  const { id } = booked.body.data;
  // One move within the day, one to another day, then the end.
  await client.put(`/appointments/${id}`, { slotId: slots[1]?.slotId });
  await client.put(`/appointments/${id}`, { slotId: slots.at(-1)?.slotId });
  const last = await client.delete(`/appointments/${id}`, { reason: 'ill again' });
  t.equal(last.status, 200);
  const token = { 'consistency-token': last.headers.get('consistency-token') ?? '' };

  t.test('is closed to others', async (t) => {
    for (const path of [
      '/audit/logs',
      `/audit/logs/${randomUUID()}`,
      '/rbac/audit-log',
      `/audit/streams/appointment/${id}/events`,
    ])
      t.equal((await nosy.get(path)).status, 403, path);
    t.equal((await service.anonymous.get('/audit/logs')).status, 401);
  });

  t.test('has an entry for every event of the log, under its id', async (t) => {
    // One look at both: refused requests are recorded while this runs.
    const counts = async () => {
      const { rows } = await service.pool.query<{ stored: number; shown: number; foreign: number }>(
        `select count(e.id)::int as stored, count(a.id)::int as shown, count(*) filter (where e.id is null)::int as foreign
         from log.events e full join read.audit_entries a on a.id = e.id`,
      );
      return rows[0];
    };
    const { stored, foreign } =
      (await eventually(counts, (counted) => counted !== undefined && counted.stored === counted.shown)) ?? {};
    t.ok((stored ?? 0) > 20);
    t.equal(foreign, 0);
    const all = await auditor.get('/audit/logs?limit=1');
    t.ok(all.body.data.pagination.total >= (stored ?? 0));
    const entry = items(all)[0];
    t.match(await auditor.get(`/audit/logs/${entry?.id}`), { status: 200, body: { data: { id: entry?.id } } });
    const assigned = await auditor.get('/audit/logs?action=role_assigned&order=desc');
    t.ok(
      items(assigned).some(({ method, path }) => method === 'POST' && path === '/api/v1/rbac/users/:accountId/roles'),
    );
  });

  t.test('filters by actor, action, target, stream, time, correlation, context, outcome and text', async (t) => {
    const search = (query: string) => auditor.get(`/audit/logs?${query}`, token);
    const total = async (query: string): Promise<number> => (await search(query)).body.data.pagination.total;
    const own = await search(`userId=${client.accountId}&action=appointment_booked`);
    t.match(items(own), [
      {
        action: 'appointment_booked',
        userId: client.accountId,
        actorName: 'Carla',
        context: 'booking',
        targetType: 'appointment',
        targetId: id,
        outcome: 'success',
      },
    ]);
    const [entry] = items(own);
    t.equal(await total(`type=AppointmentBooked&targetType=appointment&targetId=${id}`), 1);
    t.equal(await total(`type=AppointmentBooked&action=role_assigned`), 0);
    t.equal(await total(`targetType=appointment&targetId=${id}`), 4);
    t.equal(await total(`stream=${entry?.stream}&type=AppointmentRescheduled`), 2);
    t.equal(await total(`correlationId=${booked.headers.get('x-correlation-id')}&action=appointment_booked`), 1);
    t.equal(await total(`from=${beforeBooking}&action=appointment_booked`), 1);
    t.equal(await total(`to=${beforeBooking}&action=appointment_booked`), 0);
    t.equal(await total(`userId=${client.accountId}&context=access`), 0);
    t.ok((await total('context=access&outcome=success')) > 0);
    t.equal(await total(`userId=${client.accountId}&action=appointment_booked&q=${id.slice(0, 12)}`), 1);
    t.equal(await total(`action=appointment_booked&q=a%25b`), 0);
  });

  t.test('pages by cursor without gap or repeat', async (t) => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Answer = await auditor.get(
        `/audit/logs?order=asc&limit=7&to=${beforeBooking}${cursor === null ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...items(page).map(({ id }) => id));
      cursor = page.body.data.nextCursor;
      if (cursor === null) t.equal(seen.length, page.body.data.pagination.total);
    } while (cursor !== null);
    t.equal(new Set(seen).size, seen.length);
    t.ok(seen.length > 20);
  });

  t.test('refuses what it cannot understand', async (t) => {
    for (const [query, field] of [
      ['userId=nobody', 'userId'],
      ['action=nonsense', 'action'],
      ['context=nonsense', 'context'],
      ['targetType=nonsense', 'targetType'],
      ['outcome=nonsense', 'outcome'],
      ['limit=101', 'limit'],
      ['q=x', 'q'],
      ['cursor=%21', 'cursor'],
      ['cursor=MTg&page=2', 'page'],
      ['from=2027-03-02&to=2027-03-01T00:00:00Z', 'to'],
      ['from=yesterday', 'from'],
    ] as const) {
      const answer = await auditor.get(`/audit/logs?${query}`);
      t.equal(answer.status, 422, query);
      t.strictSame(fields(answer), [field], query);
    }
    t.equal((await auditor.get(`/audit/logs/${randomUUID()}`)).status, 404);
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      t.equal((await auditor.call(method, `/audit/logs/${randomUUID()}`)).status, 404, method);
  });

  t.test('shows failed log-ins with their address and never a password', async (t) => {
    for (let n = 0; n < 3; n += 1)
      await service.anonymous.post('/auth/login', { email: nosy.email, password: 'Wrong-Horse-9' });
    const found = await eventually(
      () => auditor.get(`/audit/logs?action=login_failed&targetType=account&targetId=${nosy.accountId}`),
      (answer) => items(answer).length === 3,
    );
    for (const entry of items(found))
      t.match(entry, { outcome: 'refused', userId: null, actorType: 'external', ip: /./ });
    t.notMatch(JSON.stringify(found.body), /Wrong-Horse/);
  });

  t.test('shows an assignment in the access log under the same id', async (t) => {
    const log = await auditor.get(
      `/rbac/audit-log?subjectId=${auditor.accountId}&type=role_assigned&role=trail_reader`,
    );
    t.match(items(log), [
      {
        type: 'role_assigned',
        actorId: admin.accountId,
        actorName: 'Administrator',
        subjectId: auditor.accountId,
        role: 'trail_reader',
        reason: 'Audit',
      },
    ]);
    const trail = await auditor.get(`/audit/logs?action=role_assigned&accountId=${auditor.accountId}&limit=50`);
    t.ok(items(trail).some((entry) => entry.id === items(log)[0]?.id));
    t.equal((await auditor.get('/rbac/audit-log?type=nonsense')).status, 422);
  });

  t.test('shows everybody his own activity alone', async (t) => {
    const own = items(await client.get('/audit/me?limit=50', token));
    t.ok(own.some(({ action, actorType }) => action === 'appointment_cancelled' && actorType === 'you'));
    t.notMatch(JSON.stringify(own), new RegExp(provider.accountId));
    const theirs = items(await nosy.get('/audit/me?limit=50'));
    t.notOk(theirs.some(({ action }) => action === 'appointment_booked'));
    t.equal((await (await service.newcomer()).get('/audit/me')).status, 403);
  });

  t.test('the history of an appointment', async (t) => {
    const at = `/audit/streams/appointment/${id}`;
    t.test('holds its own events in order, counted from 0', async (t) => {
      const { body } = await auditor.get(`${at}/events`);
      t.strictSame(
        body.data.events.map(({ version, type }: { version: number; type: string }) => [version, type]),
        [
          [0, 'AppointmentBooked'],
          [1, 'AppointmentRescheduled'],
          [2, 'AppointmentRescheduled'],
          [3, 'AppointmentCancelled'],
        ],
      );
      const later = await auditor.get(`${at}/events?fromVersion=2&limit=1`);
      t.match(later.body.data, { events: [{ version: 2 }], pagination: { total: 2, hasNext: true } });
    });
    t.test('masks personal data without the right to see them', async (t) => {
      const masked = await auditor.get(`${at}/events`);
      t.match(masked.body.data.events[0].data, { notes: '***' });
      t.match(masked.body.data.events[3].data, { reason: '***' });
      const clear = await admin.get(`${at}/events`);
      t.match(clear.body.data.events[0].data, { notes: 'private matter' });
    });
    t.test('gives the state at a version, at an instant, and the difference', async (t) => {
      const first = await auditor.get(`${at}/state?version=0`);
      t.match(first.body.data, { version: 0, state: { status: 'SCHEDULED', startTime: slots[0]?.startTime } });
      const moved = await auditor.get(`${at}/state?version=1&compareTo=0`);
      t.match(moved.body.data, { version: 1, state: { status: 'SCHEDULED', startTime: slots[1]?.startTime } });
      t.match(
        moved.body.data.changes.find(({ path }: { path: string }) => path === 'startTime'),
        { before: slots[0]?.startTime, after: slots[1]?.startTime },
      );
      t.match((await auditor.get(`${at}/state`)).body.data, { version: 3, state: { status: 'CANCELLED' } });
      const { body } = await auditor.get(`${at}/events`);
      t.match((await auditor.get(`${at}/state?asOf=${body.data.events[1].at}`)).body.data, { version: 1 });
      t.equal((await auditor.get(`${at}/state?asOf=${beforeBooking}`)).status, 404);
      t.equal((await auditor.get(`${at}/state?version=4`)).status, 404);
    });
    t.test('refuses nonsense', async (t) => {
      for (const path of [
        '/audit/streams/nonsense/x/events',
        '/audit/streams/appointment/nonsense/events',
        '/audit/streams/story/nonsense/events',
        '/audit/streams/account/nonsense/state',
        `${at}/state?version=-1`,
        `${at}/state?version=1&asOf=${beforeBooking}`,
      ])
        t.equal((await auditor.get(path)).status, 422, path);
      const unknown = appointmentIdOf({ providerId: provider.accountId, day: inDays(3), uuid: randomUUID() });
      for (const path of [`appointment/${unknown}`, `story/${randomUUID()}`, `account/${randomUUID()}`])
        t.equal((await auditor.get(`/audit/streams/${path}/events`)).status, 404, path);
    });
  });

  t.test('the history of an account shows neither address nor hash', async (t) => {
    const at = `/audit/streams/account/${client.accountId}`;
    const events = await auditor.get(`${at}/events`);
    const [registered] = events.body.data.events;
    t.match(registered, {
      type: 'AccountRegistered',
      data: { email: `${client.email[0]}***@example.org`, displayName: '***' },
    });
    for (const reader of [auditor, admin])
      for (const path of ['events', 'state']) {
        const text = JSON.stringify((await reader.get(`${at}/${path}`)).body);
        t.notMatch(text, /passwordHash|emailHash|\$2[aby]\$|secret:/, path);
      }
    t.match((await admin.get(`${at}/events`)).body.data.events[0].data, { email: client.email });
  });

  t.test('the history of a session keeps cards face down for everybody', async (t: Test) => {
    const session = (await client.post('/sessions', { name: 'Cards' })).body.data;
    const story = (await client.post(`/sessions/${session.id}/stories`, { title: 'A story' })).body.data;
    await client.post(`/sessions/${session.id}/stories/${story.id}/open`);
    const vote = await client.put(`/sessions/${session.id}/stories/${story.id}/vote`, { value: '13' });
    t.equal(vote.status, 200);
    const token = { 'consistency-token': vote.headers.get('consistency-token') ?? '' };
    for (const reader of [auditor, admin])
      for (const streamType of ['session', 'estimationSession']) {
        const { body } = await reader.get(`/audit/streams/${streamType}/${session.id}/events?limit=50`, token);
        const cast = body.data.events.find(({ type }: { type: string }) => type === 'VoteCast');
        t.match(cast.data, { participantId: client.accountId, value: '***' });
        t.notOk('salt' in cast.data);
        const state = await reader.get(`/audit/streams/${streamType}/${session.id}/state`, token);
        t.strictSame(state.body.data.state.round.votes, { [client.accountId]: '***' });
      }
    const own = await auditor.get(`/audit/streams/story/${story.id}/events`, token);
    t.strictSame(
      own.body.data.events.map(({ version, type }: { version: number; type: string }) => [version, type]),
      [
        [0, 'StoryAdded'],
        [1, 'VotingOpened'],
        [2, 'VoteCast'],
      ],
    );
    t.match((await auditor.get(`/audit/streams/story/${story.id}/state?version=0`, token)).body.data, {
      state: { title: 'A story', status: 'pending' },
    });
    const entry = await auditor.get(`/audit/logs?stream=estimationSession-${session.id}&type=VoteCast`, token);
    const detail = await admin.get(`/audit/logs/${items(entry)[0]?.id}`, token);
    t.match(detail.body.data, { data: { value: '***' } });
    const changes: { path: string }[] = detail.body.data.changes;
    t.match(
      changes.find(({ path }) => path.startsWith('round.votes.')),
      { path: `round.votes.${client.accountId}`, after: '***' },
    );
  });
});
