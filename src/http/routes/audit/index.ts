import type { App, Deps } from '../../app.ts';
import { accessLogRoutes } from './accessLog.ts';
import { logRoutes } from './logs.ts';
import { streamRoutes } from './streams.ts';

/** What auditors read: entries, histories, states of the past, and the access log. */
export const auditRoutes = (app: App, deps: Deps): void => {
  logRoutes(app, deps);
  streamRoutes(app, deps);
  accessLogRoutes(app, deps);
};
