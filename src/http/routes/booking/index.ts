import type { App, Deps } from '../../app.ts';
import { appointmentRoutes } from './appointments.ts';
import { calendarRoutes } from './calendar.ts';
import { calendarFeedRoutes, feedPresenters } from './calendarFeed.ts';
import { calendarFileRoutes } from './calendarFile.ts';
import { dashboardRoutes } from './dashboards.ts';
import { exportPresenters, exportRoutes } from './exports.ts';
import { providerRoutes } from './provider.ts';
import { waitingListRoutes } from './waitingLists.ts';

/** What can be read of booking, and the one address that changes an appointment. */
export const bookingRoutes = (app: App, deps: Deps): void => {
  dashboardRoutes(app, deps);
  appointmentRoutes(app, deps);
  providerRoutes(app, deps);
  calendarRoutes(app, deps);
  calendarFileRoutes(app, deps);
  calendarFeedRoutes(app, deps);
  exportRoutes(app, deps);
  waitingListRoutes(app, deps);
};

/** What the answers of booking's commands take from the edge. */
export const bookingPresenters = { ...feedPresenters, ...exportPresenters };
