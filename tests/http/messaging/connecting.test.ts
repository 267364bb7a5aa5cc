import t from 'tap';
import { calendarService, OUT } from '../../support/calendar.ts';
import { TOKENS } from '../../support/google.ts';
import { eventually } from '../../support/service.ts';

t.test('connecting accounts elsewhere', async (t) => {
  const service = await calendarService(t);
  const { there, initiate, begin, consent, comeBack, connect, newBrowser, told } = service;
  const CALENDAR = 'https://www.googleapis.com/auth/calendar.events';
  const JSON_WANTED = { accept: 'application/json' };

  t.test('beginning to connect Google', async (t) => {
    const ada = await service.user('Ada');
    t.test('asks for the calendar alone, with PKCE, state and nonce, and ties it to the browser', async (t) => {
      const { status, headers, body } = await initiate(ada);
      t.equal(status, 200);
      const url = new URL(body.data.authorizationUrl);
      t.equal(url.origin, there.url);
      t.match(Object.fromEntries(url.searchParams), {
        client_id: there.client.id,
        redirect_uri: 'http://convene.test/api/v1/oauth/callback',
        scope: `openid email ${CALENDAR}`,
        code_challenge_method: 'S256',
        state: body.data.state,
        nonce: /^[0-9a-f]{64}$/,
        access_type: 'offline',
        include_granted_scopes: 'true',
      });
      t.match(
        headers.get('set-cookie'),
        /^integration-[0-9a-f]{16}=[0-9a-f]{64}; Max-Age=600; Path=\/api\/v1\/oauth\/callback; HttpOnly; Secure; SameSite=Lax$/,
      );
      t.strictSame(Object.keys(body.data).sort(), ['authorizationUrl', 'expiresAt', 'state']);
    });
    t.test('is refused for what cannot be asked', async (t) => {
      const answers = async (more: object) => {
        const { status, body } = await initiate(ada, more);
        return [status, body.error?.details?.[0]?.field ?? body.error?.reason];
      };
      t.strictSame(await answers({ capabilities: undefined }), [422, 'capabilities']);
      t.strictSame(await answers({ scopes: [CALENDAR] }), [422, 'capabilities']);
      t.strictSame(await answers({ capabilities: undefined, scopes: ['https://mail.google.com/'] }), [422, 'scopes.0']);
      t.strictSame(await answers({ capabilities: ['calendar', 'repos'] }), [422, 'capabilities.1']);
      t.strictSame(await answers({ redirectUri: 'https://evil.example/' }), [422, 'redirectUri']);
      t.strictSame(await answers({ redirectUri: 'javascript:alert(1)' }), [422, 'redirectUri']);
      t.strictSame(await answers({ redirectUri: 'https://ada@app.example.org/' }), [422, 'redirectUri']);
      t.equal((await initiate(ada, { redirectUri: 'http://localhost:5173/integrations' })).status, 200);
      t.strictSame(await answers({ provider: 'github', capabilities: ['repos'] }), [403, 'plan-required']);
      const admin = await service.admin();
      const { status, body } = await initiate(admin, { provider: 'github', capabilities: ['repos'] });
      t.strictSame([status, body.error.reason], [503, 'provider-not-configured']);
    });
    t.test('needs a login, and no API key will do', async (t) => {
      t.equal((await service.anonymous.post('/oauth/initiate', {})).status, 401);
      t.equal((await service.anonymous.get('/oauth/integrations')).status, 401);
    });
  });

  t.test('coming back', async (t) => {
    const ada = await service.user('Ada');
    t.test('connects, and tells nobody the tokens', async (t) => {
      const { as, out } = await connect(ada);
      t.equal(out.href, `${OUT}&status=connected`);
      const { body } = await ada.get('/oauth/integrations');
      t.match(body.data.integrations, [
        {
          provider: 'google',
          externalAccount: as.email,
          scopes: [CALENDAR],
          capabilities: ['calendar'],
          status: 'active',
          lastUsedAt: null,
        },
      ]);
      t.equal(body.data.pagination.total, 1);
      t.match((await ada.get('/calendar/status')).body.data, {
        connected: true,
        configured: true,
        account: as.email,
        needsReconnect: false,
        failures: 0,
      });
      const providers = (await ada.get('/oauth/providers')).body.data.providers;
      t.match(providers[0], { provider: 'google', configured: true, connected: true });
      t.match(providers[2], { provider: 'github', configured: false, planNeeded: 'integrate:external-services' });
      t.match((await ada.get('/oauth/status')).body.data.counts, {
        total: 1,
        active: 1,
        expired: 0,
        needs_reconnect: 0,
      });

      const { rows } = await service.pool.query<{ all: string }>(
        `select coalesce(string_agg(data || metadata, ' '), '') as all from log.events`,
      );
      t.ok((rows[0]?.all ?? '').length > 1000);
      t.notMatch(rows[0]?.all, TOKENS);
      t.notMatch(rows[0]?.all, /@gmail\.test/);
      const { rows: tables } = await service.pool.query<{ all: string }>(
        `select string_agg(r::text, ' ') as all from read.integrations r`,
      );
      t.notMatch(tables[0]?.all, TOKENS);
      const mine = await ada.get('/users/me/personal-data');
      t.match(JSON.stringify(mine.body), as.email, 'the person is told what the outside account is called');
      t.notMatch(JSON.stringify(mine.body), TOKENS);
    });
    t.test('counts once, and only for whoever began', async (t) => {
      there.control.as = there.settle();
      const flow = await begin(ada);
      const back = await consent(flow);
      const eve = await service.user('Eve');
      const stranger = await comeBack(newBrowser(), back);
      t.match(stranger, { status: 401, body: { error: { reason: 'state-invalid' } } });
      t.equal(stranger.headers.get('location'), null);
      t.equal((await comeBack(newBrowser(), back, { authorization: `Bearer ${eve.token}` })).status, 401);
      t.match((await comeBack(flow.visit, back, JSON_WANTED)).body.data, { status: 'connected', missing: [] });
      t.equal((await comeBack(flow.visit, back)).status, 401);
      back.searchParams.set('state', '0'.repeat(64));
      t.equal((await comeBack(flow.visit, back)).status, 401);
      back.searchParams.delete('code');
      t.equal((await comeBack(flow.visit, back)).status, 422);
    });
    t.test('is enough with the login of the same account', async (t) => {
      there.control.as = there.settle();
      const back = await consent(await begin(ada));
      const { status, body } = await comeBack(newBrowser(), back, {
        ...JSON_WANTED,
        authorization: `Bearer ${ada.token}`,
      });
      t.match({ status, body }, { status: 200, body: { data: { status: 'connected' } } });
    });
    t.test('tells what did not come about', async (t) => {
      const reasonOf = async () => {
        const flow = await begin(ada);
        const answer = await comeBack(flow.visit, await consent(flow));
        return new URL(answer.headers.get('location') ?? '').searchParams;
      };
      there.control.as = there.settle();
      there.control.deny = true;
      t.match(Object.fromEntries(await reasonOf()), { tab: 'calendar', status: 'error', reason: 'denied' });
      const flow = await begin(ada);
      t.match(await comeBack(flow.visit, await consent(flow), JSON_WANTED), {
        status: 422,
        body: { error: { reason: 'connection-denied' } },
      });
      there.control.deny = false;
      there.control.tokenFault = { status: 400, body: { error: 'invalid_grant' } };
      t.equal((await reasonOf()).get('reason'), 'exchange-failed');
      there.control.tokenFault = { status: 503, body: {} };
      t.equal((await reasonOf()).get('reason'), 'unavailable');
      there.control.tokenFault = undefined;
    });
    t.test('counts what was granted, not what was asked', async (t) => {
      const ben = await service.user('Ben');
      there.control.grant = (asked) => asked.filter((scope) => !scope.includes('calendar'));
      const { out } = await connect(ben, there.settle(), { capabilities: ['calendar', 'contacts'] });
      there.control.grant = undefined;
      t.equal(out.searchParams.get('missing'), CALENDAR);
      const { body } = await ben.get('/oauth/integrations');
      t.match(body.data.integrations[0], { capabilities: ['contacts'], status: 'active' });
      t.equal((await ben.get('/calendar/status')).body.data.connected, false);
    });
  });

  t.test('a connection', async (t) => {
    t.test('is extended by what is missing', async (t) => {
      const ada = await service.user('Ada');
      const { as } = await connect(ada);
      const { body } = await initiate(ada, { capabilities: ['email'] });
      const scope = new URL(body.data.authorizationUrl).searchParams.get('scope') ?? '';
      t.match(scope, /gmail\.send/);
      t.notMatch(scope, /calendar/);
      await connect(ada, as, { capabilities: ['email'] });
      const { body: after } = await ada.get('/oauth/integrations');
      t.equal(after.data.integrations.length, 1);
      t.strictSame(after.data.integrations[0].capabilities.sort(), ['calendar', 'email']);
      await connect(ada, there.settle(), { capabilities: ['email'] });
      t.equal((await ada.get('/oauth/integrations')).body.data.integrations.length, 2, 'another outside account');
    });
    t.test('belongs to its account', async (t) => {
      const [ada, eve] = [await service.user('Ada'), await service.user('Eve')];
      await connect(ada);
      const id = (await ada.get('/oauth/integrations')).body.data.integrations[0].id;
      t.equal((await eve.post(`/oauth/integrations/${id}/refresh`)).status, 404);
      t.equal((await eve.delete(`/oauth/integrations/${id}`)).status, 404);
      t.equal((await eve.delete('/calendar/google')).status, 404);
      t.equal((await ada.post('/oauth/integrations/nonsense/refresh')).status, 422);
    });
    t.test('is refreshed, by one at a time', async (t) => {
      const ada = await service.user('Ada');
      await connect(ada);
      there.control.rotate = true;
      const id = (await ada.get('/oauth/integrations')).body.data.integrations[0].id;
      const before = there.asks.refreshes;
      const gate = Promise.withResolvers<void>();
      there.control.gate = gate.promise;
      const asking = Array.from({ length: 8 }, () => ada.post(`/oauth/integrations/${id}/refresh`));
      const inFlight = async () => {
        const metrics = await (await fetch(`${service.url}/metrics`)).text();
        return Number(/^convene_http_requests_in_flight (\d+)$/m.exec(metrics)?.[1]);
      };
      // This one is counted too.
      await eventually(inFlight, (count) => count > asking.length);
      // By the time that these are answered, those have been judged.
      for (let asked = 0; asked < 10; asked += 1) await ada.get('/oauth/status');
      gate.resolve();
      const answers = await Promise.all(asking);
      there.control.gate = undefined;
      t.strictSame([...new Set(answers.map(({ status }) => status))], [200]);
      t.match(answers[0]?.body.data, { id, status: 'active' });
      t.equal(there.asks.refreshes, before + 1);
      there.control.rotate = false;
    });
    t.test('is as before when the provider gives no answer, and needs its holder when it refuses', async (t) => {
      const ada = await service.user('Ada');
      const { as } = await connect(ada);
      const id = (await ada.get('/oauth/integrations')).body.data.integrations[0].id;
      const refresh = async () => {
        const { status, body } = await ada.post(`/oauth/integrations/${id}/refresh`);
        return [status, body.error?.reason];
      };
      there.control.tokenFault = { status: 503, body: {} };
      t.strictSame(await refresh(), [503, 'provider-unavailable']);
      there.control.tokenFault = { status: 401, body: { error: 'invalid_client' } };
      t.strictSame(await refresh(), [503, 'provider-unavailable']);
      there.control.tokenFault = undefined;
      t.strictSame(await refresh(), [200, undefined]);
      there.revoke(as.sub);
      t.strictSame(await refresh(), [409, 'needs-reconnect']);
      const asked = there.asks.refreshes;
      t.strictSame(await refresh(), [409, 'needs-reconnect']);
      t.equal(there.asks.refreshes, asked, 'it is not tried again');
      const standing = await eventually(
        async () => (await ada.get('/oauth/status')).body.data,
        ({ counts }) => counts.needs_reconnect === 1,
      );
      t.match(standing, { counts: { total: 1 }, providers: [{ connected: false, status: 'needs_reconnect' }] });
      t.match(await service.message(ada.email, 'integration-reconnect'), { subject: /connect Google again/ });
      await connect(ada, as);
      t.match((await ada.get('/oauth/integrations')).body.data.integrations, [{ id, status: 'active' }]);
    });
    t.test('ends here and there, and its tokens with it', async (t) => {
      const ada = await service.user('Ada');
      const { as } = await connect(ada);
      const id = (await ada.get('/oauth/integrations')).body.data.integrations[0].id;
      t.equal((await ada.delete(`/oauth/integrations/${id}`)).status, 200);
      t.match(there.asks.revoked.at(-1), /^1\/\//);
      t.match((await ada.get('/oauth/status')).body.data.counts, { total: 0 });
      t.match((await ada.get('/oauth/integrations?status=revoked')).body.data.integrations, [
        { id, status: 'revoked' },
      ]);
      const [connected] = (await told('IntegrationConnected')).filter(({ integrationId }) => integrationId === id);
      const { rows } = await service.pool.query('select wrapped from convene.subject_keys where subject = $1', [
        connected?.tokenKey,
      ]);
      t.strictSame(rows, [{ wrapped: null }]);
      t.equal((await ada.delete(`/oauth/integrations/${id}`)).status, 200, 'once more');
      const { status, body } = await ada.post(`/oauth/integrations/${id}/refresh`);
      t.strictSame([status, body.error.reason], [409, 'revoked']);
      await connect(ada, as);
      t.match((await ada.get('/oauth/integrations')).body.data.integrations, [{ id, status: 'active' }]);
      const refreshed = await ada.post(`/oauth/integrations/${id}/refresh`);
      t.equal(refreshed.status, 200, 'a new key for new tokens');
    });
    t.test('ends with the account', async (t) => {
      const ada = await service.user('Ada');
      await connect(ada);
      const id = (await ada.get('/oauth/integrations')).body.data.integrations[0].id;
      there.control.as = there.settle();
      const flow = await begin(ada);
      const back = await consent(flow);
      const revoked = there.asks.revoked.length;
      await ada.delete('/users/me', { password: 'Correct-horse-7' });
      await eventually(
        async () => (await told('IntegrationRevoked')).filter(({ integrationId }) => integrationId === id),
        ({ length }) => length > 0,
      );
      await eventually(
        async () => there.asks.revoked.length,
        (now) => now > revoked,
      );
      const { searchParams } = new URL((await comeBack(flow.visit, back)).headers.get('location') ?? '');
      t.equal(searchParams.get('reason'), 'account-inactive');
    });
    t.test('is erased with its person', async (t) => {
      const ada = await service.user('Ada');
      const { as } = await connect(ada);
      const id = (await ada.get('/oauth/integrations')).body.data.integrations[0].id;
      const { status } = await ada.delete('/users/me/personal-data', {
        confirm: ada.email,
        password: 'Correct-horse-7',
      });
      t.equal(status, 200);
      const [connected] = (await told('IntegrationConnected')).filter(({ integrationId }) => integrationId === id);
      const { rows } = await service.pool.query('select wrapped from convene.subject_keys where subject = any($1)', [
        [connected?.tokenKey, ada.accountId],
      ]);
      t.strictSame(rows, [{ wrapped: null }, { wrapped: null }]);
      const row = () => service.pool.query('select * from read.integrations where integration_id = $1', [id]);
      const after = await eventually(
        row,
        ({ rows }) => rows[0]?.external_account === null && rows[0]?.status === 'revoked',
      );
      t.notMatch(JSON.stringify(after.rows), as.email);
    });
  });
});
