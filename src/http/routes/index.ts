import type { App, Deps } from '../app.ts';
import type { Presenter } from '../commandRoutes.ts';
import { auditRoutes } from './audit/index.ts';
import { bookingRoutes } from './booking.ts';
import { estimationPresenters, estimationRoutes } from './estimation.ts';

/** The query routes of every context, below /api/v1. */
export const routes: readonly ((app: App, deps: Deps) => unknown)[] = [bookingRoutes, estimationRoutes, auditRoutes];

/** What the answers of single commands take from read models, by name of the command. */
export const presenters: Readonly<Record<string, Presenter>> = { ...estimationPresenters };
