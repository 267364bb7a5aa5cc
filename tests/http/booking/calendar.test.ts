import t from 'tap';
import { calendarService } from '../../support/calendar.ts';
import { type Fault, type Googler, insufficient, quota, TOKENS } from '../../support/google.ts';
import { type Client, eventually } from '../../support/service.ts';
import { seeded } from '../../torture/random.ts';

t.test('appointments in a calendar', async (t) => {
  const service = await calendarService(t);
  const { there, connect, newProvider, book, stands, heals, quiet, hurry, told } = service;

  /** Does something to the next calls only, and to none that others made before. */
  const next = async (...faults: readonly (Fault | undefined)[]): Promise<void> => {
    await quiet();
    const left = [...faults];
    there.control.fault = () => left.shift();
  };
  const always = (fault: Fault | undefined): void => {
    there.control.fault = fault === undefined ? undefined : () => fault;
  };

  t.test('an appointment', async (t) => {
    const doctor = await newProvider({ meetingLink: 'https://meet.example.org/grace' });
    t.test('is booked by people without a calendar, and tells so', async (t) => {
      const ada = await service.user('Ada');
      const id = await book(ada, doctor.nextSlot());
      t.match(await stands(ada, id, 'skipped'), { status: 'SCHEDULED', googleEventId: null });
      const { body } = await ada.post(`/appointments/${id}/calendar/retry`);
      t.equal(body.error.reason, 'calendar-not-connected');
      t.equal(there.calls().length, 0);
      t.match((await ada.get('/calendar/status')).body.data, { connected: false, configured: true, account: null });
    });

    t.test('stands in the calendars of both, moves, changes and goes', async (t) => {
      const ada = await service.user('Ada');
      const { as: hers } = await connect(ada);
      const { as: his } = await connect(doctor);
      const id = await book(ada, doctor.nextSlot(), { notes: 'Bring the X-rays', timezone: 'America/New_York' });
      const { startTime, googleEventId } = await stands(ada, id, 'synced');
      await stands(doctor, id, 'synced');
      const [event] = there.seen(hers.sub);
      const local = (zone: string, instant: string) =>
        Temporal.Instant.from(instant).toZonedDateTimeISO(zone).toString({ timeZoneName: 'never' });
      t.match(event, {
        id: googleEventId,
        summary: 'Consultation Session',
        location: 'https://meet.example.org/grace',
        start: { dateTime: local('America/New_York', startTime), timeZone: 'America/New_York' },
        reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 15 }] },
      });
      t.match(event?.description, /With: Dr\. Grace[\s\S]*Length: 30 minutes[\s\S]*Bring the X-rays/);
      const other = there.seen(his.sub).find(({ description }) => /X-rays/.test(String(description)));
      t.match(other, { start: { timeZone: 'Europe/Luxembourg' } });
      t.match(other?.description, /Client: Ada[\s\S]*Bring the X-rays/);
      t.not(other?.id, event?.id);
      t.match(googleEventId, /^[0-9a-v]{5,1024}$/);

      const slotId = doctor.nextSlot();
      const moved = await ada.put(`/appointments/${id}`, { slotId });
      const at = local('America/New_York', moved.body.data.startTime);
      await eventually(
        async () => there.seen(hers.sub),
        ([one]) => (one?.start as { dateTime: string })?.dateTime === at,
      );
      t.equal(there.seen(hers.sub).length, 1);
      await ada.put(`/appointments/${id}`, { notes: null });
      await eventually(
        async () => there.seen(his.sub),
        (all) => !all.some(({ description }) => /X-rays/.test(String(description))),
      );
      await ada.delete(`/appointments/${id}`);
      await stands(ada, id, 'removed');
      await stands(doctor, id, 'removed');
      t.strictSame(there.seen(hers.sub), []);
      t.notOk(there.seen(his.sub).some((one) => one.id === other?.id));
      t.match((await ada.get('/appointments')).body.data.appointments, [{ id, calendarStatus: 'removed' }]);
      const { appointments } = (await doctor.get('/provider/appointments')).body.data;
      t.equal(appointments.find((one: { id: string }) => one.id === id).calendarStatus, 'removed');
      const { lastSyncAt, failures } = (await ada.get('/calendar/status')).body.data;
      t.match({ lastSyncAt, failures }, { lastSyncAt: String, failures: 0 });
      t.match((await ada.get('/oauth/integrations')).body.data.integrations[0].lastUsedAt, String);
      const { rows } = await service.pool.query<{ all: string }>(
        `select string_agg(j::text, ' ') as all from pgboss.job j`,
      );
      t.notMatch(rows[0]?.all, TOKENS, 'no job holds a token');
      t.notMatch(rows[0]?.all, /X-rays|Ada|@/, 'no job tells of anybody');
    });

    t.test('follows the meeting link, and a calendar that is connected later', async (t) => {
      const grace = await newProvider();
      const ada = await service.user('Ada');
      const id = await book(ada, grace.nextSlot());
      await stands(ada, id, 'skipped');
      const { as } = await connect(ada);
      await stands(ada, id, 'synced');
      t.match(there.seen(as.sub), [{ location: '' }]);
      const { status } = await grace.put('/provider/profile', {
        displayName: 'Dr. Grace',
        meetingLink: 'https://meet.example.org/new',
      });
      t.equal(status, 200);
      await eventually(
        async () => there.seen(as.sub),
        ([one]) => one?.location === 'https://meet.example.org/new',
      );
    });

    t.test('comes back when its holder took it out and it moves, and goes when he did', async () => {
      const ada = await service.user('Ada');
      const { as } = await connect(ada);
      const id = await book(ada, doctor.nextSlot());
      const { googleEventId } = await stands(ada, id, 'synced');
      const throwAway = () => there.forget(as.sub, googleEventId);
      throwAway();
      await ada.put(`/appointments/${id}`, { slotId: doctor.nextSlot() });
      await eventually(
        async () => there.seen(as.sub),
        ({ length }) => length === 1,
      );
      throwAway();
      await ada.delete(`/appointments/${id}`);
      await stands(ada, id, 'removed');
    });
  });

  t.test('a calendar that fails', async (t) => {
    const doctor = await newProvider();
    const ada = await service.user('Ada');
    const { as } = await connect(ada);
    await service.rest();
    const faults: readonly (readonly [string, Fault])[] = [
      ['did it and loses the answer', 'cut'],
      ['loses the call', 'lost'],
      ['does it later', 'held'],
      ['breaks', { status: 500 }],
      ['is down', { status: 503, headers: { 'retry-after': '1' } }],
      ['is not switched on', { status: 403, body: { error: { errors: [{ reason: 'accessNotConfigured' }] } } }],
    ];
    for (const [what, fault] of faults)
      t.test(`costs no booking and heals when it ${what}`, async (t) => {
        await next(fault);
        const since = Date.now();
        const id = await book(ada, doctor.nextSlot());
        const [failed] = await eventually(
          () => told('CalendarSyncFailed', id),
          ({ length }) => length > 0,
        );
        t.match(failed, { attempt: 1, final: false, party: 'client', error: /^google-calendar-/ });
        const again = Date.parse(String(failed?.nextAttemptAt));
        t.ok(again >= since + 30_000 && again <= Date.now() + 30_000, `${again - since} ms`);
        t.equal((await ada.get(`/appointments/${id}`)).body.data.calendarStatus, 'pending');
        there.release();
        const { googleEventId } = await heals(ada, id, 'synced');
        t.equal(there.seen(as.sub).filter((event) => event.id === googleEventId).length, 1);
      });

    t.test('writes once what it is told twice', async (t) => {
      const before = there.seen(as.sub).length;
      always('twice');
      const id = await book(ada, doctor.nextSlot());
      await stands(ada, id, 'synced');
      t.equal(there.seen(as.sub).length, before + 1);
      await ada.delete(`/appointments/${id}`);
      await stands(ada, id, 'removed');
      always(undefined);
      t.equal(there.seen(as.sub).length, before);
      t.strictSame(await told('CalendarSyncFailed', id), []);
    });

    t.test('does not bring back what was cancelled, however late the creation comes through', async (t) => {
      const before = there.seen(as.sub).length;
      await next('held');
      const id = await book(ada, doctor.nextSlot());
      await eventually(
        () => told('CalendarSyncFailed', id),
        ({ length }) => length > 0,
      );
      await ada.delete(`/appointments/${id}`);
      await stands(ada, id, 'removed');
      t.equal(there.release(), 1);
      t.equal(there.seen(as.sub).length, before + 1, 'there it is');
      await eventually(
        async () => hurry().then(() => there.seen(as.sub).length),
        (length) => length === before,
      );
      await stands(ada, id, 'removed');
    });

    t.test('is asked again when it wants, which counts against nobody', async (t) => {
      for (const [faultOf, seconds] of [
        [() => quota(429, '7'), 7],
        [() => quota(429, new Date(Date.now() + 100_000).toUTCString()), 100],
        [() => quota(403), 60],
      ] as const) {
        await quiet();
        const since = Date.now();
        await next(faultOf());
        const id = await book(ada, doctor.nextSlot());
        const [postponed] = await eventually(
          () => told('CalendarSyncPostponed', id),
          ({ length }) => length > 0,
        );
        t.match(postponed, { attempt: 1, party: 'client' });
        const until = Date.parse(String(postponed?.until));
        // A date of HTTP tells no milliseconds.
        t.ok(until > since + (seconds - 1) * 1000 && until <= Date.now() + seconds * 1000, `${until - since} ms`);
        await heals(ada, id, 'synced');
        t.strictSame(await told('CalendarSyncFailed', id), []);
      }
    });

    t.test('is given up after six attempts, and tried again by a click', async (t) => {
      always({ status: 403, body: { error: { errors: [{ reason: 'accessNotConfigured' }] } } });
      const id = await book(ada, doctor.nextSlot());
      await heals(ada, id, 'failed');
      const failures = await told('CalendarSyncFailed', id);
      t.strictSame(
        failures.map(({ attempt, final }) => [attempt, final]),
        [1, 2, 3, 4, 5, 6].map((attempt) => [attempt, attempt === 6]),
      );
      t.equal((await ada.get('/calendar/status')).body.data.failures, 1);
      always(undefined);
      const eve = await service.user('Eve');
      t.equal((await eve.post(`/appointments/${id}/calendar/retry`)).status, 404);
      t.match(await ada.post(`/appointments/${id}/calendar/retry`), {
        status: 200,
        body: { data: { calendarStatus: 'pending' } },
      });
      await stands(ada, id, 'synced');
      t.equal((await ada.get('/calendar/status')).body.data.failures, 0);
      const again = await ada.post(`/appointments/${id}/calendar/retry`);
      t.match(again.body.data, { calendarStatus: 'synced' });
      t.equal((await told('CalendarSyncRequested', id)).length, 1, 'nothing to do');
    });
  });

  t.test('tokens', async (t) => {
    const doctor = await newProvider();
    const ada = await service.user('Ada');
    const { as } = await connect(ada);
    await service.rest();
    /** How the calendar of somebody stands, once the connection does so: what jobs do to it shows in a read model of its own. */
    const connected = async (who: Client, needsReconnect: boolean) =>
      (
        await eventually(
          () => who.get('/calendar/status'),
          ({ body }) => body.data.needsReconnect === needsReconnect,
        )
      ).body.data;
    t.test('that do not count any more are refreshed, once', async () => {
      there.expire();
      const before = there.asks.refreshes;
      const id = await book(ada, doctor.nextSlot());
      await stands(ada, id, 'synced');
      t.equal(there.asks.refreshes, before + 1);
    });
    t.test('with less than five minutes to live are refreshed before', async (t) => {
      there.expire();
      there.control.life = 299;
      await stands(ada, await book(ada, doctor.nextSlot()), 'synced');
      const [refreshes, calls] = [there.asks.refreshes, there.calls().length];
      there.control.life = 3600;
      await stands(ada, await book(ada, doctor.nextSlot()), 'synced');
      t.strictSame([there.asks.refreshes, there.calls().length], [refreshes + 1, calls + 1]);
      await stands(ada, await book(ada, doctor.nextSlot()), 'synced');
      t.equal(there.asks.refreshes, refreshes + 1);
    });
    t.test('that are not to be had for the moment are tried for later', async (t) => {
      there.expire();
      there.control.tokenFault = { status: 503, body: {} };
      const id = await book(ada, doctor.nextSlot());
      const [failed] = await eventually(
        () => told('CalendarSyncFailed', id),
        ({ length }) => length > 0,
      );
      t.match(failed, { error: 'refresh-unavailable', final: false });
      there.control.tokenFault = undefined;
      await heals(ada, id, 'synced');
    });
    t.test('that Google took back are not asked for again, until somebody connects anew', async (t) => {
      there.revoke(as.sub);
      const id = await book(ada, doctor.nextSlot());
      await stands(ada, id, 'failed');
      t.match(await told('CalendarSyncFailed', id), [{ error: 'needs-reconnect', final: true }]);
      t.match(await connected(ada, true), { connected: false, failures: 1 });
      await service.message(ada.email, 'integration-reconnect');
      const [refreshes, calls] = [there.asks.refreshes, there.calls().length];
      const other = await book(ada, doctor.nextSlot());
      await stands(ada, other, 'failed');
      t.strictSame([there.asks.refreshes, there.calls().length], [refreshes, calls]);
      await connect(ada, as);
      await stands(ada, id, 'synced');
      await stands(ada, other, 'synced');
      t.match(await connected(ada, false), { connected: true, failures: 0 });
    });
    t.test('that cannot be refreshed do until they end', async (t) => {
      const ben = await service.user('Ben');
      there.control.offline = false;
      there.control.life = 200;
      const { as: his } = await connect(ben);
      await stands(ben, await book(ben, doctor.nextSlot()), 'synced');
      t.equal((await ben.get('/oauth/integrations')).body.data.integrations[0].status, 'active');
      there.control.life = 1;
      await connect(ben, his);
      await eventually(
        () => ben.get('/oauth/integrations'),
        ({ body }) => body.data.integrations[0].status === 'expired',
      );
      const id = await book(ben, doctor.nextSlot());
      await stands(ben, id, 'failed');
      await connected(ben, true);
      t.match((await ben.get('/oauth/integrations')).body.data.integrations[0].status, 'needs_reconnect');
      Object.assign(there.control, { offline: true, life: 3600 });
      await connect(ben, his);
      await stands(ben, id, 'synced');
    });
    t.test('that do not reach as far as the calendar need their holder', async () => {
      await next(insufficient);
      const id = await book(ada, doctor.nextSlot());
      await stands(ada, id, 'failed');
      await connected(ada, true);
      await connect(ada, as);
      await stands(ada, id, 'synced');
    });
  });

  t.test('a calendar that is disconnected', async (t) => {
    const doctor = await newProvider();
    t.test('keeps what was written, and gets nothing more', async (t) => {
      const ada = await service.user('Ada');
      const { as } = await connect(ada);
      const id = await book(ada, doctor.nextSlot());
      await stands(ada, id, 'synced');
      t.equal((await ada.delete('/calendar/google')).status, 200);
      t.match(there.asks.revoked.at(-1), /^1\/\//);
      t.match((await ada.get('/calendar/status')).body.data, { connected: false, account: null });
      t.equal((await ada.delete('/calendar/google')).status, 404);
      await ada.delete(`/appointments/${id}`);
      await stands(ada, id, 'skipped');
      t.equal(there.seen(as.sub).length, 1);
    });
    t.test('loses what was written where its holder wants that, also when that takes a while', async (t) => {
      const ada = await service.user('Ada');
      const { as } = await connect(ada);
      const ids = [await book(ada, doctor.nextSlot()), await book(ada, doctor.nextSlot())];
      for (const id of ids) await stands(ada, id, 'synced');
      await next('lost');
      const revoked = there.asks.revoked.length;
      t.equal((await ada.delete('/calendar/google?removeEvents=true')).status, 200);
      t.equal((await ada.get('/calendar/status')).body.data.connected, false);
      await eventually(
        async () => hurry().then(() => there.seen(as.sub)),
        ({ length }) => length === 0,
      );
      await eventually(
        async () => there.asks.revoked.length,
        (now) => now === revoked + 1,
      );
      for (const id of ids) await stands(ada, id, 'removed');
      const revocations = await told('IntegrationRevoked');
      t.match(revocations.at(-1), { by: 'owner' });
      await connect(ada, as);
      for (const id of ids) await stands(ada, id, 'synced');
      t.equal(there.seen(as.sub).length, 2, 'ids that were used up are used again');
    });
    t.test('leaves what else the connection is for', async (t) => {
      const ada = await service.user('Ada');
      const { as } = await connect(ada, undefined, { capabilities: ['calendar', 'contacts'] });
      const id = await book(ada, doctor.nextSlot());
      await stands(ada, id, 'synced');
      t.equal((await ada.delete('/calendar/google', { removeEvents: true })).status, 200);
      await stands(ada, id, 'removed');
      t.match((await ada.get('/oauth/integrations')).body.data.integrations, [
        { status: 'active', capabilities: ['contacts'] },
      ]);
      t.equal(there.seen(as.sub).length, 0);
    });
  });

  t.test('any history of appointments ends in calendars that say the same, however Google behaves', async (t) => {
    const doctor = await newProvider();
    const { as: his } = await connect(doctor);
    const people: { who: Client; as: Googler }[] = [];
    for (const name of ['Ada', 'Ben', 'Cleo']) {
      const who = await service.user(name);
      people.push({ who, as: (await connect(who)).as });
    }
    const { next: random, chance, pick } = seeded('calendars', 1);
    const faults: readonly Fault[] = ['cut', 'lost', 'held', 'twice', 'twice', quota(429, '1'), quota(403)];
    let [silent, successes] = [0, 0];
    there.control.fault = () => {
      const fault = chance(0.3) ? pick(faults) : undefined;
      if (there.successes() > successes) [silent, successes] = [0, there.successes()];
      if (fault !== 'cut' && fault !== 'lost' && fault !== 'held') return fault;
      silent += 1;
      // Five without an answer, a conflict being none, and nobody is asked any more for half a minute, in which attempts
      // that are hurried run out. Some are under way at once: those before a success may be noticed after it.
      return silent > 2 ? undefined : fault;
    };

    const booked: { who: (typeof people)[number]; id: string }[] = [];
    for (let step = 0; step < 30; step += 1) {
      const one = booked.length > 4 ? pick(booked) : undefined;
      const doing = random();
      if (chance(0.3)) there.release();
      if (one === undefined || doing < 0.4) {
        const who = pick(people);
        const slotId = doctor.nextSlot();
        if (slotId !== '') booked.push({ who, id: await book(who.who, slotId) });
      } else if (doing < 0.6) await one.who.who.put(`/appointments/${one.id}`, { notes: `Note ${step}` });
      else if (doing < 0.75) await one.who.who.delete(`/appointments/${one.id}`);
      else {
        const slotId = doctor.nextSlot();
        if (slotId !== '') await one.who.who.put(`/appointments/${one.id}`, { slotId });
      }
    }
    there.control.fault = undefined;
    there.release();

    type Entry = { readonly at: number; readonly notes: string };
    const entries = (all: readonly Entry[]): string =>
      JSON.stringify([...all].sort((a, b) => a.at - b.at).map(({ at, notes }) => [at, notes]));
    const seen = (sub: string): string =>
      entries(
        there.seen(sub).map(({ start, description }) => ({
          at: Date.parse((start as { dateTime: string }).dateTime),
          notes: /Notes:\n(.*)/.exec(String(description))?.[1] ?? '',
        })),
      );
    const wanted = async (who: Client, path: string): Promise<string> => {
      const { body } = await who.get(`${path}?status=SCHEDULED&limit=50`);
      return entries(
        body.data.appointments.map(({ startTime, notes }: { startTime: string; notes: string | null }) => ({
          at: Date.parse(startTime),
          notes: notes ?? '',
        })),
      );
    };
    const asked = async (): Promise<void> => {
      await hurry();
      for (const { error } of await told('CalendarSyncFailed'))
        if (error === 'google-calendar-circuit-open') throw new Error('Google is not asked any more');
    };
    t.ok(booked.length > 8, `${booked.length} appointments`);
    for (const { who, as } of [...people, { who: doctor, as: his }]) {
      const right = await wanted(who, who === doctor ? '/provider/appointments' : '/appointments');
      const told = await eventually(
        async () => asked().then(() => seen(as.sub)),
        (now) => now === right,
      );
      t.equal(told, right);
    }
    for (const { who, id } of booked)
      await eventually(
        async () => asked().then(() => who.who.get(`/appointments/${id}`)),
        ({ body }) => ['synced', 'removed'].includes(body.data.calendarStatus),
      );
  });
});
