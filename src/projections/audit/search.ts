import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { ReadModels } from '../index.ts';
import { containing } from '../pattern.ts';
import type { AuditEntry } from './auditEntries.ts';

/** What narrows the audit trail; everything given must hold. Instants are half-open. */
export type AuditFilter = {
  readonly userId?: string | undefined;
  /** Acted by, or concerning, this account. */
  readonly ownOf?: string | undefined;
  readonly accountId?: string | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly context?: string | undefined;
  readonly targetType?: string | undefined;
  readonly targetId?: string | undefined;
  readonly stream?: string | undefined;
  readonly outcome?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly roleId?: string | undefined;
  readonly permission?: string | undefined;
  /** Keyed hash of the address. */
  readonly ipHash?: string | undefined;
  /** Without events that only go on with another's counting. */
  readonly collapsed?: true | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Literal text in ids, kinds and summary. */
  readonly q?: string | undefined;
};

export type AuditPage = {
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  /** Entries passed over; not together with `after`. */
  readonly offset?: number | undefined;
  /** Position of the last entry of the page before. */
  readonly after?: string | undefined;
};

const matching = (db: Kysely<ReadModels>, filter: AuditFilter) => {
  const { userId, ownOf, accountId, actions, from, to, q } = filter;
  const plain = {
    context: filter.context,
    target_type: filter.targetType,
    target_id: filter.targetId,
    stream: filter.stream,
    outcome: filter.outcome,
    correlation_id: filter.correlationId,
    role_id: filter.roleId,
    permission: filter.permission,
    ip_hash: filter.ipHash,
    account_id: accountId,
    user_id: userId,
  };
  let query = db.selectFrom('audit_entries');
  for (const [column, value] of Object.entries(plain))
    if (value !== undefined) query = query.where(column as keyof typeof plain, '=', value);
  if (ownOf !== undefined)
    query = query.where((of) => of.or([of('user_id', '=', ownOf), of('account_id', '=', ownOf)]));
  if (filter.collapsed) query = query.where('continues', 'is', null);
  if (actions !== undefined) query = query.where('action', 'in', [...actions]);
  if (from !== undefined) query = query.where('at', '>=', from);
  if (to !== undefined) query = query.where('at', '<', to);
  if (q !== undefined)
    query = query.where((of) =>
      of.or(
        (['summary', 'action', 'stream', 'actor_id', 'command'] as const).map((name) =>
          of(name, 'ilike', containing(q)),
        ),
      ),
    );
  return query;
};

/** One page of the entries that match, in log order. */
export const auditEntriesOf = (db: Kysely<ReadModels>, filter: AuditFilter, page: AuditPage): Promise<AuditEntry[]> => {
  const { order, limit, offset = 0, after } = page;
  let query = matching(db, filter).selectAll().orderBy('position', order).limit(limit).offset(offset);
  if (after !== undefined) query = query.where('position', order === 'asc' ? '>' : '<', after);
  return query.execute();
};

export const auditEntryCount = async (db: Kysely<ReadModels>, filter: AuditFilter): Promise<number> => {
  const row = await matching(db, filter).select(sql<string>`count(*)`.as('count')).executeTakeFirstOrThrow();
  return Number(row.count);
};

export const auditEntryById = (db: Kysely<ReadModels>, id: string): Promise<AuditEntry | undefined> =>
  db.selectFrom('audit_entries').selectAll().where('id', '=', id).executeTakeFirst();

/** The stream that holds a thing whose id does not tell. */
export const streamOfTarget = async (db: Kysely<ReadModels>, type: string, id: string): Promise<string | undefined> => {
  const row = await db
    .selectFrom('audit_entries')
    .select('stream')
    .where('target_type', '=', type)
    .where('target_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  return row?.stream;
};

/** Names to show for accounts, as they are now; whoever has none is missing. */
export const namesOf = async (db: Kysely<ReadModels>, ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('accounts')
    .select(['account_id', 'display_name'])
    .where('account_id', 'in', [...new Set(ids)])
    .execute();
  return new Map(rows.map(({ account_id, display_name }) => [account_id, display_name]));
};

/** The streams that hold an event which concerns an account. */
export const streamsConcerning = async (db: Kysely<ReadModels>, accountId: string): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('audit_entries')
    .where('account_id', '=', accountId)
    .groupBy('stream')
    .select(({ fn }) => ['stream', fn.min('position').as('first')])
    .orderBy('first')
    .execute();
  return rows.map(({ stream }) => stream);
};
