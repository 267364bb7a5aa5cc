import assert from 'node:assert/strict';
import { type Answer, type Client, eventually, type testService } from './service.ts';

/** The zone of providers here, unless a test says otherwise. */
export const ZONE = 'Europe/Luxembourg';
const today = Temporal.Now.plainDateISO(ZONE);
/** The date so many days from now, in that zone. */
export const inDays = (days: number): string => today.add({ days }).toString();
/** The next Monday after today. */
export const MONDAY = today.add({ days: 8 - today.dayOfWeek }).toString();
/** The instant at which the clock of a zone shows a time of a date. */
export const instantOf = (day: string, time: string, zone = ZONE): string =>
  Temporal.PlainDateTime.from(`${day}T${time}`)
    .toZonedDateTime(zone)
    .toInstant()
    .toString({ fractionalSecondDigits: 3 });
/** Half an hour that begins when the clock shows a time of a date. */
export const halfAnHour = (day: string, time: string, zone = ZONE) => {
  const startTime = instantOf(day, time, zone);
  return { startTime, endTime: new Date(Date.parse(startTime) + 1_800_000).toISOString() };
};

const ALL_DAYS = [1, 2, 3, 4, 5, 6, 7];
/** The same hours on every day of the week. */
export const everyDay = (start: string, end: string) =>
  ALL_DAYS.map((dayOfWeek) => ({ dayOfWeek, intervals: [{ start, end }] }));

/** Status and reason of an answer. */
export const codeOf = ({ status, body }: Answer): [number, string | undefined] => [status, body.error?.reason];

export type FreeSlot = { readonly slotId: string; readonly startTime: string; readonly localStart: string };

/** Providers and clients of a service under test. */
export const practice = (service: Awaited<ReturnType<typeof testService>>) => {
  /** A verified account whose rights the service has taken note of. */
  const newClient = async (name: string): Promise<Client> => {
    const account = await service.user(name);
    await eventually(
      () => account.get('/appointments'),
      ({ status }) => status === 200,
    );
    return account;
  };

  /** An account with a provider profile and the rights of the role, working all day unless `availability` says otherwise. */
  const newProvider = async (availability: object = {}, profile: object = {}): Promise<Client> => {
    const account = await newClient('Dr. Ada Weber');
    const admin = await service.admin();
    const created = await admin.post('/provider/profiles', {
      ...{ accountId: account.accountId, displayName: 'Dr. Ada Weber', location: '2 Rue du Fort' },
      ...profile,
    });
    assert.equal(created.status, 201);
    await eventually(
      () => account.get('/provider/availability'),
      ({ status }) => status === 200,
    );
    const set = await account.put('/provider/availability', { weekly: everyDay('00:00', '24:00'), ...availability });
    assert.equal(set.status, 200, JSON.stringify(set.body));
    return account;
  };

  /** Opens the slots of a stretch of days, and waits until everybody sees them. */
  const openSlots = async (doctor: Client, from: string, to = from): Promise<Answer> => {
    const opened = await doctor.post('/provider/timeslots', { from, to });
    assert.equal(opened.status, 201, JSON.stringify(opened.body));
    assert.equal((await doctor.get('/provider/timeslots')).status, 200);
    return opened;
  };

  /** What is offered to a client for a day, once the client sees what the provider has done. */
  const freeSlots = async (client: Client, doctor: Client, day: string): Promise<readonly FreeSlot[]> => {
    await doctor.get(`/provider/timeslots?from=${day}&to=${day}`);
    const { body } = await client.get(
      `/appointments/available?providerId=${doctor.accountId}&from=${day}&to=${day}&limit=100`,
    );
    return body.data.slots;
  };

  return { newClient, newProvider, openSlots, freeSlots };
};
