import { z } from 'zod';
import { PreferencesView } from '../../../commands/identity/profile.ts';
import { primaryRoleOf } from '../../../domain/access/systemRoles.ts';
import { preferencesOf } from '../../../domain/identity/account/index.ts';
import { roleAssignments } from '../../../projections/access/roleAssignments.ts';
import { roles } from '../../../projections/access/roles.ts';
import { type AccountRow, accountOf, accounts } from '../../../projections/identity/accounts.ts';
import { found } from '../../answers.ts';
import type { Deps, Rights } from '../../app.ts';

const Status = z.enum(['active', 'locked', 'deactivated']);

const Statistics = z.object({
  totalPlanners: z.int(),
  totalTasks: z.int(),
  completedTasks: z.int(),
  streakDays: z.int().describe('Days in a row, up to now, with a task completed'),
  longestStreak: z.int(),
  lastActivity: z.string().nullable(),
});

/** The figures of somebody who owns no planner and has no task, as everybody does until there are planners. */
const NO_PLANNERS: z.output<typeof Statistics> = {
  totalPlanners: 0,
  totalTasks: 0,
  completedTasks: 0,
  streakDays: 0,
  longestStreak: 0,
  lastActivity: null,
};

/** An account as those see it who may look at other people's. */
export const UserView = z.object({
  userId: z.string(),
  email: z.string(),
  displayName: z.string(),
  photoURL: z.string().nullable(),
  phoneNumber: z.string().nullable().describe('The primary one, or the first while none is verified'),
  emailVerified: z.boolean(),
  emailDeliverable: z
    .boolean()
    .describe('False once the address has refused mail, or its owner has called it unwanted'),
  phoneVerified: z.boolean(),
  status: Status,
  lockedUntil: z.string().nullable(),
  deletedAt: z.string().nullable().describe('Since when the account is deactivated'),
  role: z.string().nullable().describe('The role of the highest rank'),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  timezone: z.string(),
  language: z.string(),
  preferences: PreferencesView,
  subscription: z.object({
    plan: z.string(),
    status: z.string(),
    startedAt: z.string().nullable(),
    expiresAt: z.string().nullable(),
    autoRenew: z.boolean(),
  }),
  statistics: Statistics.describe('What the holder does in planners'),
  createdAt: z.string(),
  updatedAt: z.string(),
  version: z.int(),
});

/** An account as its holder sees it. */
export const ProfileView = UserView.extend({
  security: z.object({
    mfaEnabled: z.boolean(),
    passwordChangedAt: z.string().nullable(),
    lastLoginAt: z.string().nullable(),
  }),
});

/** The read models that a profile is made of. */
export const PROFILE_SOURCES = [accounts, roleAssignments, roles];

/** Whether an account can be logged in to: deactivated, locked until later, or neither. */
export const statusOf = (row: AccountRow, now: Date): z.output<typeof Status> => {
  if (row.status === 'deactivated') return 'deactivated';
  return row.locked_until !== null && Date.parse(row.locked_until) > now.getTime() ? 'locked' : 'active';
};

const userOf = (row: AccountRow, { roles, permissions }: Pick<Rights, 'roles' | 'permissions'>, now: Date) => {
  const status = statusOf(row, now);
  return {
    userId: row.account_id,
    email: row.email,
    displayName: row.display_name,
    photoURL: row.photo_url,
    phoneNumber: row.phone_number,
    emailVerified: row.email_verified,
    emailDeliverable: row.email_deliverable,
    phoneVerified: row.phone_verified,
    status,
    lockedUntil: status === 'locked' ? row.locked_until : null,
    deletedAt: row.deleted_at,
    role: primaryRoleOf(roles),
    roles: [...roles],
    permissions: [...permissions],
    timezone: row.timezone,
    language: row.language,
    preferences: preferencesIn(row),
    subscription: {
      plan: row.plan,
      status: row.subscription_status,
      startedAt: row.subscription_started_at,
      expiresAt: row.subscription_expires_at,
      autoRenew: row.auto_renew,
    },
    statistics: NO_PLANNERS,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
};

/** What the account of the row prefers, with the defaults filled in. */
export const preferencesIn = ({ preferences, language, timezone }: AccountRow) =>
  preferencesOf({ language, timezone, ...(preferences === null ? {} : { preferences }) });

/** The row of an account that was not erased, or a 404. */
export const accountRow = async ({ db }: Pick<Deps, 'db'>, accountId: string): Promise<AccountRow> => {
  const row = await accountOf(db, accountId);
  return found(row?.status === 'erased' ? undefined : row, 'account');
};

/** Somebody's account; 404 without one. */
export const userView = async (deps: Deps, accountId: string): Promise<z.output<typeof UserView>> => {
  const [row, rights] = await Promise.all([accountRow(deps, accountId), deps.rights.of(accountId)]);
  return userOf(row, rights ?? { roles: [], permissions: [] }, deps.commands.reads.now());
};

/** The own account, with the rights of the request. */
export const profileView = async (
  deps: Deps,
  accountId: string,
  rights: Pick<Rights, 'roles' | 'permissions'>,
): Promise<z.output<typeof ProfileView>> => {
  const row = await accountRow(deps, accountId);
  return {
    ...userOf(row, rights, deps.commands.reads.now()),
    security: {
      mfaEnabled: row.mfa_enabled,
      passwordChangedAt: row.password_changed_at,
      lastLoginAt: row.last_login_at,
    },
  };
};
