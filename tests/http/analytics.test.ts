import { randomUUID } from 'node:crypto';
import t from 'tap';
import { everyDay, inDays, ZONE } from '../support/practice.ts';
import { type Answer, type Client, eventually, testService } from '../support/service.ts';

const after = ({ headers }: Answer) => ({ 'consistency-token': headers.get('consistency-token') ?? '' });
const fields = ({ body }: Answer): string[] => body.error.details.map(({ field }: { field: string }) => field);

t.test('figures over HTTP', async (t) => {
  const service = await testService(t);
  const admin = await service.admin();
  const [provider, other, client, outsider] = (await Promise.all(
    ['Provider', 'Other', 'Client', 'Outsider'].map((name) => service.user(name)),
  )) as [Client, Client, Client, Client];

  const practice = async (account: Client): Promise<void> => {
    const body = {
      accountId: account.accountId,
      displayName: 'Practice',
      timezone: ZONE,
      priceCents: 5_000,
      currency: 'EUR',
    };
    t.equal((await admin.post('/provider/profiles', body)).status, 201);
    const weekly = everyDay('10:00', '12:30');
    await eventually(
      () => account.put('/provider/availability', { timezone: ZONE, weekly }),
      ({ status }) => status === 200,
    );
  };
  await practice(provider);
  await practice(other);

  t.test('of a booking calendar', async (t) => {
    const opened = await provider.post('/provider/timeslots', { from: inDays(3), to: inDays(4) });
    t.match(opened, { status: 201, body: { data: { created: 10 } } });
    const { body } = await client.get(
      `/appointments/available?providerId=${provider.accountId}&from=${inDays(3)}&to=${inDays(4)}&limit=50`,
      after(opened),
    );
    const book = async (slotId: string): Promise<string> => {
      const answer = await client.post('/appointments', { slotId });
      t.equal(answer.status, 201, JSON.stringify(answer.body));
      return answer.body.data.id;
    };
    const booked: string[] = [];
    for (const { slotId } of body.data.slots.slice(0, 5)) booked.push(await book(slotId));
    const last = await client.delete(`/appointments/${booked[0]}`);

    t.equal(last.status, 200);
    t.test('count offered, booked and cancelled', async (t) => {
      const answer = await provider.get('/analytics/booking', after(last));
      t.equal(answer.status, 200);
      const { totals, series, timezone, revenue } = { ...answer.body.data, ...answer.body.data.totals };
      t.match(totals, {
        offered: 10,
        booked: 5,
        cancelled: 1,
        utilisation: 0.4,
        cancellationRate: 0.2,
        noShowRate: 0,
        completed: 0,
      });
      t.ok(totals.medianLeadMinutes > 2 * 1440 && totals.medianLeadMinutes < 5 * 1440);
      t.strictSame(revenue, [{ currency: 'EUR', amount: 0 }], 'priced, and nobody has attended yet');
      t.equal(timezone, ZONE);
      t.equal(series.length, 61, '30 days back, today, 30 ahead');
      t.match(
        series.filter(({ offered }: { offered: number }) => offered > 0),
        [
          { start: new RegExp(`^${inDays(3)}T00:00:00\\+0[12]:00$`), offered: 5, booked: 5, cancelled: 1 },
          { start: new RegExp(`^${inDays(4)}T`), offered: 5, booked: 0 },
        ],
      );
    });
    t.test('fall into weeks and months with equal sums', async (t) => {
      for (const groupBy of ['week', 'month']) {
        const { body } = await provider.get(`/analytics/booking?groupBy=${groupBy}`);
        const booked = body.data.series.reduce((sum: number, bucket: { booked: number }) => sum + bucket.booked, 0);
        t.equal(booked, 5, groupBy);
        t.ok(body.data.series.length < 12);
      }
    });
    t.test('compare with the span before', async (t) => {
      const { body } = await provider.get(`/analytics/booking?from=${inDays(4)}&to=${inDays(4)}`);
      t.strictSame(body.data.trend, { previousBooked: 5, change: -1 });
    });
    t.test('are a provider’s own; all are for those who may see all', async (t) => {
      t.equal((await client.get('/analytics/booking')).status, 403);
      t.equal((await client.get('/analytics/booking?groupBy=nothing')).status, 403, 'the right comes before the input');
      t.equal((await other.get(`/analytics/booking?providerId=${provider.accountId}`)).status, 403);
      t.equal((await other.get(`/analytics/booking?providerId=${randomUUID()}`)).status, 403, 'known or not');
      const own = await other.get('/analytics/booking');
      t.match(own.body.data, {
        providerId: other.accountId,
        totals: { offered: 0, booked: 0, utilisation: 0, revenue: null },
      });
      t.equal((await admin.get(`/analytics/booking?providerId=${randomUUID()}`)).status, 404);
      t.match((await admin.get(`/analytics/booking?providerId=${provider.accountId}`)).body.data, {
        timezone: ZONE,
        totals: { booked: 5 },
      });
      t.match((await admin.get('/analytics/booking')).body.data, {
        providerId: null,
        timezone: 'UTC',
        totals: { booked: 5 },
      });
    });
    t.test('refuse windows and groups that make no sense', async (t) => {
      for (const [query, field] of [
        ['from=2027-03-02&to=2027-03-01', 'to'],
        ['from=2026-01-01&to=2027-02-04', 'to'],
        ['groupBy=year', 'groupBy'],
        ['groupBy=hour', 'groupBy'],
        ['providerId=x', 'providerId'],
        ['timezone=Nowhere', 'timezone'],
      ] as const) {
        const answer = await provider.get(`/analytics/booking?${query}`);
        t.equal(answer.status, 422, query);
        t.strictSame([...new Set(fields(answer))], [field], query);
      }
      t.equal((await service.anonymous.get('/analytics/booking')).status, 401);
    });
  });

  t.test('of estimation', async (t) => {
    const session = (await client.post('/sessions', { name: 'Figures' })).body.data;
    await other.post(`/sessions/${session.id}/join`);
    const at = `/sessions/${session.id}/stories`;
    const story = async (): Promise<string> => `${at}/${(await client.post(at, { title: 'Story' })).body.data.id}`;
    const round = async (on: string, votes: readonly [string, string], again = false) => {
      await client.post(`${on}/${again ? 'restart' : 'open'}`);
      await client.put(`${on}/vote`, { value: votes[0] });
      await other.put(`${on}/vote`, { value: votes[1] });
      return client.post(`${on}/reveal`);
    };
    const [first, second, third] = [await story(), await story(), await story()];
    await round(first, ['3', '8']);
    await round(first, ['5', '8'], true);
    await client.put(`${first}/estimate`, { value: '8' });
    await round(second, ['5', '5']);
    await client.put(`${second}/estimate`, { value: 'big' });
    await client.post(`${third}/open`);
    const last = await client.put(`${third}/vote`, { value: '89' });

    t.test('count revealed rounds alone', async (t) => {
      const { body, status } = await client.get('/analytics/estimation', after(last));
      t.equal(status, 200);
      t.match(body.data.totals, {
        sessions: 1,
        participants: 2,
        stories: 2,
        storiesEstimated: 2,
        rounds: 3,
        votes: 6,
        roundsPerStory: 1.5,
        firstRoundConsensusRate: 0.5,
        meanSpread: 1.5,
        points: 8,
        otherEstimates: 1,
      });
      t.strictSame(body.data.sessions, [
        { sessionId: session.id, stories: 2, rounds: 3, votes: 6, points: 8, otherEstimates: 1 },
      ]);
      // Ids and times hold any digits; everything else must not hold the card of the round that was never revealed.
      t.notMatch(JSON.stringify(body.data.totals), /89/);
    });
    t.test('are for the facilitator, and for those who may see all', async (t) => {
      const of = (reader: Client, id = session.id) => reader.get(`/analytics/estimation?sessionId=${id}`);
      t.match(await of(client), { status: 200, body: { data: { totals: { rounds: 3 } } } });
      t.match(await of(admin), { status: 200, body: { data: { totals: { rounds: 3 } } } });
      t.equal((await of(other)).status, 403, 'not for who only takes part');
      t.equal((await of(outsider)).status, 404);
      t.equal((await of(admin, randomUUID())).status, 404);
      t.equal((await of(client, 'nonsense')).status, 422);
      t.match((await outsider.get('/analytics/estimation')).body.data, {
        totals: { sessions: 0, rounds: 0, roundsPerStory: 0 },
        sessions: [],
      });
      t.match((await client.get(`/analytics/estimation?from=${inDays(5)}&to=${inDays(6)}`)).body.data, {
        totals: { rounds: 0 },
      });
    });
  });
});
