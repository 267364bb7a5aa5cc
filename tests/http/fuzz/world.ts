import { setTimeout as pause } from 'node:timers/promises';
import { CALLERS, type CallerName, type Leaks } from './leaks.ts';
import type { Pool } from './pool.ts';
import { administrator, secrets } from './target.ts';
import type { Reply } from './wire.ts';

/** Calls the service as somebody; checked like every other request. Body and answer are JSON. */
export type Call = (
  as: string,
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<{ readonly status: number; readonly data: Record<string, unknown>; readonly reply: Reply }>;

export type Person = {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly accountId: string;
  token: string;
  refreshToken: string;
};

/** What callers build on: a provider's free slots, the sessions of the stranger and of the mate. */
export type World = {
  readonly people: ReadonlyMap<string, Person>;
  /** Ids that commands of the mighty must not touch, because entitlement hangs on them. */
  readonly kept: ReadonlySet<string>;
  /** The victim's session is entered by nobody else. */
  readonly closedDoors: readonly string[];
  /** The victim's ids, by the names of the fields that take them. */
  readonly belongings: Readonly<Record<string, string>>;
  readonly loginSessionId: string;
  readonly logIn: (person: Person) => Promise<void>;
  readonly open: (name: string) => Promise<Person>;
  readonly verify: (person: Person) => Promise<void>;
};

const PASSWORD = 'Canary-everyone-7';
const DAY_MS = 86_400_000;
/** Milliseconds after which what was waited for will not come any more. */
const PATIENCE = 30_000;
/** Between two questions: the service has other things to do than to answer them. */
const POLL_MS = 25;
const day = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

/** A deck whose cards occur nowhere else. */
const DECK = ['zqvo-1', 'zqvo-2', 'zqvo-3', 'zqvo-5'];
/** The card that the victim plays and nobody may know. */
const CARD = 'zqvo-3';

export class SetUpFailed extends Error {
  override readonly name = 'SetUpFailed';
}

const wanted = async (status: number, what: string, call: ReturnType<Call>) => {
  const answer = await call;
  if (answer.status !== status) throw new SetUpFailed(`${what}: ${answer.status} ${answer.reply.text.slice(0, 300)}`);
  return answer.data;
};

/** Asks again until it is so; what follows by policy comes a moment later. `every` in milliseconds. */
export const until = async (what: string, ask: () => Promise<boolean>, every = POLL_MS): Promise<void> => {
  const deadline = performance.now() + PATIENCE;
  while (performance.now() < deadline) {
    if (await ask()) return;
    await pause(every);
  }
  throw new SetUpFailed(`It never came about: ${what}`);
};

const rolesFor: Partial<Record<CallerName, string>> = { auditor: 'auditor', operator: 'operator' };

/** People of every standing; a victim with something of everything, every text of which is a canary. */
export const settle = async (call: Call, people: Map<string, Person>, pool: Pool, leaks: Leaks): Promise<World> => {
  const logIn: World['logIn'] = async (person) => {
    const { email, password } = person;
    const data = await wanted(200, 'log in', call('nobody', 'POST', '/auth/login', { email, password }));
    person.token = String(data.accessToken);
    person.refreshToken = String(data.refreshToken);
  };
  const join = async (name: string, email: string, password: string, accountId: string): Promise<Person> => {
    const person = { name, email, password, accountId, token: '', refreshToken: '' };
    people.set(name, person);
    await logIn(person);
    return person;
  };
  const admin = await join('admin', administrator.email, administrator.password, '');
  // Before there is anybody whose login could be missed later on.
  for (const path of ['/auth/revoke-all', '/commands/RevokeAllTokens']) {
    await wanted(200, path, call('admin', 'POST', path, { reason: 'A drill before the play' }));
    await logIn(admin);
  }

  const open = async (name: string, more: { email?: string; displayName?: string; password?: string } = {}) => {
    const {
      email = `${name.toLowerCase()}.${people.size}@people.example`,
      password = PASSWORD,
      displayName = name,
    } = more;
    const body = { email, password, displayName, acceptTerms: true };
    const { userId } = await wanted(201, 'register', call('nobody', 'POST', '/auth/register', body));
    return join(name, email, password, String(userId));
  };
  const verify: World['verify'] = async (person) => {
    let token: string | undefined;
    await until(`a mail to ${person.name}`, async () => {
      const { data } = await call('admin', 'GET', `/ops/outbox?recipient=${encodeURIComponent(person.email)}`);
      token = /token=([\w.~-]+)/.exec(JSON.stringify(data))?.[1];
      return token !== undefined;
    });
    await wanted(200, 'verify', call('nobody', 'POST', '/auth/verify-email', { token }));
    await until(`the role of ${person.name}`, async () => {
      const { data } = await call(person.name, 'GET', '/users/me');
      return data.emailVerified === true && Array.isArray(data.roles) && data.roles.includes('free');
    });
  };

  const victim = await open('victim', {
    email: 'canary-victim@hidden.example',
    displayName: 'Canary Victoria Quillfeather',
    password: 'Canary-password-7-quill',
  });
  await verify(victim);
  for (const name of CALLERS) {
    if (name === 'nobody' || name === 'admin') continue;
    const person = await open(name);
    if (name !== 'unverified') await verify(person);
    const roleName = rolesFor[name];
    if (roleName !== undefined)
      await wanted(201, roleName, call('admin', 'POST', `/rbac/users/${person.accountId}/roles`, { roleName }));
  }
  const of = (name: string): Person => people.get(name) ?? admin;

  for (const name of ['provider', 'otherProvider']) {
    const { accountId } = of(name);
    const profile = {
      accountId,
      displayName: `Practice of ${name}`,
      timezone: 'UTC',
      priceCents: 5_000,
      currency: 'EUR',
    };
    await wanted(201, 'profile', call('admin', 'POST', '/provider/profiles', profile));
    const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
      dayOfWeek,
      intervals: [{ start: '08:00', end: '18:00' }],
    }));
    await until('the role of a provider', async () => {
      const hours = { timezone: 'UTC', weekly, minNoticeMinutes: 0, maxAdvanceDays: 200 };
      return (await call(name, 'PUT', '/provider/availability', hours)).status === 200;
    });
    await wanted(
      201,
      'slots',
      call(name, 'POST', '/provider/timeslots', { from: day(1), to: day(30), pattern: 'weekly' }),
    );
  }
  const free = async (): Promise<readonly Record<string, string>[]> => {
    const path = `/appointments/available?providerId=${of('provider').accountId}&from=${day(1)}&to=${day(20)}&limit=50`;
    return (await call('victim', 'GET', path)).data.slots as readonly Record<string, string>[];
  };
  await until('free slots', async () => (await free()).length > 10);

  // What the victim has.
  const [first, second, ...rest] = await free();
  const notes = 'Canary notes: the left knee, tell nobody';
  const booked = await wanted(201, 'book', call('victim', 'POST', '/appointments', { slotId: first?.slotId, notes }));
  const gone = await wanted(201, 'book', call('victim', 'POST', '/appointments', { slotId: second?.slotId }));
  const why = 'Canary cancellation because of the flu';
  await wanted(200, 'cancel', call('victim', 'DELETE', `/appointments/${gone.id}`, { reason: why }));
  const room = await wanted(
    201,
    'session',
    call('victim', 'POST', '/sessions', {
      name: 'Canary session of the secret product',
      description: 'Canary description of the secret product',
      displayName: 'Canary Vicky',
      settings: { deck: 'custom', customDeck: DECK },
    }),
  );
  await wanted(200, 'join', call('mate', 'POST', `/sessions/${room.id}/join`, {}));
  const title = 'Canary story about the merger';
  const told = 'Canary details about the merger';
  const externalRef = 'CANARY-4711';
  const story = await wanted(
    201,
    'story',
    call('victim', 'POST', `/sessions/${room.id}/stories`, { title, description: told, externalRef }),
  );
  const onStory = `/sessions/${room.id}/stories/${story.id}`;
  await wanted(200, 'open', call('victim', 'POST', `${onStory}/open`));
  await wanted(200, 'vote', call('victim', 'PUT', `${onStory}/vote`, { value: CARD }));
  const reason = 'Canary reason for a role';
  await wanted(
    201,
    'role',
    call('admin', 'POST', `/rbac/users/${victim.accountId}/roles`, { roleName: 'customer', reason }),
  );
  const login = (await call('victim', 'GET', '/auth/sessions')).data.sessions as readonly { readonly id: string }[];

  leaks.add('identity', victim.email);
  leaks.add('name', 'Canary Victoria Quillfeather');
  for (const text of [notes, why]) leaks.add('booking', text);
  for (const id of [booked.id, gone.id]) leaks.add('bookingIds', String(id), true);
  for (const text of ['Canary session of the secret product', 'Canary description', title, told, externalRef, 'zqvo-1'])
    leaks.add('session', text);
  leaks.add('roomName', 'Canary Vicky');
  leaks.add('reason', reason);
  for (const id of [room.id, room.code, story.id]) leaks.add('sessionIds', String(id), true);
  leaks.add('accountId', victim.accountId, true);
  leaks.add('loginSessionId', String(login[0]?.id), true);
  leaks.add('card', CARD);
  for (const text of [
    victim.password,
    victim.token,
    victim.refreshToken,
    PASSWORD,
    administrator.password,
    '$2b$',
    '$2a$',
  ])
    leaks.add('secret', text);
  for (const text of Object.values(secrets)) leaks.add('secret', text);

  // In every position of every request these are tried by everybody.
  for (const id of [booked.id, gone.id]) pool.add('appointmentId', String(id));
  pool.add('sessionId', String(room.id));
  pool.add('sessionId', String(login[0]?.id));
  pool.add('storyId', String(story.id));
  pool.add('accountId', victim.accountId);
  pool.add('email', victim.email);
  for (const slot of rest.slice(0, 30)) pool.add('slotId', String(slot.slotId));
  pool.add('topics', `session:${room.id},availability:${of('provider').accountId}`);
  pool.add('topics', `availability:${of('provider').accountId}`);

  const kept = new Set([...people.values()].map(({ accountId }) => accountId).filter((id) => id !== ''));
  const belongings = {
    sessionId: String(room.id),
    storyId: String(story.id),
    appointmentId: String(booked.id),
    slotId: String(booked.slotId),
    ...Object.fromEntries(
      ['accountId', 'participantId', 'userId', 'onBehalfOf', 'actorId', 'subjectId'].map((name) => [
        name,
        victim.accountId,
      ]),
    ),
    streamType: 'appointment',
    streamId: String(booked.id),
    topics: `session:${room.id}`,
    email: victim.email,
  };
  const loginSessionId = String(login[0]?.id);
  return {
    people,
    kept,
    belongings,
    loginSessionId,
    closedDoors: [String(room.id), String(room.code)],
    logIn,
    open,
    verify,
  };
};
