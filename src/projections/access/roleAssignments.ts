import type { Kysely } from 'kysely';
import type { AccountRow } from '../identity/accounts.ts';
import { instant, nullable, position, projection, type RowOf, text, uuid } from '../projection.ts';
import type { RoleRow } from './roles.ts';

const columns = {
  key: text,
  account_id: uuid,
  role_id: uuid,
  assigned_by: text,
  assigned_at: instant,
  expires_at: nullable(instant),
  reason: nullable(text),
  position,
};
export type RoleAssignmentRow = RowOf<typeof columns>;

/**
 * Who holds which role: one row for each assignment that was not revoked. One that has ended stays until the timer has
 * taken note of it, so whoever asks for rights must look at `expires_at`.
 */
export const roleAssignments = projection({
  name: 'role_assignments',
  version: 2,
  columns,
  key: { column: 'key', of: ({ data }) => `${data.accountId}/${data.roleId}` },
  indexes: [['account_id'], ['role_id', 'assigned_at desc']],
  fold: {
    RoleAssigned: (_row, { data, position: place }, key): RoleAssignmentRow => ({
      key,
      account_id: data.accountId,
      role_id: data.roleId,
      assigned_by: data.assignedBy,
      assigned_at: data.assignedAt,
      expires_at: data.expiresAt ?? null,
      reason: data.reason ?? null,
      position: String(place),
    }),
    RoleRevoked: () => undefined,
    RoleAssignmentExpired: () => undefined,
  },
});

type Tables = { role_assignments: RoleAssignmentRow; accounts: AccountRow; roles: RoleRow };

const live = (db: Kysely<Tables>, now: Date) =>
  db
    .selectFrom('role_assignments')
    .where(({ eb, or }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', now.toISOString())]));

/** The assignments of an account that count now, oldest first. */
export const assignmentsOf = (db: Kysely<Tables>, accountId: string, now: Date): Promise<RoleAssignmentRow[]> =>
  live(db, now).selectAll().where('account_id', '=', accountId).orderBy('assigned_at').execute();

/** Whether an account holds the role now by an assignment that lies in the log before the position. */
export const isAssigned = async (db: Kysely<Tables>, roleId: string, before: bigint, now: Date): Promise<boolean> => {
  const row = await live(db, now)
    .select('key')
    .where('role_id', '=', roleId)
    .where('position', '<', String(before))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
};

/** Which roles accounts hold now, and until when; oldest first. */
export const heldRoles = (
  db: Kysely<Tables>,
  accountIds: readonly string[],
  now: Date,
): Promise<Pick<RoleAssignmentRow, 'account_id' | 'role_id' | 'expires_at'>[]> =>
  live(db, now)
    .select(['account_id', 'role_id', 'expires_at'])
    .where('account_id', '=', ({ fn, val }) => fn.any(val(accountIds)))
    .orderBy('assigned_at')
    .execute();

/** How many accounts hold each role now, by role. */
export const assignedCounts = async (db: Kysely<Tables>, now: Date): Promise<ReadonlyMap<string, number>> => {
  const rows = await live(db, now)
    .select(({ fn }) => ['role_id', fn.countAll<string>().as('count')])
    .groupBy('role_id')
    .execute();
  return new Map(rows.map(({ role_id, count }) => [role_id, Number(count)]));
};

/** The accounts that hold a role now, newest assignment first: one page, and how many there are. */
export const membersOf = async (
  db: Kysely<Tables>,
  roleId: string,
  now: Date,
  { offset, limit }: { readonly offset: number; readonly limit: number },
) => {
  const of = live(db, now).where('role_id', '=', roleId);
  const [items, { total }] = await Promise.all([
    of
      .leftJoin('accounts', 'accounts.account_id', 'role_assignments.account_id')
      .select(['role_assignments.account_id', 'accounts.display_name', 'accounts.email', 'assigned_at', 'expires_at'])
      .orderBy('assigned_at', 'desc')
      .orderBy('role_assignments.account_id')
      .offset(offset)
      .limit(limit)
      .execute(),
    of.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total: Number(total) };
};

/** The names of the roles that accounts hold now, by account; oldest assignment first. */
export const roleNamesOf = async (
  db: Kysely<Tables>,
  accountIds: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  if (accountIds.length === 0) return new Map();
  const rows = await live(db, now)
    .innerJoin('roles', 'roles.role_id', 'role_assignments.role_id')
    .select(['role_assignments.account_id', 'roles.name'])
    .where('role_assignments.account_id', 'in', [...accountIds])
    .orderBy('role_assignments.assigned_at')
    .execute();
  return new Map(
    [...Map.groupBy(rows, ({ account_id }) => account_id)].map(([accountId, held]) => [
      accountId,
      held.map(({ name }) => name),
    ]),
  );
};
