import { type Kysely, sql } from 'kysely';
import type { RoleAssignmentRow } from '../access/roleAssignments.ts';
import type { RoleRow } from '../access/roles.ts';
import { containing } from '../pattern.ts';
import type { AccountRow } from './accounts.ts';

/** What narrows a search for accounts; everything given must hold. Instants are half-open. */
export type AccountFilter = {
  /** Literal text in name, address or telephone number, without regard to case. */
  readonly q?: string | undefined;
  /** Name of a role that is held now. */
  readonly role?: string | undefined;
  readonly plan?: string | undefined;
  readonly subscriptionStatus?: string | undefined;
  readonly status?: 'active' | 'locked' | 'deactivated' | undefined;
  readonly createdFrom?: string | undefined;
  readonly createdTo?: string | undefined;
};

/** What accounts may be sorted by, and the columns behind it. */
const SORT_COLUMNS = {
  createdAt: 'created_at',
  displayName: 'display_name',
  email: 'email',
  lastLoginAt: 'last_login_at',
} as const;
export const ACCOUNT_SORTS = [
  'createdAt',
  'displayName',
  'email',
  'lastLoginAt',
] as const satisfies readonly (keyof typeof SORT_COLUMNS)[];

export type AccountPage = {
  readonly sort: keyof typeof SORT_COLUMNS;
  readonly order: 'asc' | 'desc';
  readonly offset: number;
  readonly limit: number;
};

type Tables = { accounts: AccountRow; role_assignments: RoleAssignmentRow; roles: RoleRow };

const matching = (db: Kysely<Tables>, filter: AccountFilter, now: string) => {
  const { q, role, plan, subscriptionStatus, status, createdFrom, createdTo } = filter;
  let query = db.selectFrom('accounts').where('status', '!=', 'erased');
  if (q !== undefined)
    query = query.where((of) =>
      of.or((['display_name', 'email', 'phone_number'] as const).map((column) => of(column, 'ilike', containing(q)))),
    );
  if (role !== undefined)
    query = query.where('account_id', 'in', (of) =>
      of
        .selectFrom('role_assignments')
        .innerJoin('roles', 'roles.role_id', 'role_assignments.role_id')
        .where('roles.name', '=', role)
        .where((either) => either.or([either('expires_at', 'is', null), either('expires_at', '>', now)]))
        .select('role_assignments.account_id'),
    );
  if (plan !== undefined) query = query.where('plan', '=', plan);
  if (subscriptionStatus !== undefined) query = query.where('subscription_status', '=', subscriptionStatus);
  if (status === 'deactivated') query = query.where('status', '=', 'deactivated');
  if (status === 'locked') query = query.where('status', '=', 'active').where('locked_until', '>', now);
  if (status === 'active')
    query = query
      .where('status', '=', 'active')
      .where((either) => either.or([either('locked_until', 'is', null), either('locked_until', '<=', now)]));
  if (createdFrom !== undefined) query = query.where('created_at', '>=', createdFrom);
  if (createdTo !== undefined) query = query.where('created_at', '<', createdTo);
  return query;
};

/** The accounts that match: one page, and how many there are. Whoever never logged in comes last. */
export const searchAccounts = async (
  db: Kysely<Tables>,
  filter: AccountFilter,
  now: Date,
  { sort, order, offset, limit }: AccountPage,
): Promise<{ readonly items: AccountRow[]; readonly total: number }> => {
  const of = matching(db, filter, now.toISOString());
  const column = SORT_COLUMNS[sort];
  const [items, { total }] = await Promise.all([
    of
      .selectAll()
      .orderBy(column, (by) => (order === 'asc' ? by.asc() : by.desc()).nullsLast())
      .orderBy('account_id')
      .offset(offset)
      .limit(limit)
      .execute(),
    of.select(sql<string>`count(*)`.as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total: Number(total) };
};
