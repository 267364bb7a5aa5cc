import ICAL from 'ical.js';
import t from 'tap';
import { inDays, practice } from '../support/practice.ts';
import { type Client, eventually, sharedService } from '../support/service.ts';

const entriesIn = (text: string) =>
  new ICAL.Component(ICAL.parse(text)).getAllSubcomponents('vevent').map((event) => new ICAL.Event(event));

t.test('appointments to subscribe to', async (t) => {
  const service = await sharedService();
  const { newProvider, newClient, openSlots, freeSlots } = practice(service);
  const [provider, client] = [await newProvider(), await newClient('Carol')];
  await openSlots(provider, inDays(3));
  const [first, second] = await freeSlots(client, provider, inDays(3));
  const booked = (await client.post('/appointments', { slotId: first?.slotId, notes: 'Bring; the, files\nand tea' }))
    .body.data;
  // Waits for the read model: feeds, which are asked for without a login, do not.
  await client.get('/appointments');

  const open = async (account: Client): Promise<string> => {
    const { status, body } = await account.post('/calendar/feed');
    t.equal(status, 201);
    return new URL(body.data.url).pathname.replace('/api/v1', '');
  };
  const { anonymous } = service;
  const path = await open(client);

  t.test('are there for whoever knows the address, and nobody else', async (t) => {
    t.match(path, /^\/calendar\/feeds\/[A-Za-z0-9_-]{54}\.ics$/);
    const feed = await anonymous.get(path);
    t.match([feed.status, feed.headers.get('content-type')], [200, /^text\/calendar; charset=utf-8/]);
    const [entry, ...others] = entriesIn(feed.body);
    t.equal(others.length, 0);
    t.equal(entry?.uid, `${booked.id}@convene`);
    t.equal(entry?.startDate.toJSDate().toISOString(), first?.startTime);
    t.match(entry?.description, 'Notes: Bring; the, files\nand tea');
    for (const bent of [
      path.replace('.ics', ''),
      path.replace(/.(?=\.ics)/, (letter) => (letter === 'A' ? 'B' : 'A')),
      path.replace(/feeds\/..../, 'feeds/AAAA'),
      '/calendar/feeds/x.ics',
    ])
      t.equal((await anonymous.get(bent)).status, 404, bent);
  });
  t.test('are the same for both sides, each by the name of the other', async (t) => {
    const theirs = entriesIn((await anonymous.get(await open(provider))).body);
    t.strictSame(
      theirs.map(({ uid, summary }) => [uid, summary]),
      [[`${booked.id}@convene`, 'Appointment with Carol']],
    );
  });
  t.test('are sent again only when something has changed', async (t) => {
    const before = await anonymous.get(path);
    const etag = before.headers.get('etag') ?? '';
    const again = await anonymous.get(path, { 'if-none-match': etag });
    t.match([again.status, again.body], [304, '']);
    await client.put(`/appointments/${booked.id}`, { slotId: second?.slotId });
    const after = await eventually(
      () => anonymous.get(path, { 'if-none-match': etag }),
      ({ status }) => status === 200,
    );
    const [entry] = entriesIn(after.body);
    t.match([entry?.sequence, entry?.startDate.toJSDate().toISOString()], [1, second?.startTime]);
    t.not(after.headers.get('etag'), etag);
    await client.delete(`/appointments/${booked.id}`);
    await eventually(
      () => anonymous.get(path),
      ({ body }) => entriesIn(body).length === 0,
    );
  });
  t.test('have one address at a time, which is shown once and kept nowhere', async (t) => {
    t.match((await client.get('/calendar/feed')).body.data, { open: true, since: /Z$/ });
    const key = { 'idempotency-key': 'once' };
    const made = await client.post('/calendar/feed', {}, key);
    const repeated = await client.post('/calendar/feed', {}, key);
    t.match([made.status, repeated.status], [201, 201]);
    t.equal(repeated.body.data.url, undefined);
    const another = new URL(made.body.data.url).pathname.replace('/api/v1', '');
    t.equal((await anonymous.get(path)).status, 404);
    t.equal((await anonymous.get(another)).status, 200);
    const { rows } = await service.pool.query(`select data from log.events where type like 'CalendarFeed%'`);
    const [, secret = ''] = /feeds\/(.+)\.ics/.exec(another) ?? [];
    t.ok(rows.length > 2);
    t.notOk(JSON.stringify(rows).includes(secret));
    t.equal((await client.delete('/calendar/feed')).status, 200);
    t.equal((await anonymous.get(another)).status, 404);
    t.match((await client.get('/calendar/feed')).body.data, { open: false, since: null });
    t.equal((await client.delete('/calendar/feed')).status, 200);
  });
  t.test('end with the account', async (t) => {
    const erin = await newClient('Erin');
    const theirs = await open(erin);
    t.equal((await anonymous.get(theirs)).status, 200);
    t.equal((await erin.delete('/users/me', { password: 'Correct-horse-7' })).status, 200);
    t.equal((await anonymous.get(theirs)).status, 404);
  });
  t.test('are for verified accounts', async (t) => {
    t.equal((await anonymous.post('/calendar/feed')).status, 401);
    t.equal((await (await service.newcomer()).post('/calendar/feed')).status, 403);
  });
});
