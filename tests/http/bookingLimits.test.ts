import t from 'tap';
import { codeOf, everyDay, halfAnHour, inDays, practice } from '../support/practice.ts';
import { eventually, sharedService } from '../support/service.ts';

t.test('what clients keep, and what becomes of appointments when somebody leaves', async (t) => {
  const service = await sharedService();
  const { newClient, newProvider, openSlots, freeSlots } = practice(service);
  const [carol, dave] = [await newClient('Carol'), await newClient('Dave')];
  const WORK = everyDay('09:00', '12:00');

  await t.test('buffers between appointments', async (t) => {
    const doctor = await newProvider({ weekly: WORK, bufferMinutes: 45 });
    t.match(await doctor.get('/provider/availability'), {
      body: { data: { bufferMinutes: 45, moveCutoffMinutes: 0 } },
    });
    await openSlots(doctor, inDays(2));
    const times = async (): Promise<readonly string[]> =>
      (await freeSlots(dave, doctor, inDays(2))).map(({ localStart }) => localStart.slice(11, 16));
    const at = (time: string) => ({ ...halfAnHour(inDays(2), time), providerId: doctor.accountId });
    const booked = await carol.post('/appointments', at('10:00'));
    t.equal(booked.status, 201);
    await carol.get('/appointments');
    t.strictSame(await times(), ['11:30'], 'are kept from what is offered');
    t.strictSame(codeOf(await dave.post('/appointments', at('11:00'))), [409, 'buffer-needed']);
    t.strictSame(codeOf(await dave.post('/appointments', at('09:00'))), [409, 'buffer-needed']);
    const forDave = await doctor.post('/appointments', { ...at('09:00'), onBehalfOf: dave.accountId });
    t.equal(forDave.status, 201, 'bind clients alone');
    await doctor.delete(`/appointments/${forDave.body.data.id}`);
    t.equal((await dave.post('/appointments', at('11:30'))).status, 201);
    const { startTime } = halfAnHour(inDays(2), '09:30');
    const moved = await carol.put(`/appointments/${booked.body.data.id}`, { startTime });
    t.equal(moved.status, 200, 'an appointment does not stand in its own way');
    const { startTime: near } = halfAnHour(inDays(2), '11:00');
    t.strictSame(codeOf(await carol.put(`/appointments/${booked.body.data.id}`, { startTime: near })), [
      409,
      'buffer-needed',
    ]);

    const night = await newProvider({ weekly: everyDay('00:00', '24:00'), bufferMinutes: 30 });
    await openSlots(night, inDays(2), inDays(3));
    const late = { ...halfAnHour(inDays(2), '23:30'), providerId: night.accountId };
    t.equal((await carol.post('/appointments', late)).status, 201);
    const early = { ...halfAnHour(inDays(3), '00:00'), providerId: night.accountId };
    t.strictSame(codeOf(await dave.post('/appointments', early)), [409, 'buffer-needed'], 'across midnight too');
  });

  await t.test('cut-offs for cancelling and moving', async (t) => {
    const doctor = await newProvider({ weekly: WORK, cancelCutoffMinutes: 4320, moveCutoffMinutes: 7200 });
    await openSlots(doctor, inDays(2), inDays(5));
    const book = async (day: string) => {
      const { body } = await dave.post('/appointments', { ...halfAnHour(day, '09:00'), providerId: doctor.accountId });
      return body.data.id as string;
    };
    const [soon, later] = [await book(inDays(2)), await book(inDays(4))];
    t.strictSame(codeOf(await dave.delete(`/appointments/${soon}`)), [409, 'too-late-to-cancel']);
    const [slot] = await freeSlots(dave, doctor, inDays(5));
    const move = (id: string) => dave.put(`/appointments/${id}`, { slotId: slot?.slotId });
    t.strictSame(codeOf(await move(soon)), [409, 'too-late-to-move']);
    t.strictSame(codeOf(await move(later)), [409, 'too-late-to-move']);
    t.equal((await doctor.put(`/appointments/${later}`, { slotId: slot?.slotId })).status, 200, 'bind clients alone');
    t.equal((await dave.delete(`/appointments/${later}`)).status, 200);
    t.equal((await doctor.delete(`/appointments/${soon}`)).status, 200);
    t.equal((await doctor.put('/provider/availability', { weekly: WORK, bufferMinutes: -1 })).status, 422);
  });

  await t.test('a client who closes his account', async (t) => {
    const doctor = await newProvider({ weekly: WORK });
    await openSlots(doctor, inDays(2));
    const erin = await newClient('Erin');
    const [slot] = await freeSlots(erin, doctor, inDays(2));
    const { body } = await erin.post('/appointments', { slotId: slot?.slotId });
    t.equal((await erin.delete('/users/me', { password: 'Correct-horse-7' })).status, 200);
    const cancelled = await eventually(
      () => doctor.get(`/appointments/${body.data.id}`),
      (answer) => answer.body.data.status === 'CANCELLED',
    );
    t.match(cancelled.body.data.cancellation, { by: 'system', reason: 'account closed' });
    // Slots are another read model than appointments.
    const free = await eventually(
      () => freeSlots(carol, doctor, inDays(2)),
      ({ length }) => length === 6,
    );
    t.equal(free.length, 6, 'frees his slot');
  });

  await t.test('a provider who closes his account', async (t) => {
    const doctor = await newProvider({ weekly: WORK });
    await openSlots(doctor, inDays(2));
    const [first, second] = await freeSlots(carol, doctor, inDays(2));
    const booked = await carol.post('/appointments', { slotId: first?.slotId });
    t.equal(booked.status, 201);
    t.equal((await doctor.delete('/users/me', { password: 'Correct-horse-7' })).status, 200);
    await eventually(
      () => carol.get(`/appointments/${booked.body.data.id}`),
      (answer) => answer.body.data.status === 'CANCELLED',
    );
    t.strictSame(codeOf(await dave.post('/appointments', { slotId: second?.slotId })), [404, 'slot-unknown']);
  });
});
