import type { Test } from 'tap';
import { browser } from './browser.ts';
import { type Googler, google } from './google.ts';
import { hasten } from './jobs.ts';
import { type Answer, type Client, DUE_JOBS, eventually, testService } from './service.ts';

/** Where the service says it is; the browser of the tests knows better. */
export const PUBLIC_URL = 'http://convene.test';
export const API = `${PUBLIC_URL}/api/v1`;
/** Where browsers come out. */
export const OUT = 'https://app.example.org/integrations?tab=calendar';

/** The service with a server in Google's place. `variables` are added to the service's environment. */
export const calendarService = async (t: Test, variables: Record<string, string> = {}) => {
  const there = await google(t);
  const service = await testService(t, {
    PUBLIC_URL,
    CORS_ORIGINS: 'https://app.example.org',
    GOOGLE_CLIENT_ID: there.client.id,
    GOOGLE_CLIENT_SECRET: there.client.secret,
    GOOGLE_ISSUER: there.url,
    GOOGLE_API_URL: there.url,
    ...variables,
  });
  const newBrowser = () => browser({ [PUBLIC_URL]: service.url });
  type Browser = ReturnType<typeof newBrowser>;

  /** Begins a connection; the address that the browser is to be sent to. */
  const initiate = (who: Client, more: object = {}): Promise<Answer> =>
    who.post('/oauth/initiate', { provider: 'google', capabilities: ['calendar'], redirectUri: OUT, ...more });

  /** The same in a browser, which keeps the cookie. */
  const begin = async (who: Client, more: object = {}, visit: Browser = newBrowser()) => {
    const response = await visit.open(
      `${API}/oauth/initiate`,
      { authorization: `Bearer ${who.token}`, 'content-type': 'application/json' },
      JSON.stringify({ provider: 'google', capabilities: ['calendar'], redirectUri: OUT, ...more }),
    );
    const body = (await response.json()) as { data: { authorizationUrl: string; state: string } };
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    return { visit, ...body.data };
  };

  /** Says yes at Google, and stops where the browser is sent back to the service. */
  const consent = ({ visit, authorizationUrl }: { visit: Browser; authorizationUrl: string }): Promise<URL> =>
    visit.follow(authorizationUrl, ({ origin }) => origin === PUBLIC_URL);

  /** What the service answers to the browser that comes back. */
  const comeBack = async (visit: Browser, callback: URL, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await visit.open(callback.href, headers);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };

  /** The whole way: connects somebody's calendar; what the browser comes out with. */
  const connect = async (who: Client, as: Googler = there.settle(), more: object = {}) => {
    there.control.as = as;
    const flow = await begin(who, more);
    const answer = await comeBack(flow.visit, await consent(flow));
    if (answer.status !== 302) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    return { as, out: new URL(answer.headers.get('location') ?? '') };
  };

  /** Somebody who gives appointments, with free slots on a day three weeks ahead. */
  const newProvider = async (profile: object = {}) => {
    const admin = await service.admin();
    const account = await service.user('Dr. Grace');
    const created = await admin.post('/provider/profiles', {
      accountId: account.accountId,
      displayName: 'Dr. Grace',
      timezone: 'Europe/Luxembourg',
      ...profile,
    });
    if (created.status !== 201) throw new Error(JSON.stringify(created.body));
    await eventually(
      () => account.get('/users/me'),
      ({ body }) => body.data?.roles?.includes('provider'),
    );
    const intervals = [{ start: '09:00', end: '17:00' }];
    const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({ dayOfWeek, intervals }));
    await account.put('/provider/availability', { weekly });
    const day = new Date(Date.now() + 21 * 86_400_000).toISOString().slice(0, 10);
    await account.post('/provider/timeslots', { from: day, to: day });
    const { body } = await account.get(`/provider/timeslots?from=${day}&to=${day}&limit=100`);
    const slots: { id: string; startTime: string }[] = body.data.items;
    return { ...account, day, slots, nextSlot: () => slots.shift()?.id ?? '' };
  };

  const book = async (who: Client, slotId: string, more: object = {}): Promise<string> => {
    const { status, body } = await who.post('/appointments', { slotId, ...more });
    if (status !== 201) throw new Error(JSON.stringify(body));
    return body.data.id;
  };

  /** The appointment, once it stands like that in the caller's calendar. */
  const stands = async (who: Client, appointmentId: string, calendarStatus: string) =>
    (
      await eventually(
        () => who.get(`/appointments/${appointmentId}`),
        ({ body }) => body.data?.calendarStatus === calendarStatus,
      )
    ).body.data;

  /** Waits until no job is due any more: what was done before does not call Google then. */
  const quiet = async (): Promise<void> => {
    const due = () => service.pool.query(DUE_JOBS);
    await eventually(due, ({ rowCount }) => rowCount === 0);
  };

  /** Lets the time come for every job that waits. */
  const hurry = (): Promise<number> => hasten(service.pool, '%calendar%');

  /** The same, while the time comes for all that waits. Throws once it was given up, unless that is what is waited for. */
  const heals = async (who: Client, appointmentId: string, calendarStatus: string) => {
    const { body } = await eventually(
      async () => hurry().then(() => who.get(`/appointments/${appointmentId}`)),
      ({ body }) => [calendarStatus, 'failed'].includes(body.data?.calendarStatus),
    );
    if (body.data.calendarStatus !== calendarStatus)
      throw new Error(`Given up: ${JSON.stringify(await told('CalendarSyncFailed', appointmentId))}`);
    return body.data;
  };

  /** The events of one type that the log has, of one appointment's calendar where it is named. */
  const told = async (type: string, appointmentId?: string) =>
    (
      await service.pool.query<{ data: Record<string, unknown> }>(
        `select data::jsonb as data from log.events where type = $1 and ($2::text is null or data::jsonb->>'appointmentId' = $2) order by position`,
        [type, appointmentId ?? null],
      )
    ).rows.map(({ data }) => data);

  return {
    ...service,
    there,
    newBrowser,
    initiate,
    begin,
    consent,
    comeBack,
    connect,
    newProvider,
    book,
    stands,
    heals,
    quiet,
    hurry,
    told,
  };
};
