import { calendar } from './calendarTour.ts';
import type { Operation } from './document.ts';
import { identity as account, type Consent } from './identityTour.ts';
import type { Pool } from './pool.ts';
import { type Call, type Person, until, type World } from './world.ts';

type Input = Readonly<Record<string, unknown>>;
type Data = Readonly<Record<string, unknown>>;

const DAY_MS = 86_400_000;
const day = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

/** Operations that no tour can bring to success, and why. */
export const unreachable: Readonly<Record<string, string>> = {
  commandCompleteAppointment: 'an appointment is completed once it has begun, and none can be booked in the past',
  commandUnblockAddress: 'an address is blocked by notices of a mail service, which none sends here',
  postOpsBlockedAddressesRelease: 'the same',
  postWebhooksResend: 'takes what Resend has signed',
  getRootWs: 'answers 101 to the WebSocket protocol alone: the cases on raw sockets do that',
};

/** Pages of a sign-in or a connection, which their tours visit on the way. */
const redirects: ReadonlySet<string> = new Set([
  'getAuthGoogle',
  'getAuthOauthProvider',
  'getAuthOauthProviderCallback',
  'getOauthCallback',
]);

/** Every spelling of every command, so that each tour can take the next. */
const spellingsOf = (operations: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> => {
  const all = new Map<string, Operation[]>();
  for (const operation of operations) {
    const { command } = operation;
    if (command !== undefined) all.set(command, [...(all.get(command) ?? []), operation]);
  }
  return all;
};

/**
 * Walks through a whole life of everything: each command once a turn, in as many turns as the command with the most
 * spellings has, then every query. Gives the operations that answered with success.
 */
export const tour = async (
  call: Call,
  operations: readonly Operation[],
  world: World,
  pool: Pool,
  consent: Consent,
): Promise<ReadonlySet<string>> => {
  const reached = new Set<string>();
  const spellings = spellingsOf(operations);
  const turns = Math.max(...[...spellings.values()].map(({ length }) => length));
  const failures: string[] = [];

  const visit = async (as: string, operation: Operation, input: Input = {}): Promise<Data> => {
    const used = new Set<string>();
    const path = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => {
      used.add(name);
      return encodeURIComponent(String(input[name]));
    });
    const rest = Object.entries(input).filter(([name]) => !used.has(name));
    const query =
      operation.method === 'GET' && rest.length > 0 ? `?${new URLSearchParams(rest as [string, string][])}` : '';
    const body = operation.method === 'GET' ? undefined : Object.fromEntries(rest);
    const hasBody = body !== undefined && (rest.length > 0 || operation.method !== 'DELETE');
    const { status, data, reply } = await call(as, operation.method, `${path}${query}`, hasBody ? body : undefined);
    if (status < 300) reached.add(operation.id);
    else failures.push(`${operation.id} as ${as}: ${status} ${reply.text.slice(0, 200)}`);
    pool.harvest(operation.path, data);
    return data;
  };
  const command =
    (turn: number) =>
    (as: string, name: string, input: Input = {}) => {
      const known = spellings.get(name) ?? [];
      const spelling = known[turn % known.length];
      if (spelling === undefined) throw new Error(`The document has no command ${name}`);
      return visit(as, spelling, input);
    };
  const query = (as: string, id: string, input: Input = {}) => {
    const operation = operations.find((each) => each.id === id);
    if (operation === undefined) throw new Error(`The document has no operation ${id}`);
    return visit(as, operation, input);
  };

  let ids: Readonly<Record<string, string>> = {};
  for (let turn = 0; turn < turns; turn += 1) {
    const run = command(turn);
    const guest = await world.open(`guest${turn}`);
    await world.verify(guest);
    ids = {
      ...(await estimation(run, world, turn)),
      ...(await booking(run, call, guest, turn)),
      ...(await access(run, guest, turn)),
    };
    await identity(run, call, guest, turn);
    await account({ run, query, call, consent }, world, turn);
    await calendar({ run, query, call, consent }, 'stranger', ids.appointmentId ?? '', turn);
  }

  const { sessionId = '', storyId = '', appointmentId = '', roleId = '', accountId = '', file = '' } = ids;
  const { exportId = '', signature = '' } = ids;
  await query('stranger', 'putAppointmentsAppointmentId', { appointmentId, notes: 'Please ring twice' });
  const { id: backlog } = await command(0)('stranger', 'CreateSession', { name: 'Backlog' });
  await query('stranger', 'postSessionsSessionIdStories', { sessionId: backlog, title: 'Log in' });
  await query('stranger', 'postRbacCheck', { permission: 'book:appointments' });
  const visitor = await world.open('visitor');
  await query('nobody', 'postAuthLogin', { email: visitor.email, password: visitor.password });
  await query('nobody', 'postAuthRefresh', { refreshToken: visitor.refreshToken });
  await query(visitor.name, 'deleteAuthSessions');
  await world.logIn(visitor);
  await query(visitor.name, 'postAuthLogout');

  const inputs: Readonly<Record<string, Input>> = {
    getRbacUsersAccountIdPermissionsPermission: { permission: 'book:appointments' },
    getProviderExportsExportIdFile: { signature },
    getLive: { topics: `session:${sessionId}` },
    getAnalyticsEstimation: { sessionId },
    getAuditLogsId: { id: await firstEntry(query) },
    getAuditStreamsStreamTypeStreamIdEvents: { streamType: 'appointment', streamId: appointmentId },
    getAuditStreamsStreamTypeStreamIdState: { streamType: 'story', streamId: storyId },
  };
  const readers: readonly (readonly [RegExp, string])[] = [
    [/^\/api\/v1\/provider/, 'provider'],
    [/^\/api\/v1\/(?:sessions|live|appointments|analytics\/estimation)/, 'stranger'],
    [/^\/api\/v1\/(?:audit|rbac\/audit)/, 'auditor'],
    [/^\/api\/v1\/(?:ops|analytics)/, 'operator'],
    [/^\/api\/v1/, 'admin'],
    [/^/, 'nobody'],
  ];
  const unseen = operations.filter(
    (each) => !reached.has(each.id) && !(each.id in unreachable) && !redirects.has(each.id),
  );
  for (const { id, method, path } of unseen.filter((each) => each.method === 'GET')) {
    const as = readers.find(([pattern]) => pattern.test(path))?.[1] ?? 'nobody';
    const known: Input = { sessionId, storyId, appointmentId, roleId, accountId, userId: accountId, file, exportId };
    const input = Object.fromEntries(Object.entries(known).filter(([name]) => path.includes(`{${name}}`)));
    if (method === 'GET') await query(as, id, { ...input, ...inputs[id] });
  }
  if (failures.length > 0) throw new Error(`The tour did not get everywhere:\n${failures.join('\n')}`);
  return reached;
};

