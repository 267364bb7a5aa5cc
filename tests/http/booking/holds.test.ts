import t from 'tap';
import { codeOf, everyDay, inDays, practice } from '../../support/practice.ts';
import { type Answer, type Client, testService } from '../../support/service.ts';
import { openSocket } from '../live/client.ts';

t.test('holding a slot while a form is filled in', async (t) => {
  const service = await testService(t);
  const { newClient, newProvider, openSlots, freeSlots } = practice(service);
  const doctor = await newProvider({ weekly: everyDay('09:00', '12:00'), bufferMinutes: 0 });
  const [ada, ben] = [await newClient('Ada'), await newClient('Ben')];
  await openSlots(doctor, inDays(2), inDays(14));

  const hold = (who: Client, slotId: string | undefined) => who.post('/appointments/holds', { slotId });
  const letGo = (who: Client, slotId: string | undefined) => who.delete(`/appointments/holds/${slotId}`);
  const book = (who: Client, slotId: string | undefined) => who.post('/appointments', { slotId });
  /** The slot is in the list of somebody who sees everything that an answer tells of. */
  const sees = async (who: Client, slotId: string | undefined, { headers }: Answer) => {
    const path = `/appointments/available?providerId=${doctor.accountId}&from=${inDays(2)}&to=${inDays(14)}&limit=100`;
    const { body } = await who.get(path, { 'consistency-token': headers.get('consistency-token') ?? '' });
    return body.data.slots.find((slot: { slotId: string }) => slot.slotId === slotId);
  };

  await t.test('keeps it for two minutes', async (t) => {
    const [slot, other] = await freeSlots(ada, doctor, inDays(2));
    const before = Date.now();
    const held = await hold(ada, slot?.slotId);
    t.match(held, {
      status: 201,
      body: { data: { slotId: slot?.slotId, providerId: doctor.accountId, startTime: slot?.startTime } },
    });
    const ends = Date.parse(held.body.data.expiresAt);
    t.ok(ends >= before + 120_000 && ends <= Date.now() + 120_000, 'two minutes');
    t.equal(await sees(ben, slot?.slotId, held), undefined, 'is offered to nobody else');
    t.equal((await sees(ada, slot?.slotId, held))?.heldUntil, held.body.data.expiresAt);
    const listed = await doctor.get(`/provider/timeslots?from=${inDays(2)}&to=${inDays(2)}`);
    t.match(listed.body.data.items[0], { booked: false, heldUntil: held.body.data.expiresAt });
    t.strictSame(codeOf(await hold(ben, slot?.slotId)), [409, 'slot-held']);
    t.strictSame(codeOf(await book(ben, slot?.slotId)), [409, 'slot-held']);
    t.strictSame(codeOf(await letGo(ben, slot?.slotId)), [404, 'hold-unknown']);
    const his = await book(ben, other?.slotId);
    t.equal(his.status, 201);
    const moved = await ben.put(`/appointments/${his.body.data.id}`, { slotId: slot?.slotId });
    t.strictSame(codeOf(moved), [409, 'slot-held']);
    const [elsewhere] = await freeSlots(ben, doctor, inDays(3));
    const away = await book(ben, elsewhere?.slotId);
    const back = await ben.put(`/appointments/${away.body.data.id}`, { slotId: slot?.slotId });
    t.strictSame(codeOf(back), [409, 'slot-held'], 'nor from another day');
    t.strictSame(codeOf(await hold(doctor, elsewhere?.slotId)), [403, 'own-calendar']);

    const booked = await book(ada, slot?.slotId);
    t.equal(booked.status, 201, 'its holder books it');
    t.strictSame(codeOf(await letGo(ada, slot?.slotId)), [404, 'hold-unknown'], 'and holds it no more');
    t.equal((await ada.delete(`/appointments/${booked.body.data.id}`)).status, 200);
    t.equal((await hold(ben, slot?.slotId)).status, 201, 'free again');
    t.equal((await letGo(ben, slot?.slotId)).status, 200);
    const gone = await letGo(ben, slot?.slotId);
    t.equal(gone.status, 200, 'twice is safe');
    t.equal((await sees(ada, slot?.slotId, gone))?.heldUntil, null);
  });

  await t.test('counts no longer than that, whatever becomes of the timer', async (t) => {
    const [slot] = await freeSlots(ada, doctor, inDays(4));
    const held = await hold(ada, slot?.slotId);
    t.equal(await sees(ben, slot?.slotId, held), undefined);
    await service.setAhead(120_001);
    t.equal((await sees(ben, slot?.slotId, held))?.heldUntil, null);
    t.equal((await book(ben, slot?.slotId)).status, 201);
    t.strictSame(codeOf(await book(ada, slot?.slotId)), [409, 'slot-taken']);
    await service.setAhead(0);
  });

  await t.test('is no way to block a calendar', async (t) => {
    const eve = await newClient('Eve');
    const days = await Promise.all([5, 6, 7, 8].map((day) => freeSlots(eve, doctor, inDays(day))));
    const [first, second] = days[0] ?? [];
    t.equal((await hold(eve, first?.slotId)).status, 201);
    const held = await hold(eve, second?.slotId);
    t.equal(held.status, 201);
    t.ok(await sees(ben, first?.slotId, held), 'another slot of the day lets the first go');
    t.equal((await hold(eve, days[1]?.[0]?.slotId)).status, 201);
    t.equal((await hold(eve, days[2]?.[0]?.slotId)).status, 201);
    t.strictSame(codeOf(await hold(eve, days[3]?.[0]?.slotId)), [409, 'too-many-holds']);
    t.equal((await letGo(eve, second?.slotId)).status, 200);
    t.equal((await hold(eve, days[3]?.[0]?.slotId)).status, 201);
    const all = [9, 10, 11, 12, 13].map((day) => freeSlots(eve, doctor, inDays(day)));
    const answers = await Promise.all((await Promise.all(all)).map(([slot]) => hold(eve, slot?.slotId)));
    t.ok(
      answers.every((answer) => answer.status === 409),
      'however many are asked for at once',
    );
    const [slot] = days[1] ?? [];
    const until = (await hold(eve, slot?.slotId)).body.data.expiresAt;
    for (let minute = 1; minute < 6; minute += 1) {
      await service.setAhead(minute * 60_000);
      t.equal((await hold(eve, slot?.slotId)).status, 201);
    }
    const last = (await hold(eve, slot?.slotId)).body.data.expiresAt;
    t.ok(Date.parse(last) - Date.parse(until) <= 240_500, 'six minutes in all');
    await service.setAhead(365_000);
    const refused = await hold(eve, slot?.slotId);
    t.strictSame(codeOf(refused), [409, 'hold-used-up']);
    t.ok(Number(refused.headers.get('retry-after')) > 500);
    t.equal((await hold(ben, slot?.slotId)).status, 201, 'others come first');
    await service.setAhead(0);
  });

  await t.test('is won by one of twenty', async (t) => {
    const crowd = await Promise.all(Array.from({ length: 20 }, (_, number) => newClient(`Guest ${number}`)));
    const [slot] = await freeSlots(ada, doctor, inDays(9));
    const held = await Promise.all(crowd.map((one) => hold(one, slot?.slotId)));
    const winner = crowd[held.findIndex(({ status }) => status === 201)];
    t.equal(held.filter(({ status }) => status === 201).length, 1);
    t.ok(held.filter(({ body }) => body.error?.reason === 'slot-held').length >= 17, 'the others are told why');
    const booked = await Promise.all(crowd.map((one) => book(one, slot?.slotId)));
    t.strictSame(
      crowd.filter((_, index) => booked[index]?.status === 201),
      [winner],
      'and only he books it',
    );
  });

  await t.test('that runs out while its holder books leaves one winner', async (t) => {
    const [slot] = await freeSlots(ada, doctor, inDays(10));
    await hold(ada, slot?.slotId);
    await service.setAhead(119_990);
    const [hers, his] = await Promise.all([book(ada, slot?.slotId), eventuallyBooked(ben, slot?.slotId)]);
    t.equal([hers, his].filter(({ status }) => status === 201).length, 1);
    await service.setAhead(0);

    /** Tries until the hold is over. */
    async function eventuallyBooked(who: Client, slotId: string | undefined): Promise<Answer> {
      for (let ahead = 119_990; ; ahead += 5) {
        const answer = await book(who, slotId);
        if (answer.body.error?.reason !== 'slot-held') return answer;
        await service.setAhead(ahead);
      }
    }
  });

  await t.test('is seen live, and let go by a timer', async (t) => {
    const [slot] = await freeSlots(ben, doctor, inDays(11));
    const socket = await openSocket(service.url, { token: ben.token });
    t.teardown(() => socket.close());
    await socket.subscribe(`availability:${doctor.accountId}`);
    const told = (isAvailable: boolean, from: number) =>
      socket.until(
        (message) =>
          message.event === 'slot:changed' &&
          message.data.slotId === slot?.slotId &&
          message.data.isAvailable === isAvailable &&
          socket.heard.indexOf(message) >= from,
      );
    // For the rules it is two minutes ago: the hold has three seconds to live.
    await service.setAhead(-117_000);
    const { expiresAt } = (await hold(ada, slot?.slotId)).body.data;
    await service.setAhead(0);
    await told(false, 0);
    const { at } = await told(true, 0);
    const late = Date.parse(at ?? '') - Date.parse(expiresAt);
    t.ok(late > -1_100, `released ${late} ms after its end`);
    const [from, again] = [socket.heard.length, await hold(ben, slot?.slotId)];
    t.equal(again.status, 201);
    await told(false, from);
    await letGo(ben, slot?.slotId);
    await told(true, from);
  });

  await t.test('stands in no way of the provider', async (t) => {
    const slots = await freeSlots(ada, doctor, inDays(12));
    const [first, second, third] = slots;
    const dave = await newClient('Dave');
    await hold(ada, first?.slotId);
    t.equal((await doctor.patch(`/provider/timeslots/${first?.slotId}`, { isAvailable: false })).status, 200);
    t.strictSame(codeOf(await book(ada, first?.slotId)), [409, 'slot-blocked']);
    await hold(ada, second?.slotId);
    t.equal((await doctor.delete(`/provider/timeslots/${second?.slotId}`)).status, 200);
    t.strictSame(codeOf(await book(ada, second?.slotId)), [404, 'slot-unknown']);
    t.equal((await hold(dave, third?.slotId)).status, 201);
    const closed = { from: inDays(12), to: inDays(12), closed: true };
    const exception = await doctor.post('/provider/availability/exceptions', closed);
    t.equal(exception.status, 201);
    t.strictSame(codeOf(await book(dave, third?.slotId)), [409, 'slot-closed']);
    await doctor.delete(`/provider/availability/exceptions/${exception.body.data.id}`);
    t.equal((await book(ben, third?.slotId)).status, 201, 'and is forgotten by that');
  });
});
