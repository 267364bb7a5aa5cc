import t from 'tap';
import { hasten } from '../../support/jobs.ts';
import { codeOf, everyDay, inDays, practice } from '../../support/practice.ts';
import { type Answer, type Client, eventually, testService } from '../../support/service.ts';
import { openSocket } from '../live/client.ts';

t.test('waiting for a slot', async (t) => {
  const service = await testService(t);
  const { newClient, newProvider, openSlots, freeSlots } = practice(service);
  const [ada, ben, cleo, dave] = await Promise.all(['Ada', 'Ben', 'Cleo', 'Dave'].map((name) => newClient(name)));
  if (!ada || !ben || !cleo || !dave) throw new Error('Nobody there');

  let nextDay = 2;
  /** A provider with one hour on each of some days, on which nobody has anything else to do, all of it booked by dave. */
  const fullyBooked = async (days = 1, availability: object = {}) => {
    const doctor = await newProvider({ weekly: everyDay('09:00', '10:00'), ...availability });
    const all = Array.from({ length: days }, (_, number) => inDays(nextDay + number));
    nextDay += days;
    const [day = ''] = all;
    await openSlots(doctor, day, all.at(-1));
    const booked: { readonly id: string; readonly slotId: string }[] = [];
    for (const one of all)
      for (const { slotId } of await freeSlots(dave, doctor, one)) {
        const { status, body } = await dave.post('/appointments', { slotId });
        if (status !== 201) throw new Error(JSON.stringify(body));
        booked.push(body.data);
      }
    return { doctor, booked, day };
  };
  const join = (who: Client, doctor: Client, from: string, to = from) =>
    who.post('/appointments/waiting-list', { providerId: doctor.accountId, from, to });
  const mine = async (who: Client, doctor: Client, status = 'open') => {
    const { body } = await who.get(`/appointments/waiting-list?status=${status}&limit=50`);
    return body.data.items.filter(({ providerId }: { providerId: string }) => providerId === doctor.accountId);
  };
  /** What is offered to somebody, once something is. */
  const offered = async (who: Client, doctor: Client) =>
    (
      await eventually(
        () => mine(who, doctor),
        ([entry]) => entry?.status === 'offered',
      )
    )[0].offer;
  const cancel = (appointment: { readonly id: string } | undefined) => dave.delete(`/appointments/${appointment?.id}`);
  const book = (who: Client, slotId: string | undefined) => who.post('/appointments', { slotId });
  const seen = async (who: Client, doctor: Client, day: string, slotId: string | undefined): Promise<boolean> =>
    (await freeSlots(who, doctor, day)).some((slot) => slot.slotId === slotId);
  const won = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 201).length;

  await t.test('is a line', async (t) => {
    const { doctor, booked, day } = await fullyBooked();
    const [first] = booked;
    const joined = await join(ada, doctor, day);
    t.match(joined, { status: 201, body: { data: { from: day, to: day, place: 1 } } });
    t.match(await join(ben, doctor, day), { body: { data: { place: 2 } } });
    t.strictSame(codeOf(await join(ada, doctor, inDays(1), inDays(40))), [409, 'already-waiting']);
    t.match(await mine(ben, doctor), [{ status: 'waiting', place: 2, offer: null, providerName: 'Dr. Ada Weber' }]);
    const list = await doctor.get('/provider/waiting-list');
    t.match(list.body.data.items, [
      { place: 1, client: { id: ada.accountId, name: 'Ada', email: ada.email } },
      { place: 2, client: { id: ben.accountId } },
    ]);

    const socket = await openSocket(service.url, { token: ada.token });
    t.teardown(() => socket.close());
    t.match(await socket.subscribe(`offers:${ada.accountId}`), { type: 'subscribed' });
    t.match(await socket.subscribe(`offers:${ben.accountId}`), { type: 'error' }, 'nobody hears of others');
    t.equal((await cancel(first)).status, 200);
    const live = await socket.until(({ event }) => event === 'offer:made');
    const offer = await offered(ada, doctor);
    t.match(offer, { slotId: first?.slotId });
    t.match(live.data, { slotId: first?.slotId, offerId: offer.offerId, until: offer.until });
    const left = Date.parse(offer.until) - Date.now();
    t.ok(left > 29 * 60_000 && left <= 30 * 60_000, 'for half an hour');
    const mail = await service.message(ada.email, 'waiting-list-offer');
    t.match(mail.subject, 'A time with Dr. Ada Weber has become free');
    t.match(mail.text, /Book it/);
    t.match(mail.text, 'Place: 2 Rue du Fort');

    t.strictSame(codeOf(await book(ben, first?.slotId)), [409, 'slot-held'], 'the slot is held for her');
    t.notOk(await seen(ben, doctor, day, first?.slotId));
    t.ok(await seen(ada, doctor, day, first?.slotId));
    t.match(await mine(ben, doctor), [{ status: 'waiting' }]);

    const { id } = joined.body.data;
    t.strictSame(codeOf(await ben.post(`/appointments/waiting-list/${id}/decline`)), [404, 'waiting-unknown']);
    t.equal((await ada.post(`/appointments/waiting-list/${id}/decline`, { offerId: offer.offerId })).status, 200);
    t.strictSame(codeOf(await ada.post(`/appointments/waiting-list/${id}/decline`)), [409, 'no-offer']);
    t.match(await socket.until(({ event }) => event === 'offer:ended'), { data: { outcome: 'declined' } });
    t.match(await offered(ben, doctor), { slotId: first?.slotId }, 'then the next in line is asked');
    t.match(await mine(ada, doctor), [{ status: 'waiting', place: 1 }], 'and she goes on waiting');
    t.equal((await book(ben, first?.slotId)).status, 201);
    const [over] = await eventually(
      () => mine(ben, doctor, 'ended'),
      (entries) => entries.length > 0,
    );
    t.match(over, { status: 'ended', endedBecause: 'booked', place: null });
    t.equal((await ada.delete(`/appointments/waiting-list/${id}`)).status, 200);
    t.strictSame(codeOf(await ada.delete(`/appointments/waiting-list/${id}`)), [404, 'waiting-unknown']);
    t.strictSame(await mine(ada, doctor), []);
  });

  await t.test('asks the next in line when an offer is let pass', async (t) => {
    const { doctor, booked, day } = await fullyBooked();
    const [first] = booked;
    await join(ada, doctor, day);
    await join(ben, doctor, day);
    await cancel(first);
    const { slotId, until } = await offered(ada, doctor);
    t.equal(slotId, first?.slotId);
    await eventually(
      () =>
        service.pool.query(
          `select from pgboss.job where data->'data'->>'command' = 'SettleOffers' and start_after = $1`,
          [until],
        ),
      ({ rowCount }) => rowCount === 1,
    );
    await service.setAhead(30 * 60_000 + 1_000);
    const [next] = await eventually(
      () => hasten(service.pool, 'SettleOffers').then(() => mine(ben, doctor)),
      ([entry]) => entry?.status === 'offered',
    );
    t.match(next.offer, { slotId: first?.slotId });
    await service.setAhead(0);
    t.match(await mine(ada, doctor), [{ status: 'waiting', offer: null }]);
    t.strictSame(codeOf(await book(ada, first?.slotId)), [409, 'slot-held']);
    t.equal((await book(ben, first?.slotId)).status, 201);
  });

  await t.test('gives nobody two offers, and one slot to one', async (t) => {
    const { doctor, booked, day } = await fullyBooked();
    await join(ada, doctor, day);
    const cancelled = await Promise.all(booked.map(cancel));
    t.ok(cancelled.every(({ status }) => status === 200));
    const offer = await offered(ada, doctor);
    const other = booked.find(({ slotId }) => slotId !== offer.slotId);
    t.equal((await book(cleo, other?.slotId)).status, 201, 'the other one is there for everybody');
    const rivals = await Promise.all([ada, ben, cleo].map((who) => book(who, offer.slotId)));
    t.equal(won(rivals), 1);
    t.equal(rivals[0]?.status, 201);
  });

  await t.test('passes over whoever could not come', async (t) => {
    const { doctor, booked, day } = await fullyBooked();
    const [first] = booked;
    const elsewhere = await newProvider({ weekly: everyDay('09:00', '10:00') });
    await openSlots(elsewhere, day);
    const [busy] = await freeSlots(ada, elsewhere, day);
    t.equal((await book(ada, busy?.slotId)).status, 201);
    await join(ada, doctor, day);
    await join(cleo, doctor, inDays(40), inDays(45));
    await join(ben, doctor, day);
    await cancel(first);
    t.match(await offered(ben, doctor), { slotId: first?.slotId });
    t.match(await mine(ada, doctor), [{ status: 'waiting' }], 'she has another appointment at that time');
    t.match(await mine(cleo, doctor), [{ status: 'waiting' }], 'it does not suit her');
  });

  await t.test('keeps to the notice', async (t) => {
    const notice = { minNoticeMinutes: 0 };
    const { doctor, booked, day } = await fullyBooked(1, notice);
    const [first] = booked;
    await join(ada, doctor, day);
    const start = Date.parse((await dave.get(`/appointments/${first?.id}`)).body.data.startTime);
    await doctor.put('/provider/availability', { weekly: everyDay('09:00', '10:00'), minNoticeMinutes: 120 });
    await service.setAhead(start - 135 * 60_000 - Date.now());
    await cancel(first);
    const { until } = await offered(ada, doctor);
    t.equal(Date.parse(until), start - 120 * 60_000, 'an offer ends before it begins');
    await service.setAhead(0);
  });

  await t.test('is for slots that are moved away from, too', async (t) => {
    const { doctor, booked, day } = await fullyBooked(2);
    const [first, , third] = booked;
    await join(ben, doctor, day);
    await cancel(third);
    await eventually(
      () => freeSlots(dave, doctor, inDays(nextDay - 1)),
      (slots) => slots.some(({ slotId }) => slotId === third?.slotId),
    );
    const moved = await dave.put(`/appointments/${first?.id}`, { slotId: third?.slotId });
    t.equal(moved.status, 200);
    t.match(await offered(ben, doctor), { slotId: first?.slotId });
    t.equal((await dave.put(`/appointments/${first?.id}`, { slotId: first?.slotId })).status, 409, 'no way back');
  });

  await t.test('ends with the account, and with the provider', async (t) => {
    const { doctor, booked, day } = await fullyBooked();
    const [first, second] = booked;
    const eve = await newClient('Eve');
    await join(eve, doctor, day);
    await join(ben, doctor, day);
    await cancel(first);
    t.match(await offered(eve, doctor), { slotId: first?.slotId });
    t.equal((await eve.delete('/users/me', { password: 'Correct-horse-7' })).status, 200);
    t.match(await offered(ben, doctor), { slotId: first?.slotId }, 'her offer goes to the next');
    const profile = { displayName: 'Dr. Ada Weber', active: false };
    t.equal((await doctor.put('/provider/profile', profile)).status, 200);
    const [over] = await eventually(
      () => mine(ben, doctor, 'ended'),
      (entries) => entries.length > 0,
    );
    t.match(over, { endedBecause: 'provider-inactive' });
    t.strictSame(codeOf(await join(ada, doctor, day)), [404, 'provider-unknown']);
    t.ok(second);
  });

  await t.test('ends an offer whose slot the provider takes back', async (t) => {
    const { doctor, booked, day } = await fullyBooked();
    const [first, second] = booked;
    await join(ada, doctor, day);
    await cancel(first);
    await offered(ada, doctor);
    t.equal((await doctor.patch(`/provider/timeslots/${first?.slotId}`, { isAvailable: false })).status, 200);
    await service.setAhead(62_000);
    t.equal((await doctor.delete(`/provider/timeslots/${first?.slotId}`)).status, 200);
    await eventually(
      () => mine(ada, doctor),
      ([entry]) => entry?.status === 'waiting',
    );
    await service.setAhead(0);
    await cancel(second);
    t.match(await offered(ada, doctor), { slotId: second?.slotId });
  });

  await t.test('is refused for what nobody can wait for', async (t) => {
    const { doctor, day } = await fullyBooked();
    t.strictSame(codeOf(await join(ada, doctor, inDays(-3), inDays(-2))), [422, 'in-the-past']);
    t.equal((await join(ada, doctor, inDays(5), inDays(4))).status, 422);
    t.equal((await join(ada, doctor, inDays(5), inDays(105))).status, 422);
    t.strictSame(codeOf(await join(ada, ben, day)), [404, 'provider-unknown']);
    t.strictSame(codeOf(await join(doctor, doctor, day)), [403, 'own-calendar']);
    t.equal((await ada.delete('/appointments/waiting-list/nonsense')).status, 422);
    t.equal((await ada.get('/provider/waiting-list')).status, 403);
  });
});
