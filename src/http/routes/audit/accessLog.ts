import { z } from 'zod';
import { actionOf } from '../../../audit/entry.ts';
import { catalogue } from '../../../domain/catalogue.ts';
import { line, uuid } from '../../../domain/fields.ts';
import { roles } from '../../../projections/access/roles.ts';
import { auditEntries } from '../../../projections/audit/auditEntries.ts';
import { type AuditFilter, auditEntriesOf, auditEntryCount } from '../../../projections/audit/search.ts';
import { offsetOf, ok, Pagination, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { rangeEnd, rangeOf } from '../../dateRange.ts';
import { ACCESS_ACTIONS, longOf, shortOf } from './actions.ts';
import { cursor, cursorOf, positionOf, refuseBoth } from './cursor.ts';
import { entriesOf } from './entries.ts';
import { eventsOfEntries } from './events.ts';

const names = Object.keys(ACCESS_ACTIONS) as [string, ...string[]];
const stored: ReadonlySet<string> = new Set(Object.keys(catalogue).map(actionOf));
const shown = Object.values(ACCESS_ACTIONS).filter((action) => stored.has(action));

const AccessEntry = z.object({
  id: z.string().describe('The id of the event, the same as in /audit/logs'),
  at: z.string(),
  type: z.string(),
  actorId: z.string().nullable(),
  actorName: z.string().nullable(),
  subjectId: z.string().nullable().describe('The account concerned'),
  role: z.string().nullable(),
  permission: z.string().nullable(),
  path: z.string().nullable(),
  reason: z.string().nullable(),
  count: z.int().nullable().describe('Refusals of the same kind in the calendar minute; of access_denied alone'),
  ip: z.string().nullable(),
  correlationId: z.string(),
});

const textIn = (data: unknown, name: string): string | null => {
  const value = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : null;
};

const Query = z.object({
  ...page({ limit: 10, max: 100 }),
  cursor: cursor.optional(),
  actorId: uuid.optional(),
  subjectId: uuid.optional(),
  type: z.enum(names).optional(),
  role: line(1, 100).optional().describe('Name or id of a role'),
  permission: line(1, 100).optional(),
  from: rangeEnd.optional(),
  to: rangeEnd.optional(),
});

const LogAnswer = z.object({
  success: z.literal(true),
  data: z.object({ items: z.array(AccessEntry), pagination: Pagination, nextCursor: z.string().nullable() }),
});

/** GET /rbac/audit-log: the audit trail as far as it concerns roles and permissions. */
export const accessLogRoutes = (app: App, deps: Deps): void => {
  const { db } = deps;

  const roleIdOf = async (role: string): Promise<string> => {
    const row = await db.selectFrom('roles').select('role_id').where('name', '=', role).executeTakeFirst();
    return row?.role_id ?? role;
  };
  const roleNames = async (ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    if (ids.length === 0) return new Map();
    const rows = await db
      .selectFrom('roles')
      .select(['role_id', 'name'])
      .where('role_id', 'in', [...ids])
      .execute();
    return new Map(rows.map(({ role_id, name }) => [role_id, name]));
  };

  app.get(
    '/rbac/audit-log',
    {
      config: { access: 'read:access-log', reads: [auditEntries, roles] },
      schema: {
        tags: ['access'],
        summary: 'Who changed roles, assignments and permissions',
        querystring: Query,
        response: { 200: LogAnswer },
      },
    },
    async (request) => {
      const { query } = request;
      refuseBoth(request.url);
      const after = query.cursor === undefined ? undefined : positionOf(query.cursor);
      const filter: AuditFilter = {
        context: 'access',
        actions: query.type === undefined ? shown : [longOf(query.type)],
        userId: query.actorId,
        accountId: query.subjectId,
        roleId: query.role === undefined ? undefined : await roleIdOf(query.role),
        permission: query.permission,
        collapsed: true,
        ...rangeOf(query),
      };
      const [read, total] = await Promise.all([
        auditEntriesOf(db, filter, {
          order: 'desc',
          limit: query.limit + 1,
          ...(after === undefined ? { offset: offsetOf(query) } : { after }),
        }),
        auditEntryCount(db, filter),
      ]);
      const rows = read.slice(0, query.limit);
      const last = rows.at(-1);
      const [entries, events, byId] = await Promise.all([
        entriesOf(deps, rows),
        eventsOfEntries(deps, rows),
        roleNames(rows.flatMap(({ role_id }) => role_id ?? [])),
      ]);
      const items = entries.map((entry, index) => {
        const row = rows[index];
        const data = events.get(entry.id)?.data;
        return {
          id: entry.id,
          at: entry.at,
          type: shortOf(entry.action),
          actorId: entry.userId,
          actorName: entry.actorName,
          subjectId: entry.accountId,
          role:
            textIn(data, 'roleName') ?? byId.get(row?.role_id ?? '') ?? textIn(data, 'name') ?? row?.role_id ?? null,
          permission: row?.permission ?? null,
          path: textIn(data, 'path'),
          reason: textIn(data, 'reason'),
          count: row?.total ?? null,
          ip: entry.ip,
          correlationId: entry.correlationId,
        };
      });
      const { data } = paginated('items', items, total, query);
      return ok({
        ...data,
        nextCursor: read.length > rows.length && last !== undefined ? cursorOf(last.position) : null,
      });
    },
  );
};
