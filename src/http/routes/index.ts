import type { App, Deps } from '../app.ts';
import type { Presenter } from '../commandRoutes.ts';
import { accessRoutes } from './access/index.ts';
import { analyticsRoutes } from './analytics/index.ts';
import { auditRoutes } from './audit/index.ts';
import { bookingPresenters, bookingRoutes } from './booking/index.ts';
import { estimationPresenters, estimationRoutes } from './estimation/index.ts';
import { identityPresenters, identityRoutes } from './identity/index.ts';
import { emailRoutes } from './messaging/emails.ts';
import { integrationPresenters, integrationRoutes } from './messaging/integrations.ts';
import { resendRoutes } from './messaging/resend.ts';
import { outboxRoutes } from './outbox.ts';

/** The query routes of every context, below /api/v1. */
export const routes: readonly ((app: App, deps: Deps) => unknown)[] = [
  accessRoutes,
  identityRoutes,
  outboxRoutes,
  bookingRoutes,
  estimationRoutes,
  integrationRoutes,
  emailRoutes,
  resendRoutes,
  auditRoutes,
  analyticsRoutes,
];

/** What the answers of single commands take from read models, by name of the command. */
export const presenters: Readonly<Record<string, Presenter>> = {
  ...identityPresenters,
  ...bookingPresenters,
  ...estimationPresenters,
  ...integrationPresenters,
};
