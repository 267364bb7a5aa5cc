import { parse } from 'csv-parse/sync';
import t from 'tap';
import { codeOf, everyDay, inDays, instantOf, practice, ZONE } from '../../support/practice.ts';
import { eventually, testService } from '../../support/service.ts';

t.test("a provider's desk", async (t) => {
  const service = await testService(t);
  const { newClient, newProvider, openSlots, freeSlots } = practice(service);
  /** An address of the service as it is reached here. */
  const here = (address: string): string => {
    const { pathname, search } = new URL(address);
    return service.url + pathname + search;
  };
  // Hours that no change of the clock falls into.
  const weekly = everyDay('08:00', '20:00');
  const doctor = await newProvider({ weekly }, { priceCents: 5_000, currency: 'EUR' });
  const ada = await newClient('Ada');
  const formula = await newClient('=HYPERLINK("http://example.org")');
  const day = inDays(3);
  await openSlots(doctor, day, inDays(4));
  const slots = await freeSlots(ada, doctor, day);
  const book = async (who: typeof ada, number: number, notes?: string): Promise<string> => {
    const { status, body } = await who.post('/appointments', { slotId: slots[number]?.slotId, notes });
    t.equal(status, 201);
    return body.data.id;
  };
  const attended = await book(ada, 2, 'First visit, "quoted"');
  const missed = await book(ada, 3);
  const cancelled = await book(formula, 14, '@SUM(1;2)');
  const standing = await book(formula, 15, 'Zażółć gęślą jaźń');
  t.match(await formula.delete(`/appointments/${cancelled}`, { reason: 'Ill' }), { status: 200 });
  const noon = Date.parse(instantOf(day, '12:00')) - Date.now();
  await service.setAhead(noon);
  for (const [id, outcome] of [
    [attended, 'attended'],
    [missed, 'no_show'],
  ])
    t.match(await doctor.put(`/appointments/${id}`, { status: 'COMPLETED', outcome }), { status: 200 });

  await t.test('shows the day, what lies ahead, and what has happened', async (t) => {
    const { status, body } = await doctor.get('/provider/dashboard');
    t.equal(status, 200);
    const { data } = body;
    t.equal(data.timezone, ZONE);
    t.strictSame(
      data.today.map(({ id }: { id: string }) => id),
      [attended, missed, standing],
    );
    t.match(data.today[0], { client: { displayName: 'Ada', email: ada.email }, status: 'COMPLETED' });
    t.strictSame(data.nextDays, []);
    t.match(data.thisMonth.CANCELLED + data.thisWeek.CANCELLED > 0, true);
    t.equal(data.cancellations, 1);
    t.equal(data.changes.length, 7);
    t.match(data.changes[0], {
      appointmentId: missed,
      event: 'AppointmentCompleted',
      by: 'provider',
      clientName: 'Ada',
    });
    const { body: offered } = await ada.get(`/appointments/available?providerId=${doctor.accountId}&limit=1`);
    t.equal(data.freeSlots, offered.data.pagination.total);
    t.ok(data.utilisation > 0 && data.utilisation < 1);
  });

  await t.test('shows all of a day on which many have cancelled', async (t) => {
    const [busy, client] = [await newProvider(), await newClient('Bea')];
    await openSlots(busy, day, day);
    const [early = { slotId: '' }, late = { slotId: '' }] = (await freeSlots(client, busy, day)).slice(-2);
    const { body: one } = await client.post('/appointments', { slotId: early.slotId });
    t.equal((await client.delete(`/appointments/${one.data.id}`)).status, 200);
    t.match(await client.get(`/appointments/${one.data.id}`), { body: { data: { status: 'CANCELLED' } } });
    const { rowCount } = await service.pool.query(
      `insert into appointments
       select copy.* from appointments a, generate_series(1, 51) n,
         format('00000000-0000-4000-8000-%s', lpad(n::text, 12, '0')) id,
         jsonb_populate_record(a, jsonb_build_object('appointment_id', id)) copy
       where a.appointment_id = $1`,
      [one.data.id],
    );
    t.equal(rowCount, 51);
    const { body: booked } = await client.post('/appointments', { slotId: late.slotId });
    const { body } = await busy.get('/provider/dashboard');
    t.equal(body.data.cancellations, 52);
    t.strictSame(
      body.data.today.map(({ id }: { id: string }) => id),
      [booked.data.id],
    );
  });

  await t.test('shows clients their own', async (t) => {
    const { body } = await formula.get('/appointments/dashboard');
    t.match(body.data, { next: { id: standing }, counts: { SCHEDULED: 1, COMPLETED: 0, CANCELLED: 1 }, past: [] });
    t.equal(body.data.upcoming.length, 1, 'nothing that was cancelled');
    const { body: adas } = await ada.get('/appointments/dashboard');
    t.match(adas.data, { next: null, upcoming: [], counts: { COMPLETED: 2 } });
    t.strictSame(
      adas.data.past.map(({ id }: { id: string }) => id),
      [missed, attended],
    );
  });

  await t.test('counts', async (t) => {
    const ask = () => doctor.get(`/provider/analytics?from=${day}&to=${day}&groupBy=day`);
    const { body } = await eventually(ask, ({ body }) => body.data?.totals.completed === 2);
    t.match(body.data, {
      timezone: ZONE,
      totals: {
        offered: 24,
        booked: 4,
        cancelled: 1,
        attended: 1,
        noShow: 1,
        utilisation: 0.125,
        cancellationRate: 0.25,
        noShowRate: 0.5,
        revenue: [{ currency: 'EUR', amount: 5_000 }],
      },
      busiest: { weekday: Temporal.PlainDate.from(day).dayOfWeek, hour: 9 },
      clients: 2,
      repeatClients: 1,
    });
    t.ok(body.data.totals.medianLeadMinutes > 0);
    const free = await newProvider();
    t.match(await free.get('/provider/analytics'), {
      body: { data: { totals: { booked: 0, revenue: null }, busiest: { weekday: null, hour: null }, clients: 0 } },
    });
    t.strictSame(codeOf(await doctor.get('/provider/analytics?from=2026-01-01&to=2027-06-01')), [422, 'input-invalid']);
    t.strictSame(codeOf(await doctor.get('/provider/analytics?groupBy=year')), [422, 'input-invalid']);
  });

  await t.test('hands out its appointments as CSV', async (t) => {
    const { status, body } = await doctor.post('/provider/exports', { format: 'csv', from: day, to: inDays(4) });
    t.equal(status, 201);
    t.match(body.data, { rows: 4, expiresAt: /Z$/ });
    const file = await fetch(here(body.data.downloadUrl));
    t.equal(file.status, 200);
    t.match(file.headers.get('content-type'), /^text\/csv/);
    t.match(file.headers.get('content-disposition'), /^attachment; filename="appointments-.+\.csv"$/);
    const bytes = Buffer.from(await file.arrayBuffer());
    t.equal(bytes.length, body.data.fileSize);
    const rows: Record<string, string>[] = parse(bytes, { columns: true, bom: true });
    t.strictSame(
      rows.map(({ start, status, outcome, notes }) => [start, status, outcome, notes]),
      [
        ['09:00', 'COMPLETED', 'attended', 'First visit, "quoted"'],
        ['09:30', 'COMPLETED', 'no_show', ''],
        ['15:00', 'CANCELLED', '', "'@SUM(1;2)"],
        ['15:30', 'SCHEDULED', '', 'Zażółć gęślą jaźń'],
      ],
    );
    t.match(rows[2], { client: `'=HYPERLINK("http://example.org")`, cancelReason: 'Ill', timezone: ZONE });
    const one = await doctor.post('/provider/exports', { format: 'csv', from: day, to: day, status: 'CANCELLED' });
    t.equal(one.body.data.rows, 1);
    const none = await doctor.post('/provider/exports', { format: 'csv', from: inDays(5), to: inDays(5) });
    t.match(none, { status: 201, body: { data: { rows: 0 } } });
  });

  await t.test('hands them out as PDF', async (t) => {
    const { status, body } = await doctor.post('/provider/exports', { format: 'pdf', from: day, to: day });
    t.equal(status, 201);
    const file = await fetch(here(body.data.downloadUrl));
    t.equal(file.headers.get('content-type'), 'application/pdf');
    const bytes = Buffer.from(await file.arrayBuffer());
    t.equal(bytes.subarray(0, 5).toString(), '%PDF-');
    t.match(bytes.toString('latin1'), /%%EOF\s*$/);
    t.equal(bytes.length, body.data.fileSize, 'the same file whenever it is made of the same appointments');
  });

  await t.test('gives files to those who may have them alone', async (t) => {
    const key = { 'idempotency-key': 'one-file' };
    const wish = { format: 'csv', from: day, to: day };
    const { body } = await doctor.post('/provider/exports', wish, key);
    const again = await doctor.post('/provider/exports', wish, key);
    t.strictSame(again.body.data, body.data, 'a repeat is the same export');
    const { exportId, downloadUrl } = body.data;
    const path = `/provider/exports/${exportId}/file`;
    t.equal((await doctor.get(path)).status, 200);
    const { search } = new URL(downloadUrl);
    const bent = search.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const other = await newProvider();
    for (const answer of [
      await service.anonymous.get(path),
      await service.anonymous.get(path + bent),
      await doctor.get(path + bent),
      await other.get(path),
      await ada.get(path),
      await service.anonymous.get(`/provider/exports/018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01/file${search}`),
    ])
      t.equal(answer.status, 404);
    t.strictSame(codeOf(await doctor.get('/provider/exports/nonsense/file')), [422, 'input-invalid']);
    await service.setAhead(noon + 86_400_000);
    t.equal((await fetch(here(downloadUrl))).status, 404, 'after a day');
    t.equal((await doctor.get(path)).status, 404);
    await service.setAhead(noon);
  });

  await t.test('makes no files for others, nor of what cannot be', async (t) => {
    const wish = { format: 'csv', from: day, to: day };
    t.equal((await ada.post('/provider/exports', wish)).status, 403);
    t.strictSame(codeOf(await (await service.admin()).post('/provider/exports', wish)), [403, 'no-provider-profile']);
    for (const bad of [
      { ...wish, format: 'xml' },
      { ...wish, from: inDays(5) },
      { ...wish, to: inDays(400) },
      { ...wish, status: 'FOO' },
      {},
    ])
      t.strictSame(codeOf(await doctor.post('/provider/exports', bad)), [422, 'input-invalid']);
    for (const path of ['/provider/dashboard', '/provider/analytics']) t.equal((await ada.get(path)).status, 403);
  });

  await t.test('shows nothing of a client who has been erased since', async (t) => {
    const { body } = await doctor.post('/provider/exports', { format: 'csv', from: day, to: day });
    const admin = await service.admin();
    t.equal((await admin.delete(`/users/${formula.accountId}`)).status, 200);
    const erasure = { confirm: formula.email };
    t.match(await admin.delete(`/users/${formula.accountId}/personal-data`, erasure), { status: 200 });
    const file = await eventually(
      async () => (await fetch(here(body.data.downloadUrl))).text(),
      // Of one read model the address, of another the rest.
      (text) => !text.includes(formula.email) && !/HYPERLINK|gęślą|Ill/.test(text),
    );
    t.notMatch(file, /HYPERLINK|gęślą|Ill/);
    t.match(file, 'Ada');
  });
});
