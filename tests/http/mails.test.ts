import ICAL from 'ical.js';
import t from 'tap';
import { inDays, practice } from '../support/practice.ts';
import { type Client, eventually, testService } from '../support/service.ts';

/** What a provider's list of mails shows, once it has at least so many and knows what became of all of them. */
const listed = async (provider: Client, query: string, count = 1) => {
  const { body } = await eventually(
    () => provider.get(`/provider/emails?${query}&limit=50`),
    ({ body }) =>
      body.data.items.length >= count && body.data.items.every(({ status }: { status: string }) => status !== 'queued'),
  );
  return body.data;
};

t.test('mails about appointments', async (t) => {
  const service = await testService(t);
  const { newProvider, newClient, openSlots, freeSlots } = practice(service);
  const [provider, client, stranger] = [await newProvider(), await newClient('Carol'), await newClient('Eve')];
  await openSlots(provider, inDays(3));
  const free = async () => freeSlots(client, provider, inDays(3));
  const slots = await free();
  const [first, second, third] = slots;

  const booking = await client.post('/appointments', {
    slotId: first?.slotId,
    notes: 'First visit',
    timezone: 'Asia/Tokyo',
  });
  const appointmentId = booking.body.data.id;

  t.test('a booking is confirmed to both sides', async (t) => {
    t.match(booking, { status: 201, body: { data: { status: 'SCHEDULED' } } });
    const mine = await service.message(client.email, 'booking-confirmation');
    t.match(mine.subject, 'Your appointment with Dr. Ada Weber');
    t.match(mine.text, /Asia\/Tokyo, GMT\+9[\s\S]*First visit/);
    const theirs = await service.message(provider.email, 'booking-confirmation');
    t.match(theirs.text, /Client: Carol[\s\S]*Europe\/Luxembourg/);
    t.notOk((await free()).some(({ slotId }) => slotId === first?.slotId));
  });

  t.test('a move is told with what was before', async (t) => {
    const move = { slotId: second?.slotId, notes: 'Second thoughts' };
    t.match(await client.put(`/appointments/${appointmentId}`, move), {
      status: 200,
      body: { data: { startTime: second?.startTime } },
    });
    const mine = await service.message(client.email, 'appointment-update');
    t.match(mine.text, /When: [^\n]*\n {2}before: [\s\S]*Notes: Second thoughts\n {2}before: First visit/);
    await service.message(provider.email, 'appointment-update');
    const { items } = await listed(provider, 'template=appointment-update', 2);
    t.equal(items.length, 2, 'once to each side, although time and notes changed');
    const left = (await free()).map(({ slotId }) => slotId);
    t.ok(left.includes(first?.slotId ?? ''));
    t.notOk(left.includes(second?.slotId ?? ''));
  });

  t.test('another place is told to the clients of appointments to come', async (t) => {
    const profile = { displayName: 'Dr. Ada Weber', meetingLink: 'https://meet.example.org/weber' };
    t.equal((await provider.put('/provider/profile', profile)).status, 200);
    const { text } = await service.message(client.email, 'appointment-update', 2);
    t.match(text, /Place: none\n {2}before: 2 Rue du Fort\nMeeting link: https:\/\/meet\.example\.org\/weber/);
    t.equal((await provider.put('/provider/profile', { ...profile, bio: 'Since 1999' })).status, 200);
  });

  t.test('the appointment is there as a file for a calendar, for its two sides', async (t) => {
    const file = await client.get(`/appointments/${appointmentId}/calendar.ics`);
    t.equal(file.status, 200);
    t.match(file.headers.get('content-type'), /^text\/calendar/);
    const event = new ICAL.Event(new ICAL.Component(ICAL.parse(file.body)).getFirstSubcomponent('vevent') ?? undefined);
    t.equal(event.uid, `${appointmentId}@convene`);
    t.equal(event.startDate.toJSDate().toISOString(), second?.startTime);
    t.match(event.summary, 'Dr. Ada Weber');
    t.match((await provider.get(`/appointments/${appointmentId}/calendar.ics`)).body, 'Appointment with Carol');
    t.equal((await stranger.get(`/appointments/${appointmentId}/calendar.ics`)).status, 404);
  });

  t.test('a cancellation is told to both sides, once', async (t) => {
    t.match(await client.delete(`/appointments/${appointmentId}`, { reason: 'Fallen ill' }), {
      status: 200,
      body: { data: { status: 'CANCELLED' } },
    });
    t.equal((await client.delete(`/appointments/${appointmentId}`)).status, 409);
    t.match((await service.message(client.email, 'cancellation')).text, /you have cancelled[\s\S]*Reason: Fallen ill/);
    t.match((await service.message(provider.email, 'cancellation')).text, 'the client has cancelled');
    const left = (await free()).map(({ slotId }) => slotId);
    t.ok(left.includes(second?.slotId ?? ''));
    const { items } = await listed(provider, 'template=cancellation', 2);
    t.equal(items.length, 2);
    const file = await client.get(`/appointments/${appointmentId}/calendar.ics`);
    t.match(file.body, 'STATUS:CANCELLED');
  });

  t.test('the provider sees the mails about his appointments, and figures', async (t) => {
    const all = await listed(provider, '');
    t.equal(all.pagination.total, all.items.length);
    t.ok(all.items.every(({ appointmentId }: { appointmentId: string | null }) => appointmentId !== null));
    t.match(all.items[0], { status: 'suppressed', lastError: 'not_configured', attempts: 0 });
    t.ok(all.items.every(({ recipient }: { recipient: string }) => /^.\*\*\*@example\.org$/.test(recipient)));
    const figures = all.statistics.find(({ template }: { template: string }) => template === 'cancellation');
    t.match(figures, { queued: 2, sent: 0, delivered: 0, bounced: 0, failed: 0, opened: 0, deliveryRate: null });
    const one = await provider.get(`/provider/emails?appointmentId=${appointmentId}&status=suppressed&limit=1`);
    t.match(one.body.data, { items: [{ appointmentId }], pagination: { hasNext: true } });
    t.equal((await provider.get('/provider/emails?status=sent')).body.data.items.length, 0);
    for (const query of ['state=sent', 'status=FOO', 'appointmentId=x', 'from=2027-01-02&to=2027-01-01'])
      t.equal((await provider.get(`/provider/emails?${query}`)).status, 422, query);
  });
  t.test('the appointment shows the mails about it, to its client his own', async (t) => {
    const mine = (await client.get(`/appointments/${appointmentId}`)).body.data.emails;
    const theirs = (await provider.get(`/appointments/${appointmentId}`)).body.data.emails;
    t.match(mine[0], { template: 'booking-confirmation', to: 'client', status: 'suppressed', sentAt: null });
    t.ok(mine.every(({ to }: { to: string }) => to === 'client'));
    t.ok(theirs.length > mine.length);
  });
  t.test('another provider sees nothing of them', async (t) => {
    const other = await newProvider();
    for (const query of ['', `?appointmentId=${appointmentId}`])
      t.match((await other.get(`/provider/emails${query}`)).body.data, { items: [], statistics: [] });
  });
  t.test('an administrator sees all mails with their addresses, a client none', async (t) => {
    const admin = await service.admin();
    const { items } = (await admin.get('/provider/emails?template=email-verification&limit=50')).body.data;
    t.ok(items.some(({ recipient }: { recipient: string }) => recipient === client.email));
    t.equal((await client.get('/provider/emails')).status, 403);
  });

  t.test('a client is reminded a day before, exactly once', async (t) => {
    const dave = await newClient('Dave');
    const { body } = await dave.post('/appointments', { slotId: third?.slotId });
    await service.message(dave.email, 'booking-confirmation');
    /** Lets the timers of reminders run out now, as a scheduler does that was down meanwhile. */
    const runOut = async (): Promise<number> => {
      const { rowCount } = await service.pool.query(
        `update pgboss.job set start_after = now(), state = 'created', completed_on = null
         where data->'data'->>'command' = 'SendAppointmentReminder' and data->'data'->'input'->>'appointmentId' = $1`,
        [body.data.id],
      );
      return rowCount ?? 0;
    };
    const done = async (): Promise<boolean> => {
      const { rows } = await service.pool.query(
        `select state from pgboss.job where data->'data'->>'command' = 'SendAppointmentReminder'
         and data->'data'->'input'->>'appointmentId' = $1`,
        [body.data.id],
      );
      return rows.length > 0 && rows.every(({ state }) => state === 'completed');
    };
    await eventually(runOut, (timers) => timers === 1);
    t.match((await service.message(dave.email, 'reminder-24h')).text, 'this is to remind you');
    await eventually(done, (settled) => settled);
    await runOut();
    await eventually(done, (settled) => settled);

    const other = slots.at(-1);
    t.equal((await dave.put(`/appointments/${body.data.id}`, { slotId: other?.slotId })).status, 200);
    await eventually(runOut, (timers) => timers === 2);
    await service.message(dave.email, 'reminder-24h', 2);
    t.equal((await dave.delete(`/appointments/${body.data.id}`)).status, 200);
    await service.message(dave.email, 'cancellation');
    await runOut();
    await eventually(done, (settled) => settled);
    const { items } = await listed(provider, 'template=reminder-24h', 2);
    t.equal(items.length, 2, 'one for each start, none for the one before nor once it is cancelled');
  });
});
