import { z } from 'zod';
import { chained } from '../../../audit/chain/records.ts';
import { auditedContexts } from '../../../audit/contexts.ts';
import { differences } from '../../../audit/difference.ts';
import { actionOf, actorTypes, outcomes } from '../../../audit/entry.ts';
import { shownData, stateAt } from '../../../audit/past.ts';
import { streamTypeNames, streamTypeOf } from '../../../audit/streamTypes.ts';
import { catalogue, type EventType } from '../../../domain/catalogue.ts';
import { can } from '../../../domain/decider.ts';
import { line, uuid } from '../../../domain/fields.ts';
import { auditEntries } from '../../../projections/audit/auditEntries.ts';
import {
  type AuditFilter,
  auditEntriesOf,
  auditEntryById,
  auditEntryCount,
} from '../../../projections/audit/search.ts';
import { answer, found, listAnswer, offsetOf, ok, Pagination, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { rangeEnd, rangeOf } from '../../dateRange.ts';
import { addressHash } from '../../refusals/recorder.ts';
import { accountOf, actorOf } from '../../request.ts';
import { ACCESS_ACTIONS, longOf, shortOf } from './actions.ts';
import { cursor, cursorOf, positionOf, refuseBoth } from './cursor.ts';
import { Entry, entriesOf } from './entries.ts';
import { eventsOfStream } from './events.ts';

const types = Object.keys(catalogue) as [EventType, ...EventType[]];
const actions = [...new Set([...types.map(actionOf), ...Object.keys(ACCESS_ACTIONS)])].sort() as [string, ...string[]];

const window = { from: rangeEnd.optional(), to: rangeEnd.optional() };
const order = z.enum(['asc', 'desc']).default('desc');

const LogsQuery = z.object({
  ...page({ limit: 10, max: 100 }),
  ...window,
  order,
  cursor: cursor.optional(),
  userId: uuid.optional().describe('The acting account'),
  actorId: uuid.optional().describe('The same as userId'),
  accountId: uuid.optional().describe('The account concerned'),
  action: z.enum(actions).optional(),
  type: z.enum(types).optional().describe('The event type, instead of the action'),
  context: z.enum(auditedContexts as [string, ...string[]]).optional(),
  targetType: z.enum(streamTypeNames).optional(),
  targetId: line(1, 200).optional(),
  stream: line(1, 300).optional(),
  outcome: z.enum(outcomes).optional(),
  correlationId: line(1, 100).optional(),
  ip: line(2, 100).optional().describe('The address of a refused request, literally'),
  q: line(2, 100).optional().describe('Literal text in ids, kinds and summary'),
});
type LogsQuery = z.output<typeof LogsQuery>;

const filterOf = (query: LogsQuery, hash: (address: string) => string): AuditFilter => {
  const named = query.action === undefined ? [] : [longOf(query.action)];
  const typed =
    query.type === undefined
      ? named
      : named.length > 0 && named[0] !== actionOf(query.type)
        ? ['-']
        : [actionOf(query.type)];
  return {
    userId: query.userId ?? query.actorId,
    accountId: query.accountId,
    actions: typed.length === 0 ? undefined : typed,
    context: query.context,
    targetType: query.targetType === undefined ? undefined : streamTypeOf(query.targetType)?.name,
    targetId: query.targetId,
    stream: query.stream,
    outcome: query.outcome,
    correlationId: query.correlationId,
    ipHash: query.ip === undefined ? undefined : hash(query.ip),
    q: query.q,
    ...rangeOf(query),
  };
};

const example: Entry = {
  id: '0196f2a4-6d2c-7c55-9d3e-0b7f4a1c2d3e',
  at: '2027-03-01T09:30:00.000Z',
  position: '4711',
  userId: '0196f2a4-0000-7000-8000-000000000001',
  actorType: 'user',
  actorName: 'Anna',
  accountId: '0196f2a4-0000-7000-8000-000000000002',
  action: 'role_assigned',
  eventType: 'RoleAssigned',
  context: 'access',
  targetType: 'userAccess',
  targetId: '0196f2a4-0000-7000-8000-000000000002',
  stream: 'userAccess-0196f2a4-0000-7000-8000-000000000002',
  version: 0,
  outcome: 'success',
  command: 'AssignRole',
  code: null,
  method: 'POST',
  path: '/api/v1/rbac/users/:accountId/roles',
  count: null,
  ip: null,
  userAgent: null,
  correlationId: '0196f2a4-0000-7000-8000-000000000003',
  causationId: null,
  summary: 'role assigned: userAccess 0196f2a4-0000-7000-8000-000000000002, role name auditor',
};

const LogsAnswer = z
  .object({
    success: z.literal(true),
    data: z.object({ items: z.array(Entry), pagination: Pagination, nextCursor: z.string().nullable() }),
  })
  .meta({
    examples: [
      {
        success: true,
        data: {
          items: [example],
          pagination: { page: 1, limit: 10, total: 1, pages: 1, hasNext: false, hasPrev: false },
          nextCursor: null,
        },
      },
    ],
  });

const EntryAnswer = answer(
  Entry.extend({
    data: z.unknown().describe('What the event says: personal fields masked, secrets left out'),
    changes: z.array(z.object({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() })),
    hash: z.string().nullable().describe('Of the audit chain at this event, in hexadecimal; null until it is chained'),
    previousHash: z.string().nullable().describe('Of the audit chain before this event'),
  }),
);

const OwnActivity = z.object({
  id: z.string(),
  at: z.string(),
  action: z.string(),
  outcome: z.enum(outcomes),
  actorType: z.enum(['you', ...actorTypes]),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
});

const config = { access: 'read:audit-logs', reads: [auditEntries] } as const;
const tags = ['audit'];

/** GET /audit/logs, one entry, and everybody's own activity. */
export const logRoutes = (app: App, deps: Deps): void => {
  const { db } = deps;

  app.get(
    '/audit/logs',
    {
      config,
      schema: { tags, summary: 'Search the audit trail', querystring: LogsQuery, response: { 200: LogsAnswer } },
    },
    async (request) => {
      const { query } = request;
      refuseBoth(request.url);
      const filter = filterOf(query, (address) => addressHash(deps.commands.reads, address));
      const after = query.cursor === undefined ? undefined : positionOf(query.cursor);
      const [rows, total] = await Promise.all([
        auditEntriesOf(db, filter, {
          order: query.order,
          limit: query.limit + 1,
          ...(after === undefined ? { offset: offsetOf(query) } : { after }),
        }),
        auditEntryCount(db, filter),
      ]);
      const shown = rows.slice(0, query.limit);
      const last = shown.at(-1);
      const { data } = paginated('items', await entriesOf(deps, shown), total, query);
      return ok({
        ...data,
        nextCursor: rows.length > query.limit && last !== undefined ? cursorOf(last.position) : null,
      });
    },
  );

  app.get(
    '/audit/logs/:id',
    {
      config,
      schema: {
        tags,
        summary: 'One entry with what it changed',
        params: z.object({ id: uuid }),
        response: { 200: EntryAnswer },
      },
    },
    async (request) => {
      const row = found(await auditEntryById(db, request.params.id), 'entry');
      const personal = can(actorOf(request), 'read:audit-pii');
      const [entry] = await entriesOf(deps, [row]);
      const events = await eventsOfStream(deps, row.stream);
      const event = found(events[row.revision], 'entry');
      const type = found(streamTypeOf(row.stream.slice(0, row.stream.indexOf('-'))), 'stream');
      const at = (version: number) => stateAt(type, '', events, { version }, personal)?.state;
      const changes = differences(row.revision === 0 ? undefined : at(row.revision - 1), at(row.revision));
      const { hash = null, previousHash = null } = (await chained(deps.pool, row)) ?? {};
      return ok({
        ...found(entry, 'entry'),
        data: shownData(event, personal),
        changes: [...changes],
        hash,
        previousHash,
      });
    },
  );

  app.get(
    '/audit/me',
    {
      config: { access: 'loggedIn', reads: [auditEntries] },
      schema: {
        tags,
        summary: 'What the own account did, and what was done to it',
        querystring: z.object({ ...page({ limit: 10, max: 50 }), ...window, action: z.enum(actions).optional() }),
        response: { 200: listAnswer('items', OwnActivity) },
      },
    },
    async (request) => {
      const { query } = request;
      const me = accountOf(request);
      const filter: AuditFilter = {
        ownOf: me,
        actions: query.action === undefined ? undefined : [longOf(query.action)],
        ...rangeOf(query),
      };
      const [rows, total] = await Promise.all([
        auditEntriesOf(db, filter, { order: 'desc', limit: query.limit, offset: offsetOf(query) }),
        auditEntryCount(db, filter),
      ]);
      const items = (await entriesOf(deps, rows)).map((entry) => {
        const own = entry.userId === me;
        // Attempts to log in concern the account: their address is its owner's business whoever made them.
        const seen = own || entry.targetType === 'account' || entry.targetType === 'loginSession';
        return {
          id: entry.id,
          at: entry.at,
          action: shortOf(entry.action),
          outcome: entry.outcome,
          actorType: own ? ('you' as const) : entry.actorType,
          ip: seen ? entry.ip : null,
          userAgent: seen ? entry.userAgent : null,
        };
      });
      return paginated('items', items, total, query);
    },
  );
};
