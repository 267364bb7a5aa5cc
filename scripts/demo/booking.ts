import type { Person } from './account.ts';
import { type Client, DemoFailed } from './client.ts';
import { connect, subscribe } from './live.ts';
import { inParallel } from './parallel.ts';
import type { Report } from './report.ts';

export type Slot = { readonly slotId: string; readonly startTime: string };
export type Appointment = {
  readonly id: string;
  readonly slotId: string;
  readonly status: string;
  readonly version: number;
};
export type Booking = { readonly person: Person; readonly appointment: Appointment };

const DAYS = 28;
const DAY_MS = 86_400_000;
const dateIn = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

/** Makes an account a provider who opens four weeks of slots; all slots that clients may book. */
export const openFourWeeks = async (
  client: Client,
  report: Report,
  admin: Person,
  provider: Person,
): Promise<readonly Slot[]> => {
  const timezone = 'Europe/Luxembourg';
  await client.expect(201, 'POST', '/provider/profiles', {
    as: admin,
    body: { accountId: provider.id, displayName: provider.name, timezone, priceCents: 8_000, currency: 'EUR' },
  });
  const hours = [
    { start: '09:00', end: '12:00' },
    { start: '13:00', end: '17:00' },
  ];
  const weekly = [1, 2, 3, 4, 5].map((dayOfWeek) => ({ dayOfWeek, intervals: hours }));
  // The role of a provider comes with the profile, a moment later.
  const availability = await client.until(200, 'PUT', '/provider/availability', {
    as: provider,
    body: { timezone, weekly, minNoticeMinutes: 60, maxAdvanceDays: 90 },
  });
  report.check('the profile makes its owner a provider', availability.status === 200, `${availability.status}`);
  // Not today's: every slot keeps the notice.
  const body = { from: dateIn(2), to: dateIn(DAYS + 1), pattern: 'weekly' };
  const made = await client.expect<{ created: number; skipped: number }>(201, 'POST', '/provider/timeslots', {
    as: provider,
    body,
  });
  report.check('four weeks of weekdays have 280 slots', made.created === 280, `${made.created} created in one call`);
  const again = await client.expect<typeof made>(201, 'POST', '/provider/timeslots', { as: provider, body });
  report.check(
    'the same call again creates none',
    again.created === 0 && again.skipped === 280,
    `${again.skipped} skipped`,
  );
  return availableSlots(client, provider, provider);
};

/** Every slot of the provider that may be booked now. */
export const availableSlots = async (client: Client, reader: Person, provider: Person): Promise<readonly Slot[]> => {
  const slots: Slot[] = [];
  for (let page = 1; ; page += 1) {
    const query = `from=${dateIn(0)}&to=${dateIn(DAYS + 3)}&providerId=${provider.id}&limit=100&page=${page}`;
    const answer = await client.expect<{ slots: Slot[]; pagination: { hasNext: boolean } }>(
      200,
      'GET',
      `/appointments/available?${query}`,
      { as: reader },
    );
    slots.push(...answer.slots);
    if (!answer.pagination.hasNext) return slots;
  }
};

