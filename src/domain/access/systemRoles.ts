import type { BuiltInPermission } from './permissions.ts';

/** A role that the service brings along. Its id is fixed, so that nobody has to look it up. */
export type SystemRole = {
  readonly roleId: string;
  readonly description: string;
  readonly parents: readonly string[];
  readonly permissions: readonly BuiltInPermission[];
};

/** The roles that the service defines at its first start, parents before children. Once defined they may be changed. */
export const SYSTEM_ROLES = {
  free: {
    roleId: '99317e6a-7cb8-5c82-92b5-617cc87be525',
    description: 'Plan free: what every account may do',
    parents: [],
    permissions: [
      'read:own-planners',
      'write:own-planners',
      'read:own-profile',
      'write:own-profile',
      'read:planners',
      'write:planners',
      'read:activities',
      'write:activities',
      'book:appointments',
      'read:own-appointments',
      'create:estimation-sessions',
      'join:estimation-sessions',
      'use:assistant',
      'manage:own-integrations',
      'manage:own-sms-routing',
      'read:own-analytics',
      'start:onboarding',
    ],
  },
  premium: {
    roleId: '5a0ea91c-1ced-5d6d-b4be-4439030b810a',
    description: 'Plan premium',
    parents: ['free'],
    permissions: ['create:unlimited-planners', 'share:planners', 'export:planners', 'use:ai-features'],
  },
  enterprise: {
    roleId: 'ef2e5601-ab60-5990-8afd-0e2decea651c',
    description: 'Plan enterprise',
    parents: ['premium'],
    permissions: [
      'create:team-planners',
      'manage:team-members',
      'access:advanced-analytics',
      'integrate:external-services',
    ],
  },
  admin: {
    roleId: 'df97cd71-e6cd-5673-9000-893dd81b2f45',
    description: 'Administrator: everything',
    parents: [],
    permissions: ['*:*'],
  },
  provider: {
    roleId: '3662f6f5-7c09-5785-bb74-05555d5ca45e',
    description: 'Offers appointments',
    parents: ['free'],
    permissions: [
      'manage:availability',
      'read:provider-appointments',
      'manage:provider-appointments',
      'export:appointments',
      'read:booking-analytics',
    ],
  },
  customer: {
    roleId: '99e54345-3414-5f77-a24a-3aa0039bbbd0',
    description: 'Customer of the agency',
    parents: [],
    permissions: ['read:own-policies', 'read:presentations'],
  },
  agent: {
    roleId: '48cde2ba-20c6-5b3b-b9f3-baf63ee6d64f',
    description: 'Insurance agent',
    parents: ['customer'],
    permissions: [
      'manage:own-presentations',
      'upload:media',
      'read:assigned-customers',
      'create:policies',
      'write:own-agent-profile',
      'read:insurance-providers',
      'read:agency-analytics',
    ],
  },
  agency_manager: {
    roleId: '7210ab99-9420-53f9-bd98-4bc1d2d9322b',
    description: 'Runs the agency',
    parents: ['agent'],
    permissions: [
      'verify:agents',
      'approve:agents',
      'manage:agents',
      'approve:policies',
      'verify:documents',
      'import:agency-data',
    ],
  },
  auditor: {
    roleId: 'b49081bd-93df-59db-8e7f-8e47ebd93220',
    description: 'Examines the audit trail',
    parents: [],
    permissions: ['read:audit-logs', 'export:audit-logs', 'replay:events', 'read:access-log', 'read:roles'],
  },
  operator: {
    roleId: '6a45829f-0cf3-50fd-88d5-63c0f860bf9d',
    description: 'Operates the service',
    parents: [],
    permissions: ['read:operations', 'manage:operations', 'read:all-analytics'],
  },
} as const satisfies Readonly<Record<string, SystemRole>>;

/** The name of a role that the service brings along. */
export type SystemRoleName = keyof typeof SYSTEM_ROLES;

/** The role that holds `*:*`; the last account to hold it keeps it. */
export const ADMIN_ROLE_ID: string = SYSTEM_ROLES.admin.roleId;

const PLAN_ROLE_IDS: ReadonlySet<string> = new Set([
  SYSTEM_ROLES.free.roleId,
  SYSTEM_ROLES.premium.roleId,
  SYSTEM_ROLES.enterprise.roleId,
]);

const SYSTEM_ROLE_IDS: ReadonlySet<string> = new Set(Object.values(SYSTEM_ROLES).map(({ roleId }) => roleId));

/** Whether the service brings the role along, which is then never deleted. */
export const isSystemRole = (roleId: string): boolean => SYSTEM_ROLE_IDS.has(roleId);

/** Whether a role follows from the subscription, and so is neither assigned nor revoked by hand. */
export const isPlanRole = (roleId: string): boolean => PLAN_ROLE_IDS.has(roleId);

const RANKS: readonly string[] = [
  'admin',
  'operator',
  'auditor',
  'agency_manager',
  'agent',
  'provider',
  'enterprise',
  'premium',
  'free',
  'customer',
];

/** The role of the highest rank among those an account holds: the one that clients show. Null without a ranked role. */
export const primaryRoleOf = (roleNames: readonly string[]): string | null =>
  RANKS.find((rank) => roleNames.includes(rank)) ?? null;
