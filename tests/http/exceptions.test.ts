import t from 'tap';
import { codeOf, everyDay, halfAnHour, inDays, practice } from '../support/practice.ts';
import { type Client, eventually, sharedService } from '../support/service.ts';

t.test('exceptions to the availability over HTTP', async (t) => {
  const service = await sharedService();
  const { newClient, newProvider, openSlots, freeSlots } = practice(service);
  const PATH = '/provider/availability/exceptions';
  const WORK = everyDay('09:00', '12:00');
  const carol = await newClient('Carol');
  const dave = await newClient('Dave');
  const exceptionsOf = async (doctor: Client) => (await doctor.get('/provider/availability')).body.data.exceptions;
  const startsOf = async (doctor: Client, day: string): Promise<readonly string[]> =>
    (await freeSlots(carol, doctor, day)).map(({ localStart }) => localStart.slice(11, 16));

  await t.test('closing days', async (t) => {
    const doctor = await newProvider({ weekly: WORK });
    await openSlots(doctor, inDays(2), inDays(6));
    const [slot] = await freeSlots(carol, doctor, inDays(3));
    const added = await doctor.post(PATH, { from: inDays(3), to: inDays(4), closed: true, reason: ' Skiing ' });
    const exception = { from: inDays(3), to: inDays(4), closed: true, intervals: [], reason: 'Skiing' };
    t.match(added, { status: 201, body: { data: exception } });
    t.match(await exceptionsOf(doctor), [{ id: added.body.data.id, ...exception }]);
    t.strictSame(await startsOf(doctor, inDays(3)), [], 'hides their free slots');
    t.strictSame(await startsOf(doctor, inDays(4)), []);
    t.equal((await startsOf(doctor, inDays(5))).length, 6);
    t.strictSame(codeOf(await carol.post('/appointments', { slotId: slot?.slotId })), [409, 'slot-closed']);
    const { body } = await doctor.get(`/provider/timeslots?from=${inDays(3)}&to=${inDays(3)}&status=blocked`);
    t.match(body.data.items[0], { id: slot?.slotId, isAvailable: false, booked: false });
    const more = await doctor.post('/provider/timeslots', { from: inDays(3), to: inDays(7) });
    t.match(more, { body: { data: { created: 6, skipped: 12 } } }, 'and no more are generated there');
    t.strictSame(codeOf(await doctor.post('/provider/timeslots', halfAnHour(inDays(4), '14:00'))), [
      409,
      'outside-working-hours',
    ]);
    const forced = await doctor.post('/provider/timeslots', { ...halfAnHour(inDays(4), '14:00'), force: true });
    t.match(forced, { status: 201, body: { data: { isAvailable: false } } });
    t.strictSame(await startsOf(doctor, inDays(4)), []);

    for (const wrong of [
      { from: inDays(4), to: inDays(8), closed: true },
      { from: inDays(1), to: inDays(3), intervals: [{ start: '09:00', end: '10:00' }] },
    ])
      t.strictSame(codeOf(await doctor.post(PATH, wrong)), [409, 'exception-overlap']);
    const other = await newProvider();
    t.strictSame(codeOf(await other.delete(`${PATH}/${added.body.data.id}`)), [404, 'exception-unknown']);
    t.equal((await doctor.delete(`${PATH}/${added.body.data.id}`)).status, 200);
    t.strictSame(codeOf(await doctor.delete(`${PATH}/${added.body.data.id}`)), [404, 'exception-unknown']);
    t.strictSame(await exceptionsOf(doctor), []);
    t.equal((await startsOf(doctor, inDays(3))).length, 6, 'they come back with its removal');
    t.equal((await startsOf(doctor, inDays(4))).length, 7);
    t.equal((await carol.post('/appointments', { slotId: slot?.slotId })).status, 201);
  });

  await t.test('other hours', async (t) => {
    const doctor = await newProvider({ weekly: WORK });
    await openSlots(doctor, inDays(2), inDays(3));
    const narrow = {
      from: inDays(2),
      to: inDays(3),
      intervals: [
        { start: '10:00', end: '11:00' },
        { start: '20:00', end: '21:00' },
      ],
    };
    t.match(await doctor.post(PATH, narrow), {
      status: 201,
      body: { data: { ...narrow, closed: false, reason: null } },
    });
    t.strictSame(await startsOf(doctor, inDays(2)), ['10:00', '10:30']);
    t.match(await doctor.post('/provider/timeslots', { from: inDays(2), to: inDays(4) }), {
      body: { data: { created: 10, skipped: 4 } },
    });
    t.strictSame(await startsOf(doctor, inDays(3)), ['10:00', '10:30', '20:00', '20:30']);
  });

  await t.test('where there are appointments', async (t) => {
    const doctor = await newProvider({ weekly: WORK });
    await openSlots(doctor, inDays(2), inDays(5));
    const book = async (client: Client, day: string, index = 0) => {
      const slot = (await freeSlots(client, doctor, day))[index];
      const { body } = await client.post('/appointments', { slotId: slot?.slotId });
      return body.data.id as string;
    };
    const [mine, his] = [await book(carol, inDays(4)), await book(dave, inDays(5), 1)];
    // One that was booked elsewhere and moved there counts as well.
    const far = (await freeSlots(dave, doctor, inDays(4)))[2]?.slotId;
    const moved = await book(dave, inDays(2), 3);
    t.equal((await dave.put(`/appointments/${moved}`, { slotId: far })).status, 200);

    const days = { from: inDays(3), to: inDays(5), closed: true, reason: 'Ill' };
    t.strictSame(codeOf(await doctor.post(PATH, days)), [409, 'slots-booked']);
    t.equal((await startsOf(doctor, inDays(3))).length, 6, 'nothing of it comes about');
    t.equal((await startsOf(doctor, inDays(5))).length, 5);
    t.strictSame(await exceptionsOf(doctor), []);
    const beside = { ...days, closed: false, intervals: [{ start: '09:00', end: '11:00' }] };
    t.equal((await doctor.post(PATH, beside)).status, 201, 'hours that leave them where they are do');
    t.strictSame(await startsOf(doctor, inDays(4)), ['09:30', '10:00']);
    t.equal((await doctor.put('/provider/availability', { weekly: WORK, exceptions: [] })).status, 200);

    const closed = await doctor.post(PATH, { ...days, cancelBooked: true }, { 'idempotency-key': 'ill' });
    t.equal(closed.status, 201);
    for (const [client, id] of [
      [carol, mine],
      [dave, his],
      [dave, moved],
    ] as const) {
      const { body } = await eventually(
        () => client.get(`/appointments/${id}`),
        (answer) => answer.body.data.status === 'CANCELLED',
      );
      t.match(body.data.cancellation, { by: 'provider', reason: 'Ill' });
    }
    t.strictSame(await startsOf(doctor, inDays(4)), [], 'and what they leave is not offered');
    const again = await doctor.post(PATH, { ...days, cancelBooked: true }, { 'idempotency-key': 'ill' });
    t.strictSame(again.body, closed.body);
    t.equal((await exceptionsOf(doctor)).length, 1);
  });

  await t.test('a booking that races with closing', async (t) => {
    const doctor = await newProvider({ weekly: WORK, maxAdvanceDays: 366 });
    await openSlots(doctor, inDays(2), inDays(31));
    let [closings, bookings] = [0, 0];
    for (let round = 0; round < 10; round += 1) {
      const days = [2, 3, 4].map((day) => inDays(day + 3 * round));
      const slots = await Promise.all(days.map(async (day) => (await freeSlots(carol, doctor, day))[round % 6]));
      const [closed, ...booked] = await Promise.all([
        doctor.post(PATH, { from: days[0], to: days[2], closed: true }),
        ...slots.map((slot, index) => (index % 2 === 0 ? carol : dave).post('/appointments', { slotId: slot?.slotId })),
      ]);
      const won = booked.filter(({ status }) => status === 201).length;
      if (closed.status === 201) closings += 1;
      else t.strictSame(codeOf(closed), [409, 'slots-booked']);
      bookings += won;
      t.ok(closed.status === 201 ? won === 0 : won > 0, `round ${round}: closed ${closed.status}, booked ${won}`);
      const left = (await Promise.all(days.map((day) => startsOf(doctor, day)))).flat().length;
      t.equal(left, closed.status === 201 ? 0 : 18 - won);
    }
    t.comment(`${closings} of 10 closings came about, ${bookings} bookings`);
  });

  await t.test('the whole list', async (t) => {
    const doctor = await newProvider({ weekly: WORK });
    await openSlots(doctor, inDays(2), inDays(6));
    const put = (exceptions: unknown, more: object = {}) =>
      doctor.put('/provider/availability', { weekly: WORK, exceptions, ...more });
    const closed = (from: string, to = from, reason: string | null = null) => ({ from, to, closed: true, reason });
    const first = await put([closed(inDays(2), inDays(3)), closed(inDays(5), inDays(5), 'Fair')]);
    t.match(first, { status: 200, body: { data: { exceptions: [{ from: inDays(2) }, { reason: 'Fair' }] } } });
    const [one, two] = first.body.data.exceptions;
    t.strictSame((await doctor.get('/provider/availability')).body, first.body, 'is what the availability shows');
    t.match(
      await doctor.put('/provider/availability', { weekly: WORK, minNoticeMinutes: 0 }),
      {
        body: { data: { exceptions: [one, two] } },
      },
      'stays when it is left out',
    );
    const next = await put([two, { from: inDays(3), to: inDays(4), intervals: [{ start: '09:00', end: '10:00' }] }]);
    t.match(
      next,
      { status: 200, body: { data: { exceptions: [{ from: inDays(3) }, two] } } },
      'what is the same keeps its id',
    );
    t.equal((await startsOf(doctor, inDays(2))).length, 6);
    t.strictSame(await startsOf(doctor, inDays(3)), ['09:00', '09:30']);
    t.strictSame(await startsOf(doctor, inDays(5)), []);
    t.strictSame(
      (await put(next.body.data.exceptions)).headers.get('etag'),
      next.headers.get('etag'),
      'nothing changes',
    );

    const [slot] = await freeSlots(carol, doctor, inDays(6));
    const { body } = await carol.post('/appointments', { slotId: slot?.slotId });
    const refused = await put([closed(inDays(6))], { weekly: [], minNoticeMinutes: 5 });
    t.strictSame(codeOf(refused), [409, 'slots-booked']);
    t.match((await doctor.get('/provider/availability')).body.data, { ...next.body.data }, 'nothing of it comes about');
    t.strictSame(await startsOf(doctor, inDays(3)), ['09:00', '09:30']);
    const forced = await put([closed(inDays(6))], { weekly: [], cancelBooked: true });
    t.match(forced, { status: 200, body: { data: { weekly: [], exceptions: [{ from: inDays(6) }] } } });
    t.match(await carol.get(`/appointments/${body.data.id}`), { body: { data: { status: 'CANCELLED' } } });

    const fieldOf = async (exceptions: unknown) => {
      const answer = await put(exceptions);
      return [answer.status, answer.body.error.details[0]?.field];
    };
    t.strictSame(await fieldOf([closed(inDays(3)), closed(inDays(2), inDays(3))]), [422, 'exceptions.1.from']);
    t.strictSame(await fieldOf([closed(inDays(3), inDays(2))]), [422, 'exceptions.0.to']);
    t.strictSame(await fieldOf([closed(inDays(-3), inDays(-1))]), [422, 'exceptions.0.to']);
    t.strictSame(await fieldOf([{ from: inDays(3), to: inDays(3) }]), [422, 'exceptions.0.closed']);
    t.strictSame(codeOf(await put([], { version: 0 })), [409, 'stale-version']);
    t.equal((await carol.put('/provider/availability', { weekly: [] })).status, 403);
  });

  await t.test('a whole year', async (t) => {
    const doctor = await newProvider({ weekly: everyDay('08:00', '14:30') });
    t.match(await doctor.post('/provider/timeslots', { from: inDays(1), to: inDays(366) }), { status: 201 });
    const began = performance.now();
    t.equal((await doctor.post(PATH, { from: inDays(0), to: inDays(366), closed: true })).status, 201);
    t.comment(`${Math.round(performance.now() - began)} ms to close 367 days`);
    t.strictSame(await startsOf(doctor, inDays(30)), []);
    t.equal((await doctor.post(PATH, { from: inDays(400), to: inDays(767), closed: true })).status, 422);
    t.equal((await doctor.post(PATH, { from: inDays(-2), to: inDays(-1), closed: true })).status, 422);
  });
});