/** All clients want one of 20 slots at the same moment. */
export const race = async (
  client: Client,
  report: Report,
  provider: Person,
  clients: readonly Person[],
  slots: readonly Slot[],
): Promise<readonly Booking[]> => {
  const wanted = slots.slice(0, 20);
  const watcher = clients[0];
  if (watcher === undefined || wanted.length < 20) throw new DemoFailed(`Only ${wanted.length} slots to race for`);
  const socket = await connect(client.base, watcher.token);
  await subscribe(socket, `availability:${provider.id}`);
  const replies = await Promise.all(
    clients.map(async (person, index) => {
      const reply = await client.call<Appointment>('POST', '/appointments', {
        as: person,
        body: { slotId: wanted[index % wanted.length]?.slotId },
      });
      return { person, reply };
    }),
  );
  const won = replies.filter(({ reply }) => reply.status === 201);
  const lost = replies.filter(
    ({ reply }) => reply.status === 409 && reply.code === 'CONFLICT' && reply.reason === 'slot-taken',
  );
  report.check('exactly 20 of them win', won.length === 20, `${won.length} of ${clients.length}`);
  report.check(
    'all others are told CONFLICT, slot-taken',
    lost.length === clients.length - 20,
    `${lost.length} refused`,
  );
  report.check('every slot has one winner', new Set(won.map(({ reply }) => reply.data.slotId)).size === 20);
  for (const { slotId } of wanted)
    await socket.heard(
      'a slot taken',
      ({ event, data }) => event === 'slot:changed' && data?.slotId === slotId && data.isAvailable === false,
    );
  report.check('a watcher saw each slot being taken, live', true, '20 slots');
  await socket.close();
  const left = new Set((await availableSlots(client, watcher, provider)).map(({ slotId }) => slotId));
  report.check(
    'none of them is offered any more',
    wanted.every(({ slotId }) => !left.has(slotId)),
    `${left.size} left`,
  );
  return won.map(({ person, reply }) => ({ person, appointment: reply.data }));
};

/** Five winners move, to another time of the day and to other days; five more cancel. */
export const moveAndCancel = async (
  client: Client,
  report: Report,
  provider: Person,
  bookings: readonly Booking[],
): Promise<{ readonly moved: readonly Booking[]; readonly cancelled: readonly Booking[] }> => {
  const [first] = bookings;
  if (first === undefined) throw new DemoFailed('Nobody has an appointment to move');
  const free = await availableSlots(client, first.person, provider);
  // The nearest free slots and the furthest: of the same day and of others.
  const targets = [...free.slice(0, 2), ...free.slice(-3)];
  const moving = bookings.slice(0, targets.length);
  const moved = await inParallel(moving, 5, async ({ person, appointment }, index) => {
    const slotId = targets[index]?.slotId;
    const after = await client.expect<Appointment>(200, 'PUT', `/appointments/${appointment.id}`, {
      as: person,
      body: { slotId },
    });
    return { person, appointment: after };
  });
  report.check(
    'five appointments move and keep their ids',
    moved.every(
      ({ appointment }, index) =>
        appointment.slotId === targets[index]?.slotId && appointment.id === moving[index]?.appointment.id,
    ),
    moved.length.toString(),
  );
  const cancelling = bookings.slice(5, 10);
  const cancelled = await inParallel(cancelling, 5, async ({ person, appointment }) => {
    const after = await client.expect<Appointment>(200, 'DELETE', `/appointments/${appointment.id}`, { as: person });
    return { person, appointment: after };
  });
  report.check(
    'five are cancelled',
    cancelled.every(({ appointment }) => appointment.status === 'CANCELLED'),
    cancelled.length.toString(),
  );
  const [once] = cancelling;
  const again = once && (await client.call('DELETE', `/appointments/${once.appointment.id}`, { as: once.person }));
  report.check('cancelling twice is a CONFLICT', again?.status === 409, again?.reason ?? 'no answer');
  const stranger = bookings[10];
  const seen = stranger && (await client.call('GET', `/appointments/${first.appointment.id}`, { as: stranger.person }));
  report.check("nobody sees another client's appointment", seen?.status === 404, `${seen?.status}`);

  const offered = new Set((await availableSlots(client, first.person, provider)).map(({ slotId }) => slotId));
  const freed = [...moving, ...cancelling].map(({ appointment }) => appointment.slotId);
  report.check(
    'the slots given back are offered again',
    freed.every((slotId) => offered.has(slotId)),
    `${freed.length} slots`,
  );
  report.check(
    'the slots moved to are not',
    targets.every(({ slotId }) => !offered.has(slotId)),
    `${targets.length} slots`,
  );
  return { moved, cancelled };
};