export type Run = (as: string, name: string, input?: Input) => Promise<Data>;
export type Query = (as: string, id: string, input?: Input) => Promise<Data>;
type Ids = Promise<Readonly<Record<string, string>>>;

const firstEntry = async (query: Query): Promise<string> => {
  const { items } = await query('auditor', 'getAuditLogs');
  return (items as readonly { readonly id: string }[])[0]?.id ?? '';
};

/** A session from its lobby to the archive, of the stranger with the mate as guest. */
const estimation = async (run: Run, { people }: World, turn: number): Ids => {
  const room = await run('stranger', 'CreateSession', { name: `Sprint ${turn}` });
  const sessionId = String(room.id);
  const join = turn === 1 ? { code: room.code } : { sessionId };
  await run('mate', 'JoinSession', join);
  const add = async (title: string): Promise<string> =>
    String((await run('stranger', 'AddStory', { sessionId, title })).id);
  const storyId = await add('Log in');
  const skipped = await add('Log out');
  const imported = await run('stranger', 'ImportStories', { sessionId, stories: [{ title: 'Sign up' }] });
  const [signUp] = imported.stories as readonly { readonly id: string }[];
  await run('stranger', 'ReorderStories', { sessionId, storyIds: [signUp?.id, skipped, storyId] });
  const dropped = await add('Log in by fax');
  await run('stranger', 'UpdateStory', { sessionId, storyId: dropped, title: 'Log in by letter' });
  await run('stranger', 'RemoveStory', { sessionId, storyId: dropped });
  const onStory = { sessionId, storyId };
  await run('stranger', 'OpenVoting', onStory);
  await run('stranger', 'CastVote', { ...onStory, value: '5' });
  await run('stranger', 'RetractVote', onStory);
  await run('stranger', 'CastVote', { ...onStory, value: '8' });
  await run('mate', 'CastVote', { ...onStory, value: '8' });
  await run('stranger', 'RevealVotes', onStory);
  await run('stranger', 'RestartVoting', onStory);
  await run('mate', 'CastVote', { ...onStory, value: '5' });
  await run('stranger', 'RevealVotes', onStory);
  await run('stranger', 'AcceptEstimate', { ...onStory, value: '5' });
  await run('stranger', 'SkipStory', { sessionId, storyId: skipped });
  await run('stranger', 'UpdateSessionSettings', { sessionId, settings: { autoReveal: true } });

  const host = people.get('stranger')?.accountId;
  const guest = people.get('mate')?.accountId;
  await run('stranger', 'ChangeParticipantRole', { sessionId, participantId: guest, role: 'observer' });
  await run('stranger', 'ChangeParticipantRole', { sessionId, participantId: guest, role: 'voter' });
  await run('stranger', 'TransferFacilitator', { sessionId, participantId: guest });
  await run('mate', 'TransferFacilitator', { sessionId, participantId: host });
  await run('mate', 'LeaveSession', { sessionId });
  await run('mate', 'JoinSession', join);
  await run('stranger', 'RemoveParticipant', { sessionId, participantId: guest });
  await run('stranger', 'CompleteSession', { sessionId });
  await run('stranger', 'ArchiveSession', { sessionId });
  return { sessionId, storyId };
};

