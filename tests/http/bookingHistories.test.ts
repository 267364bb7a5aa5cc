import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { codeOf, everyDay, halfAnHour, inDays, practice } from '../support/practice.ts';
import { runs } from '../support/random.ts';
import { type Answer, type Client, testService } from '../support/service.ts';

/**
 * Random histories of one practice, told to the service over HTTP and to a plain model of the requirements: every answer
 * and every list must be the model's.
 */

type Hours = readonly { readonly start: string; readonly end: string }[];
type Slot = { id: string; day: string; time: string; blocked: boolean; appointmentId?: string | undefined };
type Appointment = {
  readonly id: string;
  readonly client: number;
  slotId: string;
  day: string;
  time: string;
  status: string;
};
type Exception = { readonly id: string; readonly from: string; readonly to: string; readonly intervals: Hours };

const WORK: Hours = [{ start: '08:00', end: '12:00' }];
const TIMES = ['08:30', '09:00', '09:30', '10:00', '10:30', '12:00'];
const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
const liesIn = (hours: Hours, time: string): boolean =>
  hours.some(({ start, end }) => minuteOf(start) <= minuteOf(time) && minuteOf(time) + 30 <= minuteOf(end));
const startOf = ({ day, time }: { day: string; time: string }): string => halfAnHour(day, time).startTime;

/** Three days of a practice, and three clients, who have nothing else to do. */
const emptyModel = (days: readonly string[]) => {
  const slots: Slot[] = [];
  const gone: string[] = [];
  const appointments: Appointment[] = [];
  let exceptions: Exception[] = [];
  const exceptionOn = (day: string) => exceptions.find(({ from, to }) => from <= day && day <= to);
  const isClosed = ({ day, time }: { day: string; time: string }): boolean => {
    const exception = exceptionOn(day);
    return exception !== undefined && !liesIn(exception.intervals, time);
  };
  const at = (day: string, time: string) => slots.find((slot) => slot.day === day && slot.time === time);
  const busy = (client: number, { day, time }: Slot, but?: string): boolean =>
    appointments.some(
      (one) =>
        one.client === client && one.status === 'SCHEDULED' && one.id !== but && one.day === day && one.time === time,
    );
  const untakable = (slot: Slot | undefined): [number, string] | undefined => {
    if (slot === undefined) return [404, 'slot-unknown'];
    if (slot.appointmentId !== undefined) return [409, 'slot-taken'];
    if (slot.blocked) return [409, 'slot-blocked'];
    return isClosed(slot) ? [409, 'slot-closed'] : undefined;
  };
  const free = (appointment: Appointment): void => {
    const slot = slots.find(({ appointmentId }) => appointmentId === appointment.id);
    if (slot !== undefined) slot.appointmentId = undefined;
  };
  return {
    days,
    slots,
    gone,
    appointments,
    at,
    busy,
    untakable,
    isClosed,
    free,
    hoursOn: (day: string): Hours => exceptionOn(day)?.intervals ?? WORK,
    exceptions: () => exceptions,
    setExceptions: (next: Exception[]): void => {
      exceptions = next;
    },
  };
};
type Model = ReturnType<typeof emptyModel>;

const nth = <T>(of: readonly T[], index: number): T | undefined => of[index % Math.max(of.length, 1)];
const op = fc.record({
  kind: fc.constantFrom(
    ...(['generate', 'add', 'block', 'shift', 'remove', 'except', 'except', 'unexcept'] as const),
    ...(['book', 'book', 'book', 'book', 'move', 'move', 'move', 'cancel', 'cancel'] as const),
  ),
  client: fc.nat(2),
  pick: fc.nat(40),
  other: fc.nat(40),
  flag: fc.boolean(),
});
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;
const HOURS: readonly Hours[] = [[], [], [{ start: '09:00', end: '10:00' }], [{ start: '12:00', end: '13:00' }]];

