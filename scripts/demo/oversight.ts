import type { Person } from './account.ts';
import type { Booking } from './booking.ts';
import type { Client } from './client.ts';
import type { Estimated } from './estimation.ts';
import type { Report } from './report.ts';

type Change = { readonly path: string };
type HistoryEvent = {
  readonly version: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
};
type List<Item> = { readonly items: Item[]; readonly pagination: { readonly total: number } };
type History = { readonly events: HistoryEvent[]; readonly pagination: { readonly hasNext: boolean } };

/** Gives somebody the right to read the audit trail, uses it by `use`, and takes it away. */
export const lendRole = async (
  client: Client,
  report: Report,
  admin: Person,
  person: Person,
  run: string,
  use: () => Promise<void>,
): Promise<void> => {
  const before = await client.call('GET', '/audit/logs', { as: person });
  report.check('without the role the audit trail is closed', before.status === 403, `${before.status}`);
  const name = `auditor_${run}`;
  const role = await client.expect<{ roleId?: string; id?: string }>(201, 'POST', '/rbac/roles', {
    as: admin,
    body: { name, description: 'Reads the audit trail', permissions: ['read:audit-logs', 'replay:events'] },
  });
  const roleId = role.roleId ?? role.id ?? '';
  await client.expect(201, 'POST', `/rbac/users/${person.id}/roles`, {
    as: admin,
    body: { roleName: name, reason: 'Demonstration' },
  });
  const during = await client.until(200, 'GET', '/audit/logs', { as: person });
  report.check('with the role it is open', during.status === 200, `${during.status}`);
  const escalation = await client.call('POST', `/rbac/users/${person.id}/roles`, {
    as: person,
    body: { roleName: 'admin' },
  });
  report.check('its holder cannot make himself administrator', escalation.status === 403, `${escalation.status}`);
  await use();
  await client.expect(200, 'DELETE', `/rbac/users/${person.id}/roles/${roleId}`, { as: admin });
  const after = await client.until(403, 'GET', '/audit/logs', { as: person });
  report.check('with the role taken away it is closed again', after.status === 403, `${after.status}`);
  const log = await client.expect<List<{ id: string; type: string }>>(
    200,
    'GET',
    `/rbac/audit-log?subjectId=${person.id}`,
    { as: admin },
  );
  const kinds = log.items.map(({ type }) => type);
  report.check(
    'the access log tells of both',
    kinds.includes('role_assigned') && kinds.includes('role_revoked'),
    kinds.join(', '),
  );
};

/** Reads in the audit trail what happened to an appointment and in a session. */
export const audit = async (
  client: Client,
  report: Report,
  auditor: Person,
  of: {
    readonly since: string;
    readonly moved: Booking;
    readonly booked: number;
    readonly estimated: Estimated;
    readonly alone: boolean;
  },
): Promise<void> => {
  const found = await client.expect<List<{ correlationId: string }>>(
    200,
    'GET',
    `/audit/logs?action=appointment_booked&from=${of.since}&limit=100`,
    { as: auditor },
  );
  const { total } = found.pagination;
  report.check('the trail has every booking', of.alone ? total === of.booked : total >= of.booked, `${total} entries`);
  const [entry] = found.items;
  const chain = await client.expect<List<{ action: string }>>(
    200,
    'GET',
    `/audit/logs?correlationId=${entry?.correlationId}&limit=100`,
    { as: auditor },
  );
  report.check(
    'one request is found by its correlation id over all streams',
    chain.items.length > 1,
    chain.items.map(({ action }) => action).join(', '),
  );

  const { id } = of.moved.appointment;
  const history = await client.expect<History>(200, 'GET', `/audit/streams/appointment/${id}/events`, {
    as: auditor,
  });
  const types = history.events.map(({ type }) => type);
  report.check(
    'a moved appointment has its own history',
    types.join() === 'AppointmentBooked,AppointmentRescheduled',
    types.join(', '),
  );
  const state = await client.expect<{ state: { startTime: string; status: string }; changes: Change[] }>(
    200,
    'GET',
    `/audit/streams/appointment/${id}/state?version=1&compareTo=0`,
    { as: auditor },
  );
  report.check(
    'its state is known at any version, with the difference',
    state.changes.some(({ path }) => path === 'startTime'),
    state.changes.map(({ path }) => path).join(', '),
  );
  const then = await client.call('GET', `/audit/streams/appointment/${id}/state?asOf=${of.since}`, { as: auditor });
  report.check('before it was booked there was none', then.status === 404, `${then.status}`);

  const votes: HistoryEvent[] = [];
  let sealed = '';
  for (let page = 1, more = true; more; page += 1) {
    const reply = await client.call<History>(
      'GET',
      `/audit/streams/session/${of.estimated.sessionId}/events?limit=100&page=${page}`,
      { as: auditor },
    );
    votes.push(...reply.data.events.filter(({ type }) => type === 'VoteCast'));
    sealed += reply.data.events
      .filter(({ type }) => type === 'VoteCast')
      .map((event) => JSON.stringify(event))
      .join('');
    more = reply.data.pagination.hasNext;
  }
  report.check(
    'who voted is in the history, what is not',
    votes.length === 16 && !sealed.includes('zqvo'),
    `${votes.length} cards, all face down`,
  );
};

type BookingFigures = { totals: { offered: number; booked: number; cancelled: number; utilisation: number } };
type EstimationFigures = {
  totals: { sessions: number; rounds: number; votes: number; firstRoundConsensusRate: number };
};

/** Reads the figures of what just happened. */
export const analytics = async (
  client: Client,
  report: Report,
  of: {
    readonly provider: Person;
    readonly facilitator: Person;
    readonly booked: number;
    readonly cancelled: number;
    readonly estimated: Estimated;
  },
): Promise<void> => {
  const { totals: booking } = await client.expect<BookingFigures>(200, 'GET', '/analytics/booking', {
    as: of.provider,
  });
  const utilisation = Math.round(((of.booked - of.cancelled) / 280) * 10_000) / 10_000;
  report.check(
    'bookings add up',
    booking.offered === 280 &&
      booking.booked === of.booked &&
      booking.cancelled === of.cancelled &&
      booking.utilisation === utilisation,
    `${booking.booked} booked, ${booking.cancelled} cancelled of ${booking.offered} slots, utilisation ${booking.utilisation}`,
  );
  const { totals } = await client.expect<EstimationFigures>(
    200,
    'GET',
    `/analytics/estimation?sessionId=${of.estimated.sessionId}`,
    { as: of.facilitator },
  );
  report.check(
    'so do votes',
    totals.sessions === 1 && totals.rounds === 2 && totals.votes === 16,
    `${totals.votes} votes in ${totals.rounds} rounds`,
  );
};