/** A practice from its profile to a cancelled appointment, of a guest who becomes a provider. */
const booking = async (run: Run, call: Call, guest: Person, turn: number): Ids => {
  const { accountId, name } = guest;
  const profile = { displayName: `Practice ${turn}`, timezone: 'UTC' };
  await run('admin', 'CreateProviderProfile', { accountId, ...profile });
  await run('admin', 'UpdateProviderProfile', { providerId: accountId, ...profile, location: 'Second floor' });
  await until('the role of a provider', async () => (await call(name, 'GET', '/provider/profile')).status === 200);
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
    dayOfWeek,
    intervals: [{ start: '08:00', end: '12:00' }],
  }));
  await run(name, 'SetAvailability', { weekly, minNoticeMinutes: 0 });
  const early = { startTime: `${day(34)}T06:00:00.000Z`, endTime: `${day(34)}T06:30:00.000Z` };
  const { id: slotId } = await run(name, 'AddTimeSlot', { ...early, force: true });
  await run(name, 'UpdateTimeSlot', { slotId, isAvailable: false });
  await run(name, 'RemoveTimeSlot', { slotId });
  const holiday = { from: day(80), to: day(82), closed: true, reason: 'Skiing' };
  const { id: exceptionId } = await run(name, 'AddAvailabilityException', holiday);
  await run(name, 'RemoveAvailabilityException', { exceptionId });
  await run(name, 'GenerateTimeSlots', { from: day(35 + 3 * turn), to: day(36 + 3 * turn), pattern: 'weekly' });
  const path = `/appointments/available?providerId=${accountId}&from=${day(34)}&to=${day(60)}`;
  let slots: readonly { readonly slotId: string }[] = [];
  await until('free slots', async () => {
    slots = (await call('stranger', 'GET', path)).data.slots as typeof slots;
    return slots.length > 2;
  });
  const [first, second] = slots;
  await run('stranger', 'HoldSlot', { slotId: second?.slotId });
  await run('stranger', 'ReleaseSlotHold', { slotId: second?.slotId });
  const waiting = { providerId: accountId, from: day(35), to: day(60) };
  const { id: leaving } = await run('stranger', 'JoinWaitingList', waiting);
  await run('stranger', 'LeaveWaitingList', { entryId: leaving });
  const book = { slotId: first?.slotId, notes: 'First visit' };
  const { id } = await run('stranger', 'BookAppointment', book);
  await run('stranger', 'UpdateAppointmentNotes', { appointmentId: id, notes: 'Second thoughts' });
  await run('stranger', 'RescheduleAppointment', {
    appointmentId: id,
    slotId: second?.slotId,
  });
  const { id: cancelled } = await run('mate', 'BookAppointment', book);
  const { id: entryId } = await run('stranger', 'JoinWaitingList', { ...waiting, from: day(34) });
  await run('mate', 'CancelAppointment', { appointmentId: cancelled, reason: 'Fallen ill' });
  await until('an offer', async () => {
    const { items } = (await call('stranger', 'GET', '/appointments/waiting-list?limit=50')).data;
    return (items as { id: string; status: string }[]).some((one) => one.id === entryId && one.status === 'offered');
  });
  await run('stranger', 'DeclineOffer', { entryId });
  await run('mate', 'OpenCalendarFeed');
  await run('mate', 'CloseCalendarFeed');
  const { url } = await run('stranger', 'OpenCalendarFeed');
  // A file is fetched by its own address, whoever asks.
  const { exportId, downloadUrl } = await run(name, 'RequestAppointmentExport', {
    format: 'csv',
    from: day(30),
    to: day(60),
  });
  const signature = new URL(String(downloadUrl)).searchParams.get('signature') ?? '';
  const file = String(url).split('/').at(-1) ?? '';
  return { appointmentId: String(id), file, exportId: String(exportId), signature };
};

