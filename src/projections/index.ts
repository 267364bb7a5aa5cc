import { permissions } from './access/permissions.ts';
import { roleAssignments } from './access/roleAssignments.ts';
import { roles } from './access/roles.ts';
import { analyticsProjections } from './analytics/index.ts';
import { auditEntries } from './audit/auditEntries.ts';
import { bookingProjections } from './booking/index.ts';
import { estimationProjections } from './estimation/index.ts';
import { accounts } from './identity/accounts.ts';
import { apiKeys } from './identity/apiKeys.ts';
import { loginHistory } from './identity/loginHistory.ts';
import { loginSessions } from './identity/loginSessions.ts';
import { secondFactors } from './identity/secondFactors.ts';
import { suspiciousSigns } from './identity/suspiciousSigns.ts';
import { tokenRevocations } from './identity/tokenRevocations.ts';
import { emails } from './messaging/emails.ts';
import { integrations } from './messaging/integrations.ts';
import type { RowOf } from './projection.ts';

/** Every read model of the service. */
export const projections = [
  permissions,
  roles,
  roleAssignments,
  accounts,
  loginSessions,
  loginHistory,
  tokenRevocations,
  apiKeys,
  suspiciousSigns,
  secondFactors,
  ...bookingProjections,
  ...estimationProjections,
  integrations,
  emails,
  ...analyticsProjections,
  auditEntries,
] as const;

/** The tables of the read models with their rows, for Kysely. */
export type ReadModels = {
  [P in (typeof projections)[number] as P['name']]: RowOf<P['columns']>;
};
