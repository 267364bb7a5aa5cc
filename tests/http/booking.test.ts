import t from 'tap';
import { codeOf, everyDay, inDays, MONDAY, practice, ZONE } from '../support/practice.ts';
import { sharedService } from '../support/service.ts';

t.test('booking over HTTP', async (t) => {
  const service = await sharedService();
  const { newClient, newProvider, openSlots, freeSlots } = practice(service);

  const provider = await newProvider();
  const opened = await openSlots(provider, inDays(2), inDays(12));
  const carol = await newClient('Carol');
  const dave = await newClient('Dave');

  await t.test('generating slots', async (t) => {
    const doctor = await newProvider({ weekly: [{ dayOfWeek: 1, intervals: [{ start: '09:00', end: '12:00' }] }] });
    t.test('opens six of them for a Monday morning, and none the second time', async (t) => {
      const first = await doctor.post('/provider/timeslots', { from: MONDAY, to: MONDAY });
      t.match(first, { status: 201, body: { data: { created: 6, skipped: 0 } } });
      const nine = Temporal.PlainDateTime.from(`${MONDAY}T09:00`).toZonedDateTime(ZONE).toInstant().epochMilliseconds;
      t.equal(Date.parse(first.body.data.firstStart), nine);
      const again = await doctor.post('/provider/timeslots', { from: MONDAY, to: MONDAY });
      t.match(again, { status: 201, body: { data: { created: 0, skipped: 6 } } });
      const refused = await doctor.post('/provider/timeslots', { from: MONDAY, to: MONDAY, skipExisting: false });
      t.strictSame(codeOf(refused), [409, 'slots-exist']);
      const { body } = await doctor.get(`/provider/timeslots?from=${MONDAY}&to=${MONDAY}`);
      t.equal(body.data.items.length, 6);
      t.match(body.data.items[0], { localStart: new RegExp(`^${MONDAY}T09:00:00`), isAvailable: true, booked: false });
    });

    t.test('answers a repeat with the same key like the first time', async (t) => {
      const week = { from: inDays(20), to: inDays(40), skipExisting: false };
      const first = await doctor.post('/provider/timeslots', week, { 'idempotency-key': 'weeks' });
      const second = await doctor.post('/provider/timeslots', week, { 'idempotency-key': 'weeks' });
      t.equal(first.status, 201);
      t.strictSame(second.body, first.body);
      t.equal(second.headers.get('idempotency-replayed'), 'true');
    });

    t.test('means the clock of the provider, in winter and in summer', async (t) => {
      const early = await newProvider({ weekly: everyDay('09:00', '12:00') });
      const { year } = Temporal.Now.plainDateISO();
      const next = (monthDay: string): string =>
        [year, year + 1].map((each) => `${each}-${monthDay}`).find((date) => date > inDays(1)) ?? '';
      for (const [day, utc] of [
        [next('01-15'), '08:00'],
        [next('07-15'), '07:00'],
      ] as const) {
        const { status, body } = await early.post('/provider/timeslots', { from: day, to: day });
        t.equal(status, 201);
        t.match(body.data, { created: 6, firstStart: `${day}T${utc}:00.000Z` });
      }
    });

    t.test('opens two weeks of office hours in one call', async (t) => {
      const weekly = [1, 2, 3, 4, 5].map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start: '09:00', end: '17:00' }] }));
      const office = await newProvider({ weekly });
      const friday = Temporal.PlainDate.from(MONDAY).add({ days: 11 }).toString();
      const opened = await office.post('/provider/timeslots', { from: MONDAY, to: friday });
      t.match(opened, { status: 201, body: { data: { created: 160, skipped: 0 } } });
    });

    t.test('opens thousands in one call', async (t) => {
      const busy = await newProvider();
      const { status, body } = await busy.post('/provider/timeslots', { from: inDays(1), to: inDays(100) });
      t.equal(status, 201);
      t.ok(body.data.created >= 4798 && body.data.created <= 4802, `${body.data.created} slots`);
      const more = await busy.post('/provider/timeslots', { from: inDays(101), to: inDays(300) });
      t.strictSame(codeOf(more), [422, 'too-many-slots']);
    });

    t.test('keeps the time zone while slots lie ahead', async (t) => {
      const moved = await doctor.put('/provider/availability', { weekly: [], timezone: 'Asia/Kolkata' });
      t.strictSame(codeOf(moved), [409, 'zone-in-use']);
    });

    t.test('is closed to clients', async (t) => {
      t.equal((await carol.post('/provider/timeslots', { from: MONDAY, to: MONDAY })).status, 403);
      t.equal((await carol.post('/provider/profiles', { accountId: carol.accountId, displayName: 'C' })).status, 403);
    });

    t.test('names the fields of working hours that are wrong', async (t) => {
      const fields = async (...intervals: unknown[]) => {
        const { status, body } = await doctor.put('/provider/availability', { weekly: [{ dayOfWeek: 1, intervals }] });
        return [status, body.error.details[0].field];
      };
      t.strictSame(await fields({ start: '10:00', end: '09:00' }), [422, 'weekly.0.intervals.0.end']);
      t.strictSame(await fields({ start: '09:10', end: '10:00' }), [422, 'weekly.0.intervals.0.start']);
      t.strictSame(await fields({ start: '09:00', end: '11:00' }, { start: '10:00', end: '12:00' }), [
        422,
        'weekly.0.intervals.1',
      ]);
    });
  });

  await t.test('booking', async (t) => {
    t.match(opened, { status: 201 });
    t.test('takes a slot, which is then no longer offered', async (t) => {
      const [slot] = await freeSlots(carol, provider, inDays(3));
      const booked = await carol.post('/appointments', { slotId: slot?.slotId, notes: 'Left knee' });
      t.match(booked, { status: 201, body: { data: { status: 'SCHEDULED', startTime: slot?.startTime, version: 0 } } });
      const offered = await freeSlots(carol, provider, inDays(3));
      t.notOk(offered.some(({ slotId }) => slotId === slot?.slotId));
      const { id } = booked.body.data;
      const one = await carol.get(`/appointments/${id}`);
      t.match(one, {
        status: 200,
        body: { data: { id, notes: 'Left knee', providerName: 'Dr. Ada Weber', client: null, history: { length: 1 } } },
      });
      t.equal(one.headers.get('etag'), '"0"');
      t.match(await provider.get(`/appointments/${id}`), { body: { data: { client: { displayName: 'Carol' } } } });
      const { body } = await provider.get(
        `/provider/appointments?search=LEFT%20KNEE&from=${inDays(3)}&to=${inDays(3)}`,
      );
      t.match(body.data, { appointments: [{ id, client: { email: carol.email } }], pagination: { total: 1 } });
    });

    t.test('of one slot by twenty at the same time lets exactly one win', async (t) => {
      const clients = await Promise.all(Array.from({ length: 20 }, (_, n) => newClient(`Racer ${n}`)));
      const [slot] = await freeSlots(carol, provider, inDays(4));
      const answers = await Promise.all(
        clients.map((client) => client.post('/appointments', { slotId: slot?.slotId })),
      );
      const won = answers.filter(({ status }) => status === 201);
      t.equal(won.length, 1);
      for (const answer of answers) if (answer.status !== 201) t.strictSame(codeOf(answer), [409, 'slot-taken']);
      // The losers' time was given back: each of them can book another slot of that time elsewhere.
      const loser = clients[answers.findIndex(({ status }) => status !== 201)];
      const { body } = await (loser ?? carol).get('/appointments');
      t.equal(body.data.pagination.total, 0);
    });

    t.test('by one client of overlapping times with two providers is refused', async (t) => {
      const other = await newProvider();
      await openSlots(other, inDays(5), inDays(5));
      const [here] = await freeSlots(carol, provider, inDays(5));
      const [there, later] = await freeSlots(carol, other, inDays(5));
      t.equal(here?.startTime, there?.startTime);
      const first = await carol.post('/appointments', { slotId: here?.slotId });
      t.equal(first.status, 201);
      t.strictSame(codeOf(await carol.post('/appointments', { slotId: there?.slotId })), [409, 'own-overlap']);
      t.equal((await carol.post('/appointments', { slotId: later?.slotId })).status, 201);
      t.equal((await carol.delete(`/appointments/${first.body.data.id}`)).status, 200);
      t.equal((await carol.post('/appointments', { slotId: there?.slotId })).status, 201, 'once it is cancelled');
      const again = await carol.post('/appointments', { startTime: here?.startTime });
      t.strictSame(codeOf(again), [422, 'provider-missing']);
      const named = { startTime: here?.startTime, providerId: provider.accountId };
      t.equal((await dave.post('/appointments', named)).status, 201);
    });

    t.test('is refused for the past, for nothing, for nonsense and for what does not exist', async (t) => {
      const past = await carol.post('/appointments', { startTime: new Date(Date.now() - 3_600_000).toISOString() });
      t.match(past, { status: 422, body: { error: { details: [{ field: 'startTime' }] } } });
      t.equal((await carol.post('/appointments', {})).status, 422);
      const nonsense = await carol.post('/appointments', { slotId: 'nonsense' });
      t.match(nonsense, { status: 422, body: { error: { details: [{ field: 'slotId' }] } } });
      const [slot, gone] = await freeSlots(carol, provider, inDays(6));
      t.equal((await provider.delete(`/provider/timeslots/${gone?.slotId}`)).status, 200);
      t.strictSame(codeOf(await carol.post('/appointments', { slotId: gone?.slotId })), [404, 'slot-unknown']);
      const off = new Date(Date.parse(slot?.startTime ?? '') + 60_000).toISOString();
      const missing = await carol.post('/appointments', { startTime: off, providerId: provider.accountId });
      t.strictSame(codeOf(missing), [404, 'slot-unknown']);
      t.strictSame(codeOf(await provider.post('/appointments', { slotId: slot?.slotId })), [403, 'own-calendar']);
      const forAnother = { slotId: slot?.slotId, onBehalfOf: dave.accountId };
      t.strictSame(codeOf(await carol.post('/appointments', forAnother)), [403, 'not-on-behalf']);
      t.match(await provider.post('/appointments', forAnother), {
        status: 201,
        body: { data: { bookedBy: 'provider' } },
      });
    });

    t.test('with a provider who is not active finds nothing, until he is active again', async (t) => {
      const quiet = await newProvider();
      await openSlots(quiet, inDays(2), inDays(2));
      const [slot] = await freeSlots(dave, quiet, inDays(2));
      const admin = await service.admin();
      const profile = { displayName: 'Dr. Ada Weber', bio: 'Away' };
      const closed = await admin.put(`/provider/profiles/${quiet.accountId}`, { ...profile, active: false });
      t.match(closed, { status: 200, body: { data: { active: false, bio: 'Away', location: null } } });
      t.strictSame(await freeSlots(admin, quiet, inDays(2)), []);
      t.strictSame(codeOf(await dave.post('/appointments', { slotId: slot?.slotId })), [404, 'slot-unknown']);
      t.match(await quiet.put('/provider/profile', { ...profile, active: true }), { status: 200 });
      t.match(await quiet.get('/provider/profile'), { body: { data: { active: true, bio: 'Away', version: 4 } } });
      t.equal((await dave.post('/appointments', { slotId: slot?.slotId })).status, 201);
      t.equal((await dave.put('/provider/profile', profile)).status, 403);
    });

    t.test('twice with one key books once', async (t) => {
      const [slot] = await freeSlots(dave, provider, inDays(7));
      const key = { 'idempotency-key': 'once' };
      const answers = await Promise.all([1, 2, 3].map(() => dave.post('/appointments', { slotId: slot?.slotId }, key)));
      for (const { status, body } of answers) {
        t.equal(status, 201);
        t.strictSame(body, answers[0]?.body);
      }
    });
  });

  await t.test('changing an appointment', async (t) => {
    const erin = await newClient('Erin');
    const book = async (day: string) => {
      const [slot] = await freeSlots(erin, provider, day);
      const { body } = await erin.post('/appointments', { slotId: slot?.slotId });
      return { id: body.data.id as string, slotId: slot?.slotId ?? '' };
    };
    const offered = async (day: string, slotId: string) =>
      (await freeSlots(erin, provider, day)).some((slot) => slot.slotId === slotId);

    t.test('moves it within the day, to other days and back, under the same id', async (t) => {
      const { id, slotId } = await book(inDays(8));
      const free = await freeSlots(erin, provider, inDays(8));
      const near = free.at(-1)?.slotId ?? '';
      t.match(await erin.put(`/appointments/${id}`, { slotId: near }), {
        status: 200,
        body: { data: { id, version: 1 } },
      });
      t.ok(await offered(inDays(8), slotId));
      t.notOk(await offered(inDays(8), near));

      const far = (await freeSlots(erin, provider, inDays(9))).at(-1);
      const away = await erin.put(`/appointments/${id}`, { startTime: far?.startTime, notes: 'Later' });
      // The provider is not named: it is that of the appointment.
      t.match(away, {
        status: 200,
        body: { data: { id, slotId: far?.slotId, startTime: far?.startTime, version: 3 } },
      });
      t.ok(await offered(inDays(8), near));
      t.notOk(await offered(inDays(9), far?.slotId ?? ''));

      const farther = (await freeSlots(erin, provider, inDays(10))).at(-1)?.slotId ?? '';
      t.match(await erin.put(`/appointments/${id}`, { slotId: farther }), {
        status: 200,
        body: { data: { version: 4 } },
      });
      t.ok(await offered(inDays(9), far?.slotId ?? ''));
      t.match(await erin.put(`/appointments/${id}`, { slotId: farther }), {
        status: 200,
        body: { data: { version: 4 } },
      });

      const home = await erin.put(`/appointments/${id}`, { slotId });
      t.match(home, { status: 200, body: { data: { slotId, version: 5 } } });
      t.ok(await offered(inDays(10), farther));
      const { body } = await erin.get(`/appointments/${id}`);
      t.strictSame(
        body.data.history.map(({ event }: { event: string }) => event),
        [
          'AppointmentBooked',
          'AppointmentRescheduled',
          'AppointmentRescheduled',
          'AppointmentNotesUpdated',
          'AppointmentRescheduled',
          'AppointmentRescheduled',
        ],
      );
      const other = await dave.post('/appointments', { slotId: farther });
      t.equal(other.status, 201, 'and what it left can be booked');
      t.strictSame(codeOf(await erin.put(`/appointments/${id}`, { slotId: farther })), [409, 'slot-taken']);
    });

    t.test('of many clients to one slot of another day lets exactly one win', async (t) => {
      const clients = await Promise.all(Array.from({ length: 5 }, (_, n) => newClient(`Mover ${n}`)));
      const slots = await freeSlots(carol, provider, inDays(8));
      const booked = await Promise.all(
        clients.map(
          async (client, n) => (await client.post('/appointments', { slotId: slots[n]?.slotId })).body.data.id,
        ),
      );
      const target = (await freeSlots(carol, provider, inDays(9))).at(0)?.slotId ?? '';
      const answers = await Promise.all(
        clients.map((client, n) => client.put(`/appointments/${booked[n]}`, { slotId: target })),
      );
      t.equal(answers.filter(({ status }) => status === 200).length, 1);
      t.equal(answers.filter(({ status }) => status === 409).length, 4);
    });

    t.test('cancels it once, and frees its slot wherever it lies', async (t) => {
      const { id } = await book(inDays(8));
      const far = (await freeSlots(erin, provider, inDays(11)))[0]?.slotId ?? '';
      t.equal((await erin.put(`/appointments/${id}`, { slotId: far })).status, 200);
      const cancelled = await erin.delete(`/appointments/${id}`, { reason: 'Fallen ill' });
      t.match(cancelled, { status: 200, body: { data: { status: 'CANCELLED', version: 2 } } });
      t.ok(await offered(inDays(11), far));
      t.strictSame(codeOf(await erin.delete(`/appointments/${id}`)), [409, 'appointment-ended']);
      const { body } = await erin.get(`/appointments/${id}`);
      t.match(body.data, { status: 'CANCELLED', cancellation: { by: 'client', reason: 'Fallen ill' } });
      t.match(await erin.get('/appointments?status=CANCELLED'), { body: { data: { pagination: { total: 1 } } } });
      t.equal((await erin.get('/appointments?status=FOO')).status, 422);
    });

    t.test('is closed to others, who do not even learn that it exists', async (t) => {
      const { id } = await book(inDays(8));
      for (const answer of [
        await carol.get(`/appointments/${id}`),
        await carol.put(`/appointments/${id}`, { notes: 'mine' }),
        await carol.put(`/appointments/${id}`, { status: 'COMPLETED' }),
        await carol.delete(`/appointments/${id}`),
      ])
        t.equal(answer.status, 404);
      t.equal((await carol.get('/appointments/nonsense')).status, 422);
    });

    t.test('takes one change a call', async (t) => {
      const { id, slotId } = await book(inDays(8));
      const put = async (body: unknown, headers?: Record<string, string>) =>
        codeOf(await erin.put(`/appointments/${id}`, body, headers));
      t.strictSame((await put({}))[0], 422);
      t.strictSame((await put({ status: 'CANCELLED', slotId }))[0], 422);
      t.strictSame((await put({ status: 'CANCELLED', outcome: 'attended' }))[0], 422);
      t.strictSame((await put({ notes: 'x', reason: 'y' }))[0], 422);
      t.strictSame(await put({ status: 'COMPLETED' }), [403, 'not-the-provider']);
      t.strictSame(codeOf(await provider.put(`/appointments/${id}`, { status: 'COMPLETED' })), [409, 'not-started']);
      t.match(await erin.put(`/appointments/${id}`, { notes: 'Ring twice' }), {
        status: 200,
        body: { data: { version: 1 } },
      });
      t.match(await erin.put(`/appointments/${id}`, { notes: 'Ring twice' }), {
        status: 200,
        body: { data: { version: 1 } },
      });
      t.strictSame((await put({ notes: 'z' }, { 'if-match': '"0"' }))[0], 412);
      t.strictSame((await put({ notes: 'z', version: 0 }))[0], 409);
      t.strictSame((await put({ notes: 'z' }, { 'if-match': '"1"' }))[0], 200);
      t.strictSame((await put({ status: 'CANCELLED', reason: 'No need' }))[0], 200);
    });
  });
});
