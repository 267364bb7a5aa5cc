/** The contexts of the service, as a permission names the one it belongs to. */
export const CONTEXTS = [
  'identity',
  'access',
  'booking',
  'estimation',
  'planner',
  'agency',
  'messaging',
  'analytics',
  'audit',
  'operations',
] as const;
export type ContextName = (typeof CONTEXTS)[number];

/** What a permission allows, in words, and the context that asks for it. */
export type Permission = { readonly description: string; readonly context: ContextName };

/** Every permission that commands and queries ask for. Built in: they need no definition and cannot be retired. */
export const BUILT_IN = {
  '*:*': { description: 'Everything; held by the role admin alone', context: 'access' },

  'read:own-profile': { description: 'Read the own profile', context: 'identity' },
  'write:own-profile': { description: 'Change the own profile', context: 'identity' },
  'read:users': { description: 'Search and read accounts', context: 'identity' },
  'write:users': { description: 'Change accounts', context: 'identity' },

  'read:roles': { description: 'Read roles, permissions and assignments', context: 'access' },
  'manage:roles': { description: 'Define and change roles', context: 'access' },
  'assign:roles': { description: 'Assign roles to accounts and take them away', context: 'access' },
  'read:access-log': { description: 'Read the access log', context: 'access' },

  'book:appointments': { description: 'Book, move and cancel own appointments', context: 'booking' },
  'read:own-appointments': { description: 'Read own appointments', context: 'booking' },
  'manage:availability': { description: 'Keep own provider profile, availability and slots', context: 'booking' },
  'read:provider-appointments': { description: 'Read the appointments booked with oneself', context: 'booking' },
  'manage:provider-appointments': {
    description: 'Complete and cancel appointments booked with oneself',
    context: 'booking',
  },
  'export:appointments': { description: 'Export appointments', context: 'booking' },
  'read:booking-analytics': { description: 'Read figures of own bookings', context: 'booking' },

  'create:estimation-sessions': { description: 'Create estimation sessions', context: 'estimation' },
  'join:estimation-sessions': { description: 'Take part in estimation sessions', context: 'estimation' },

  'read:own-planners': { description: 'Read own planners', context: 'planner' },
  'write:own-planners': { description: 'Change own planners', context: 'planner' },
  'read:planners': { description: 'Read planners one has access to', context: 'planner' },
  'write:planners': { description: 'Change planners one has access to', context: 'planner' },
  'read:activities': { description: 'Read activities', context: 'planner' },
  'write:activities': { description: 'Change activities', context: 'planner' },
  'create:unlimited-planners': { description: 'Keep any number of planners', context: 'planner' },
  'share:planners': { description: 'Share planners', context: 'planner' },
  'export:planners': { description: 'Export planners', context: 'planner' },
  'use:ai-features': { description: 'Ask for suggestions', context: 'planner' },
  'create:team-planners': { description: 'Create planners of a team', context: 'planner' },
  'manage:team-members': { description: 'Keep the members of a team', context: 'planner' },

  'start:onboarding': { description: 'Begin onboarding as a customer', context: 'agency' },
  'read:own-policies': { description: 'Read own insurance policies', context: 'agency' },
  'read:presentations': { description: 'Read presentations', context: 'agency' },
  'manage:own-presentations': { description: 'Keep own presentations', context: 'agency' },
  'upload:media': { description: 'Upload media', context: 'agency' },
  'read:assigned-customers': { description: 'Read customers assigned to oneself', context: 'agency' },
  'create:policies': { description: 'Propose insurance policies', context: 'agency' },
  'write:own-agent-profile': { description: 'Keep the own agent profile', context: 'agency' },
  'read:insurance-providers': { description: 'Read insurance providers in full', context: 'agency' },
  'read:agency-analytics': { description: 'Read figures of the agency', context: 'agency' },
  'verify:agents': { description: 'Verify agents', context: 'agency' },
  'approve:agents': { description: 'Approve agents', context: 'agency' },
  'manage:agents': { description: 'Keep agents', context: 'agency' },
  'approve:policies': { description: 'Approve insurance policies', context: 'agency' },
  'verify:documents': { description: 'Verify documents', context: 'agency' },
  'import:agency-data': { description: 'Import data of the agency', context: 'agency' },
  'manage:insurance-providers': { description: 'Keep insurance providers', context: 'agency' },
  'manage:feature-flags': { description: 'Keep feature flags', context: 'agency' },

  'use:assistant': { description: 'Talk to the assistant', context: 'messaging' },
  'manage:own-integrations': { description: 'Keep own connections to outside services', context: 'messaging' },
  'manage:own-sms-routing': { description: 'Keep own SMS routing', context: 'messaging' },
  'integrate:external-services': { description: 'Connect GitHub and Microsoft', context: 'messaging' },

  'read:own-analytics': { description: 'Read own figures', context: 'analytics' },
  'access:advanced-analytics': { description: 'Read advanced figures', context: 'analytics' },
  'read:all-analytics': { description: 'Read the figures of the whole service', context: 'analytics' },

  'read:audit-logs': { description: 'Read the audit trail', context: 'audit' },
  'export:audit-logs': { description: 'Export the audit trail', context: 'audit' },
  'replay:events': { description: 'Replay events and look at former states', context: 'audit' },
  'read:audit-pii': { description: 'See personal data in the audit trail', context: 'audit' },

  'read:operations': { description: 'Read operational figures and the outbox', context: 'operations' },
  'manage:operations': { description: 'Operate the service', context: 'operations' },
} as const satisfies Readonly<Record<string, Permission>>;

/** The name of a built-in permission. */
export type BuiltInPermission = keyof typeof BUILT_IN;

/** Whether the permission of this name is built in. */
export const isBuiltIn = (name: string): name is BuiltInPermission => Object.hasOwn(BUILT_IN, name);