/** A permission and a role from their definition to the end of an assignment. */
const access = async (run: Run, { accountId }: Person, turn: number): Ids => {
  const permission = `wave:flags-${turn}`;
  await run('admin', 'DefinePermission', { name: permission, description: 'Wave a flag', context: 'booking' });
  await run('admin', 'DescribePermission', { name: permission, description: 'Wave two flags' });
  const { id: roleId } = await run('admin', 'DefineRole', { name: `waver_${turn}`, permissions: [permission] });
  const { id: parent } = await run('admin', 'DefineRole', { name: `signaller_${turn}` });
  await run('admin', 'UpdateRole', { roleId, description: 'Waves' });
  await run('admin', 'GrantPermissionToRole', { roleId, permission: 'book:appointments' });
  await run('admin', 'RevokePermissionFromRole', { roleId, permission: 'book:appointments' });
  await run('admin', 'SetRoleParents', { roleId, parentRoleIds: [parent] });
  await run('admin', 'AssignRole', { accountId, roleId });
  await run('admin', 'RevokeRole', { accountId, roleId });
  await run('admin', 'DeleteRole', { roleId: (await run('admin', 'DefineRole', { name: `passing_${turn}` })).id });
  await run('admin', 'DefinePermission', { name: `pass:by-${turn}`, description: 'Pass by', context: 'access' });
  await run('admin', 'RetirePermission', { name: `pass:by-${turn}` });
  return { roleId: String(roleId), accountId };
};

/** An account from its registration to the end of a login session. */
const identity = async (run: Run, call: Call, guest: Person, turn: number): Promise<void> => {
  const email = `tourist${turn}@people.example`;
  await run('nobody', 'RegisterAccount', {
    email,
    password: guest.password,
    displayName: 'Tourist',
    acceptTerms: true,
  });
  let token: string | undefined;
  await until('a mail to the tourist', async () => {
    const { data } = await call('admin', 'GET', `/ops/outbox?recipient=${email}`);
    token = /token=([\w.~-]+)/.exec(JSON.stringify(data))?.[1];
    return token !== undefined;
  });
  await run('nobody', 'VerifyEmail', { token });
  await run('nobody', 'RequestEmailVerification', { email });
  const { sessions } = (await call(guest.name, 'GET', '/auth/sessions')).data;
  const [first] = sessions as readonly { readonly id: string }[];
  await run(guest.name, 'RevokeLoginSession', { sessionId: first?.id });
};