t.test('histories of a practice', async (t) => {
  const service = await testService(t);
  const { newClient, newProvider } = practice(service);
  const doctor = await newProvider({ weekly: everyDay('08:00', '12:00'), maxAdvanceDays: 366 });
  const clients = await Promise.all(['Carol', 'Dave', 'Erin'].map(newClient));
  const met = new Map<string, number>();
  let token = '0';

  const told = (answer: Answer): Answer => {
    token = answer.headers.get('consistency-token') ?? token;
    return answer;
  };
  const see = async (who: Client, path: string) => {
    const { status, body } = await who.get(path, { 'consistency-token': token });
    assert.equal(status, 200, JSON.stringify(body));
    return body.data;
  };
  const agrees = (answer: Answer, [status, reason]: readonly [number, string?], what: Op): boolean => {
    const [came, why] = codeOf(answer);
    assert.deepEqual([came, why], [status, reason], `${JSON.stringify(what)}: ${JSON.stringify(answer.body)}`);
    met.set(`${what.kind} ${reason ?? status}`, (met.get(`${what.kind} ${reason ?? status}`) ?? 0) + 1);
    return status < 300;
  };

  /** Does one thing to the service and to the model. */
  const play = async (model: Model, what: Op): Promise<void> => {
    const { kind, pick, other, flag, client: who } = what;
    const { slots, appointments, days } = model;
    const client = clients[who] ?? doctor;
    const day = nth(days, pick) ?? '';
    const time = nth(TIMES, other) ?? '';
    const slot = nth(slots, pick);
    const slotId = slot?.id ?? nth(model.gone, pick);
    const outside = !flag && !liesIn(model.hoursOn(day), time);
    switch (kind) {
      case 'generate': {
        const intervals = [{ start: '09:00', end: '10:30' }];
        const answer = told(
          await doctor.post('/provider/timeslots', { from: day, to: days.at(-1), pattern: 'daily', intervals }),
        );
        const wanted = days
          .filter((one) => one >= day)
          .flatMap((one) =>
            TIMES.filter((at) => liesIn(intervals, at) && liesIn(model.hoursOn(one), at)).map((at) => ({
              day: one,
              time: at,
            })),
          );
        const fresh = wanted.filter((one) => model.at(one.day, one.time) === undefined);
        agrees(answer, [201], what);
        assert.deepEqual(
          [answer.body.data.created, answer.body.data.skipped],
          [fresh.length, wanted.length - fresh.length],
        );
        const listed = (await see(doctor, `/provider/timeslots?from=${days[0]}&to=${days.at(-1)}&limit=100`)).items;
        for (const one of fresh) {
          const { id } = listed.find(({ startTime }: { startTime: string }) => startTime === startOf(one));
          slots.push({ ...one, id, blocked: false });
        }
        return;
      }
      case 'add': {
        const answer = told(await doctor.post('/provider/timeslots', { ...halfAnHour(day, time), force: flag }));
        const refused = outside ? 'outside-working-hours' : model.at(day, time) && 'slot-overlap';
        if (agrees(answer, refused ? [409, refused] : [201], what))
          slots.push({ id: answer.body.data.id, day, time, blocked: false });
        return;
      }
      case 'block': {
        if (slotId === undefined) return;
        const answer = told(await doctor.patch(`/provider/timeslots/${slotId}`, { isAvailable: !flag }));
        if (slot === undefined) agrees(answer, [404, 'slot-unknown'], what);
        else if (slot.blocked !== flag && slot.appointmentId !== undefined) agrees(answer, [409, 'slot-booked'], what);
        else if (agrees(answer, [200], what)) slot.blocked = flag;
        return;
      }
      case 'shift': {
        if (slot === undefined) return;
        const to = { day: nth(days, other) ?? '', time: nth(TIMES, pick) ?? '' };
        const answer = told(
          await doctor.patch(`/provider/timeslots/${slot.id}`, { startTime: startOf(to), force: flag }),
        );
        const still = to.day === slot.day && to.time === slot.time;
        const refused = still
          ? undefined
          : slot.appointmentId !== undefined
            ? 'slot-booked'
            : !flag && !liesIn(model.hoursOn(to.day), to.time)
              ? 'outside-working-hours'
              : model.at(to.day, to.time) && 'slot-overlap';
        if (!agrees(answer, refused ? [409, refused] : [200], what)) return;
        assert.equal(answer.body.data.id === slot.id, to.day === slot.day, 'a slot keeps its id within its day');
        Object.assign(slot, to, { id: answer.body.data.id });
        return;
      }
      case 'remove': {
        if (slotId === undefined) return;
        const answer = told(await doctor.delete(`/provider/timeslots/${slotId}`));
        if (slot === undefined) agrees(answer, [404, 'slot-unknown'], what);
        else if (slot.appointmentId !== undefined) agrees(answer, [409, 'slot-booked'], what);
        else if (agrees(answer, [200], what))
          model.gone.push(...slots.splice(slots.indexOf(slot), 1).map(({ id }) => id));
        return;
      }
      case 'except': {
        const intervals = nth(HOURS, other) ?? [];
        const [from = '', to = ''] = [day, nth(days, other) ?? ''].sort();
        const hours = intervals.length === 0 ? { closed: true } : { intervals };
        const answer = told(
          await doctor.post('/provider/availability/exceptions', { from, to, ...hours, cancelBooked: flag }),
        );
        const clash = model.exceptions().some((one) => one.from <= to && from <= one.to);
        const shut = slots.filter((one) => from <= one.day && one.day <= to && !liesIn(intervals, one.time));
        const booked = shut.filter(({ appointmentId }) => appointmentId !== undefined);
        const refused = clash ? 'exception-overlap' : booked.length > 0 && !flag ? 'slots-booked' : undefined;
        if (!agrees(answer, refused ? [409, refused] : [201], what)) return;
        model.setExceptions([...model.exceptions(), { id: answer.body.data.id, from, to, intervals }]);
        for (const { appointmentId } of booked) {
          const appointment = appointments.find(({ id }) => id === appointmentId);
          if (appointment === undefined) continue;
          model.free(appointment);
          appointment.status = 'CANCELLED';
        }
        return;
      }
      case 'unexcept': {
        const exception = nth(model.exceptions(), pick);
        if (exception === undefined) return;
        const answer = told(await doctor.delete(`/provider/availability/exceptions/${exception.id}`));
        if (agrees(answer, [200], what)) model.setExceptions(model.exceptions().filter((one) => one !== exception));
        return;
      }
      case 'book': {
        if (slotId === undefined) return;
        const answer = told(await client.post('/appointments', { slotId }));
        const refused =
          model.untakable(slot) ?? (slot && model.busy(who, slot) ? ([409, 'own-overlap'] as const) : undefined);
        if (!agrees(answer, refused ?? [201], what) || slot === undefined) return;
        const { id } = answer.body.data;
        slot.appointmentId = id;
        appointments.push({ id, client: who, slotId: slot.id, day: slot.day, time: slot.time, status: 'SCHEDULED' });
        return;
      }
      case 'move': {
        const appointment = nth(appointments, other);
        if (appointment === undefined || slotId === undefined) return;
        const owner = clients[appointment.client] ?? doctor;
        const answer = told(await owner.put(`/appointments/${appointment.id}`, { slotId }));
        if (appointment.status !== 'SCHEDULED') return void agrees(answer, [409, 'appointment-ended'], what);
        if (slot?.appointmentId === appointment.id) return void agrees(answer, [200], what);
        const refused =
          model.untakable(slot) ??
          (slot && model.busy(appointment.client, slot, appointment.id) ? ([409, 'own-overlap'] as const) : undefined);
        if (!agrees(answer, refused ?? [200], what) || slot === undefined) return;
        model.free(appointment);
        slot.appointmentId = appointment.id;
        Object.assign(appointment, { slotId: slot.id, day: slot.day, time: slot.time });
        return;
      }
      case 'cancel': {
        const appointment = nth(appointments, other);
        if (appointment === undefined) return;
        const by = flag ? doctor : (clients[appointment.client] ?? doctor);
        const answer = told(await by.delete(`/appointments/${appointment.id}`));
        const ended = appointment.status !== 'SCHEDULED';
        if (!agrees(answer, ended ? [409, 'appointment-ended'] : [200], what)) return;
        model.free(appointment);
        appointment.status = 'CANCELLED';
      }
    }
  };

  /** Every list shows what the model has. */
  const compare = async (model: Model): Promise<void> => {
    const range = `from=${model.days[0]}&to=${model.days.at(-1)}&limit`;
    const slots = model.slots.toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
    const isFree = (slot: Slot): boolean => slot.appointmentId === undefined && !slot.blocked && !model.isClosed(slot);
    const shown = (slot: Slot) => ({
      ...{ id: slot.id, startTime: startOf(slot), isAvailable: isFree(slot) },
      ...{ booked: slot.appointmentId !== undefined, appointmentId: slot.appointmentId ?? null },
    });
    const bySlot = ({ id, startTime, isAvailable, booked, appointmentId }: ReturnType<typeof shown>) => ({
      ...{ id, startTime, isAvailable, booked, appointmentId },
    });
    const listed = async (status = '') =>
      (await see(doctor, `/provider/timeslots?${range}=100${status}`)).items.map(bySlot);
    assert.deepEqual(await listed(), slots.map(shown), 'the slots of the provider');
    assert.deepEqual(await listed('&status=free'), slots.filter(isFree).map(shown));
    assert.deepEqual(await listed('&status=booked'), slots.filter(({ appointmentId }) => appointmentId).map(shown));
    const neither = slots.filter((slot) => slot.appointmentId === undefined && !isFree(slot));
    assert.deepEqual(await listed('&status=blocked'), neither.map(shown));
    const offered = await see(
      clients[0] ?? doctor,
      `/appointments/available?providerId=${doctor.accountId}&${range}=100`,
    );
    assert.deepEqual(
      offered.slots.map(({ slotId }: { slotId: string }) => slotId),
      slots.filter(isFree).map(({ id }) => id),
      'what is offered to clients',
    );
    const one = ({ id, startTime, status }: { id: string; startTime: string; status: string }) =>
      `${id} ${startTime} ${status}`;
    const expected = (client?: number) =>
      model.appointments
        .filter((appointment) => client === undefined || appointment.client === client)
        .map((appointment) => one({ ...appointment, startTime: startOf(appointment) }))
        .sort();
    const all = (await see(doctor, `/provider/appointments?${range}=100`)).appointments;
    assert.deepEqual(all.map(one).sort(), expected().slice(0, 100), 'the appointments of the provider');
    for (const [index, client] of clients.entries()) {
      const own = (await see(client, `/appointments?${range}=50`)).appointments;
      assert.deepEqual(own.map(one).sort(), expected(index), 'the appointments of a client');
    }
    const { exceptions } = await see(doctor, '/provider/availability');
    const standing = exceptions.filter(({ from }: { from: string }) => model.days.includes(from));
    assert.deepEqual(
      standing.map(({ id }: { id: string }) => id).sort(),
      model
        .exceptions()
        .map(({ id }) => id)
        .sort(),
      'the exceptions',
    );
  };

  let first = 10;
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 30, maxLength: 45, size: 'max' }), async (ops) => {
      const days = [first, first + 1, first + 2].map(inDays);
      first += 3;
      const model = emptyModel(days);
      const start: Op = { kind: 'generate', client: 0, pick: 0, other: 0, flag: false };
      for (const [index, what] of [start, ...ops].entries()) {
        await play(model, what);
        if (index % 20 === 19) await compare(model);
      }
      await compare(model);
    }),
    { ...runs(4), endOnFailure: true },
  );
  t.ok(
    met.size > 15,
    [...met]
      .map(([what, times]) => `${what}: ${times}`)
      .sort()
      .join(', '),
  );
});
