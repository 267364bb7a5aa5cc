import type { App, Deps } from '../app.ts';
import { appointmentRoutes } from './booking/appointments.ts';
import { calendarRoutes } from './booking/calendar.ts';
import { calendarFeedRoutes, feedPresenters } from './booking/calendarFeed.ts';
import { calendarFileRoutes } from './booking/calendarFile.ts';
import { dashboardRoutes } from './booking/dashboards.ts';
import { exportPresenters, exportRoutes } from './booking/exports.ts';
import { providerRoutes } from './booking/provider.ts';
import { waitingListRoutes } from './booking/waitingLists.ts';

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
