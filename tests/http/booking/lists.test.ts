import t from 'tap';
import { codeOf, halfAnHour, inDays, practice } from '../../support/practice.ts';
import { type Client, sharedService } from '../../support/service.ts';

t.test('lists of appointments and slots over HTTP', async (t) => {
  const service = await sharedService();
  const { newClient, newProvider, openSlots } = practice(service);
  const doctor = await newProvider({ maxAdvanceDays: 366 }, { displayName: 'Dr. Ada_Weber' });
  const erin = await newClient('Erin 100% Sure');
  const [first, second] = [inDays(3), inDays(5)];
  await openSlots(doctor, first, second);
  const book = async (day: string, time: string, notes: string): Promise<string> => {
    const { startTime } = halfAnHour(day, time);
    const booked = await erin.post('/appointments', { startTime, providerId: doctor.accountId, notes });
    t.equal(booked.status, 201);
    return booked.body.data.id;
  };
  const teeth = await book(first, '09:00', 'Teeth, 50% done');
  const knee = await book(second, '10:00', 'Left_knee');
  const eyes = await book(second, '11:00', 'EYES');
  t.equal((await erin.delete(`/appointments/${knee}`)).status, 200);
  await doctor.get('/provider/appointments', {
    'consistency-token':
      (await erin.put(`/appointments/${eyes}`, { notes: 'Eyes' })).headers.get('consistency-token') ?? '',
  });

  const found = async (of: Client, path: string) => {
    const { status, body } = await of.get(path);
    t.equal(status, 200, path);
    const ids = body.data.appointments.map(({ id }: { id: string }) => id);
    t.equal(body.data.pagination.total, ids.length, path);
    return ids as string[];
  };

  await t.test('give what fits, and count it', async (t) => {
    for (const [query, ids] of [
      ['', [eyes, knee, teeth]],
      ['status=CANCELLED', [knee]],
      [`status=CANCELLED&from=${second}&search=knee`, [knee]],
      [`status=CANCELLED&to=${first}`, []],
      [`status=SCHEDULED&from=${second}&to=${second}`, [eyes]],
      [`from=${halfAnHour(second, '10:00').startTime}&to=${halfAnHour(second, '11:00').startTime}`, [knee]],
      ['when=upcoming', [teeth, knee, eyes]],
      ['when=past', []],
      ['sort=status', [knee, teeth, eyes]],
      ['sort=status&order=desc', [eyes, teeth, knee]],
      ['sort=createdAt&order=asc', [teeth, knee, eyes]],
    ] as const)
      t.strictSame(await found(erin, `/appointments?${query}`), ids, query);
    t.match((await erin.get('/appointments?page=9')).body.data, {
      appointments: [],
      pagination: { total: 3, pages: 1 },
    });
    t.match((await erin.get('/appointments/dashboard')).body.data, {
      next: { id: teeth },
      upcoming: [{ id: teeth }, { id: eyes }],
    });
  });

  await t.test('take what is searched for literally, in either case', async (t) => {
    for (const [search, ids] of [
      ['50%', [teeth]],
      ['%', [teeth]],
      ['t_k', [knee]],
      ['T_KNEE', [knee]],
      ['e_t', []],
      ['ada_w', [eyes, knee, teeth]],
      ['ada.w', []],
    ] as const)
      t.strictSame(await found(erin, `/appointments?search=${encodeURIComponent(search)}`), ids, search);
    for (const [search, ids] of [
      ['100%', [eyes, knee, teeth]],
      [erin.email, [eyes, knee, teeth]],
      ['eyes', [eyes]],
      ['ada_w', []],
    ] as const)
      t.strictSame(await found(doctor, `/provider/appointments?search=${encodeURIComponent(search)}`), ids, search);
  });

  await t.test('refuse what they do not know', async (t) => {
    for (const query of ['status=FOO', 'when=x', 'sort=notes', 'order=up', 'from=soon', 'page=0', 'limit=51'])
      t.strictSame(codeOf(await erin.get(`/appointments?${query}`)), [422, 'input-invalid'], query);
    t.equal((await doctor.get('/provider/appointments?limit=100')).status, 200);
    t.equal((await doctor.get('/provider/appointments?limit=101')).status, 422);
  });

  await t.test('reach to a date so many days after the first, and no further', async (t) => {
    const refusedOn = async (of: Client, path: string) => {
      const { status, body } = await of.get(path);
      return status === 422 ? body.error.details[0].field : status;
    };
    for (const [of, path, days] of [
      [doctor, '/provider/timeslots', 92],
      [erin, '/appointments/available', 92],
      [doctor, '/provider/analytics', 366],
    ] as const) {
      const from = inDays(1);
      t.equal(await refusedOn(of, `${path}?from=${from}&to=${inDays(1 + days)}`), 200, path);
      t.equal(await refusedOn(of, `${path}?from=${from}&to=${inDays(2 + days)}`), 'to', path);
      t.equal(await refusedOn(of, `${path}?from=${from}&to=${inDays(0)}`), 'to', path);
      const at = (days: number): string => `${inDays(days)}T12:00:00Z`;
      t.equal(await refusedOn(of, `${path}?from=${at(1)}&to=${at(1 + days)}`), 200, path);
      t.equal(await refusedOn(of, `${path}?from=${at(1)}&to=${at(2 + days)}`), 'to', path);
    }
  });

  await t.test('mean days by the clock asked for, else by that of the provider', async (t) => {
    const gita = await newClient('Gita');
    const zone = 'America/New_York';
    const night = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
      dayOfWeek,
      intervals: [{ start: '20:00', end: '22:00' }],
    }));
    const abroad = await newProvider({ weekly: night, timezone: zone }, { timezone: zone });
    const day = Temporal.Now.plainDateISO(zone).add({ days: 8 });
    await openSlots(abroad, day.toString());
    const next = day.add({ days: 1 }).toString();
    const offered = async (date: string, timezone = '') => {
      const range = `from=${date}&to=${date}${timezone && `&timezone=${timezone}`}`;
      const { body } = await gita.get(`/appointments/available?providerId=${abroad.accountId}&${range}`);
      return body.data.slots.map(({ localStart }: { localStart: string }) => localStart);
    };
    const clock = (date: string, offset: string, ...times: string[]) =>
      times.map((time) => `${date}T${time}:00${offset}`);
    const here = await offered(day.toString());
    t.match(
      here,
      ['20:00', '20:30', '21:00', '21:30'].map((time) => new RegExp(`^${day}T${time}:00-0[45]:00$`)),
    );
    t.strictSame(await offered(day.toString(), 'Asia/Kolkata'), [], 'there it is the next day already');
    const summer = here[0]?.endsWith('-04:00');
    const times = summer ? ['05:30', '06:00', '06:30', '07:00'] : ['06:30', '07:00', '07:30', '08:00'];
    t.strictSame(await offered(next, 'Asia/Kolkata'), clock(next, '+05:30', ...times));
    const { startTime } = halfAnHour(day.toString(), '20:00', zone);
    const booked = await gita.post('/appointments', {
      startTime,
      providerId: abroad.accountId,
      timezone: 'Asia/Kolkata',
    });
    t.equal(booked.status, 201);
    const { id } = booked.body.data;
    t.strictSame(await found(gita, `/appointments?from=${next}&to=${next}&timezone=Asia/Kolkata`), [id]);
    await abroad.get('/provider/timeslots', { 'consistency-token': booked.headers.get('consistency-token') ?? '' });
    t.strictSame(await found(abroad, `/provider/appointments?from=${day}&to=${day}`), [id]);
    t.strictSame(await found(abroad, `/provider/appointments?from=${next}&to=${next}`), []);
    const told = (await service.message(gita.email, 'booking-confirmation')).text;
    t.match(told, `${summer ? '05:30–06:00' : '06:30–07:00'} (Asia/Kolkata, GMT+5:30)`);
    t.match((await service.message(abroad.email, 'booking-confirmation')).text, '20:00–20:30 (America/New_York, GMT-');
  });
});
