import type { App, Deps } from '../../app.ts';
import { bookingAnalyticsRoutes } from './booking.ts';
import { estimationAnalyticsRoutes } from './estimation.ts';

/** Figures of what happened, from read models. */
export const analyticsRoutes = (app: App, deps: Deps): void => {
  bookingAnalyticsRoutes(app, deps);
  estimationAnalyticsRoutes(app, deps);
};
