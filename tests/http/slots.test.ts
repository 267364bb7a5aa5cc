import t from 'tap';
import { codeOf, everyDay, halfAnHour, inDays, instantOf, practice, ZONE } from '../support/practice.ts';
import { type Client, sharedService } from '../support/service.ts';

t.test('single slots over HTTP', async (t) => {
  const service = await sharedService();
  const { newClient, newProvider, openSlots, freeSlots } = practice(service);
  const doctor = await newProvider({ weekly: everyDay('09:00', '12:00') });
  const carol = await newClient('Carol');
  const listed = async (of: Client, day: string, status = '') => {
    const { body } = await of.get(`/provider/timeslots?from=${day}&to=${day}&limit=100${status}`);
    return body.data.items as { id: string; startTime: string; isAvailable: boolean; booked: boolean }[];
  };

  await t.test('opening one', async (t) => {
    const day = inDays(3);
    t.test('gives it, and offers it', async (t) => {
      const nine = halfAnHour(day, '09:00');
      const added = await doctor.post('/provider/timeslots', nine);
      t.match(added, {
        status: 201,
        body: { data: { ...nine, isAvailable: true, booked: false, appointmentId: null } },
      });
      t.match(await listed(doctor, day), [{ id: added.body.data.id, ...nine }]);
      t.match(await freeSlots(carol, doctor, day), [{ slotId: added.body.data.id }]);
      t.strictSame(codeOf(await doctor.post('/provider/timeslots', nine)), [409, 'slot-overlap']);
    });
    t.test('is refused in the past, off the grid, of another length, and outside the working hours', async (t) => {
      const refused = async (body: object) => {
        const answer = await doctor.post('/provider/timeslots', body);
        return [...codeOf(answer), answer.body.error.details[0]?.field];
      };
      t.strictSame(await refused(halfAnHour(inDays(-1), '09:00')), [422, 'in-the-past', 'startTime']);
      t.strictSame(await refused(halfAnHour(day, '09:40')), [422, 'off-grid', 'startTime']);
      const startTime = instantOf(day, '10:00');
      t.strictSame(await refused({ startTime, endTime: instantOf(day, '11:00') }), [422, 'input-invalid', 'endTime']);
      t.strictSame(await refused({ startTime }), [422, 'input-invalid', 'endTime']);
      t.strictSame(await refused({ startTime: '027-03-01T09', endTime: '2027-03' }), [
        422,
        'input-invalid',
        'startTime',
      ]);
      t.strictSame(await refused({}), [422, 'input-invalid', 'from']);
      t.strictSame(await refused(halfAnHour(day, '12:00')), [409, 'outside-working-hours', 'startTime']);
      t.strictSame(await refused(halfAnHour(day, '11:45')), [422, 'off-grid', 'startTime']);
      const forced = await doctor.post('/provider/timeslots', { ...halfAnHour(day, '20:00'), force: true });
      t.equal(forced.status, 201);
      t.equal((await carol.post('/provider/timeslots', halfAnHour(day, '10:00'))).status, 403);
    });
    t.test('with one key happens once', async (t) => {
      const key = { 'idempotency-key': 'one-slot' };
      const eleven = halfAnHour(day, '11:00');
      const first = await doctor.post('/provider/timeslots', eleven, key);
      const second = await doctor.post('/provider/timeslots', eleven, key);
      t.match(first, { status: 201 });
      t.equal(second.headers.get('idempotency-replayed'), 'true');
      t.strictSame(second.body, first.body);
    });
    t.test('keeps the time zone while it lies ahead', async (t) => {
      const fresh = await newProvider();
      t.equal((await fresh.post('/provider/timeslots', halfAnHour(day, '09:00'))).status, 201);
      const moved = await fresh.put('/provider/availability', { weekly: [], timezone: 'Asia/Kolkata' });
      t.strictSame(codeOf(moved), [409, 'zone-in-use']);
    });
  });

  await t.test('blocking one', async (t) => {
    const day = inDays(4);
    await openSlots(doctor, day);
    const [first, second] = await freeSlots(carol, doctor, day);
    const path = `/provider/timeslots/${first?.slotId}`;
    t.match(await doctor.patch(path, { isAvailable: false }), { status: 200, body: { data: { isAvailable: false } } });
    t.match(await doctor.patch(path, { isAvailable: false }), { status: 200 });
    t.equal((await freeSlots(carol, doctor, day)).length, 5);
    t.strictSame(codeOf(await carol.post('/appointments', { slotId: first?.slotId })), [409, 'slot-blocked']);
    t.match(await listed(doctor, day, '&status=blocked'), [{ id: first?.slotId }]);
    t.equal((await listed(doctor, day, '&status=free')).length, 5);
    t.match(await doctor.patch(path, { isAvailable: true }), { status: 200, body: { data: { isAvailable: true } } });
    t.equal((await carol.post('/appointments', { slotId: first?.slotId })).status, 201);
    t.strictSame(codeOf(await doctor.patch(path, { isAvailable: false })), [409, 'slot-booked']);
    t.strictSame(codeOf(await doctor.patch(path, halfAnHour(day, '12:00'))), [409, 'slot-booked']);
    t.strictSame(codeOf(await doctor.delete(path)), [409, 'slot-booked']);
    t.match(await listed(doctor, day, '&status=booked'), [{ id: first?.slotId, booked: true, isAvailable: false }]);
    t.equal((await doctor.patch(path, {})).status, 422);
    const other = await newProvider();
    for (const answer of [
      await other.patch(`/provider/timeslots/${second?.slotId}`, { isAvailable: false }),
      await other.delete(`/provider/timeslots/${second?.slotId}`),
    ])
      t.strictSame(codeOf(answer), [404, 'slot-unknown']);
  });

  await t.test('moving one', async (t) => {
    const [day, next] = [inDays(5), inDays(6)];
    const added = await doctor.post('/provider/timeslots', halfAnHour(day, '09:00'));
    const { id } = added.body.data;
    const path = `/provider/timeslots/${id}`;
    const ten = halfAnHour(day, '10:00');
    t.match(
      await doctor.patch(path, ten),
      { status: 200, body: { data: { id, ...ten } } },
      'within its day keeps its id',
    );
    t.match(await doctor.patch(path, { endTime: ten.endTime }), { status: 200, body: { data: { id, ...ten } } });
    t.strictSame(codeOf(await doctor.patch(path, halfAnHour(day, '13:00'))), [409, 'outside-working-hours']);
    const again = await doctor.post('/provider/timeslots', halfAnHour(day, '09:00'));
    t.equal(again.status, 201);
    t.not(again.body.data.id, id, 'and what is opened where it was is another');
    t.strictSame(codeOf(await doctor.patch(path, halfAnHour(day, '09:00'))), [409, 'slot-overlap']);
    const booked = await carol.post('/appointments', { startTime: ten.startTime, providerId: doctor.accountId });
    t.match(booked, { status: 201, body: { data: { slotId: id, ...ten } } }, 'is booked by its new start');
    await carol.delete(`/appointments/${booked.body.data.id}`);

    const key = { 'idempotency-key': 'away' };
    const away = await doctor.patch(path, halfAnHour(next, '11:00'), key);
    t.match(away, { status: 200, body: { data: halfAnHour(next, '11:00') } });
    t.match(await listed(doctor, next), [{ id: away.body.data.id, ...halfAnHour(next, '11:00') }]);
    t.equal((await listed(doctor, day)).length, 1);
    t.strictSame((await doctor.patch(path, halfAnHour(next, '11:00'), key)).body, away.body);
    t.strictSame(codeOf(await doctor.patch(path, { isAvailable: false })), [404, 'slot-unknown']);
    const busy = await doctor.patch(`/provider/timeslots/${again.body.data.id}`, halfAnHour(next, '11:00'));
    t.strictSame(codeOf(busy), [409, 'slot-overlap']);
    t.equal((await listed(doctor, day)).length, 1, 'and what cannot move stays');
  });

  await t.test('removing one', async (t) => {
    const day = inDays(7);
    await openSlots(doctor, day);
    const [first] = await freeSlots(carol, doctor, day);
    const path = `/provider/timeslots/${first?.slotId}`;
    t.equal((await doctor.delete(path)).status, 200);
    t.strictSame(codeOf(await doctor.delete(path)), [404, 'slot-unknown']);
    t.equal((await freeSlots(carol, doctor, day)).length, 5);
    t.strictSame(codeOf(await carol.post('/appointments', { slotId: first?.slotId })), [404, 'slot-unknown']);
    t.match(await doctor.post('/provider/timeslots', { from: day, to: day }), {
      body: { data: { created: 1, skipped: 5 } },
    });
    t.equal((await carol.post('/appointments', { slotId: first?.slotId })).status, 201);
  });

  await t.test('slots of a provider elsewhere', async (t) => {
    const zone = 'America/New_York';
    const doctor = await newProvider({ weekly: everyDay('20:00', '24:00') }, { timezone: zone });
    const day = inDays(5);
    await openSlots(doctor, day);
    const items = await listed(doctor, day);
    t.equal(items.length, 8);
    t.equal(items[0]?.startTime, instantOf(day, '20:00', zone));
    t.not(items[0]?.startTime.slice(0, 10), day, 'their UTC date is not the local one');
    const { body } = await carol.get(
      `/appointments/available?providerId=${doctor.accountId}&from=${day}&to=${day}&timezone=${zone}`,
    );
    t.match(body.data.slots[0], { timezone: zone, localStart: new RegExp(`^${day}T20:00:00-0[45]:00$`) });
    const seen = await carol.get(
      `/appointments/available?providerId=${doctor.accountId}&from=${inDays(6)}&to=${inDays(6)}&timezone=${ZONE}`,
    );
    t.match(seen.body.data.slots[0], { timezone: ZONE, localStart: new RegExp(`^${inDays(6)}T0`) });
  });

  await t.test('slots of the nights of clock changes', async (t) => {
    const doctor = await newProvider({ weekly: everyDay('00:00', '24:00') });
    const lastSunday = (month: number): string => {
      const { year } = Temporal.Now.plainDateISO();
      const days = [year, year + 1].map((y) => Temporal.PlainDate.from({ year: y, month, day: 31 }));
      const sunday = days
        .map((day) => day.subtract({ days: day.dayOfWeek % 7 }))
        .find((day) => day.toString() > inDays(1));
      return sunday?.toString() ?? '';
    };
    const night = { pattern: 'daily', intervals: [{ start: '01:00', end: '04:00' }] };
    const [spring, autumn] = [lastSunday(3), lastSunday(10)];
    t.match(await doctor.post('/provider/timeslots', { from: spring, to: spring, ...night }), {
      body: { data: { created: 4 } },
    });
    t.match(await doctor.post('/provider/timeslots', { from: autumn, to: autumn, ...night }), {
      body: { data: { created: 8 } },
    });
    const { body } = await doctor.get(`/provider/timeslots?from=${spring}&to=${spring}`);
    const starts = body.data.items.map(({ localStart }: { localStart: string }) => localStart.slice(11, 16));
    t.strictSame(starts, ['01:00', '01:30', '03:00', '03:30'], 'no slot at a time that there is not');
    const times = body.data.items as { startTime: string; endTime: string }[];
    t.ok(
      times.every(({ startTime }, index) => startTime >= (times[index - 1]?.endTime ?? '')),
      'none overlapping',
    );
  });
});
