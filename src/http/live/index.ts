import type { App, Deps } from '../app.ts';
import { audiences } from './audiences.ts';
import { kinds } from './kinds.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { createLive, type Live } from './live.ts';
import { createLogins, type Logins } from './logins.ts';
import { createPlaces } from './places.ts';
import { createRelay } from './relay.ts';
import { createTickets, type Tickets } from './tickets.ts';

export { registerServerSentEvents } from './serverSentEvents.ts';
export { ticketRoute } from './ticketRoute.ts';
export { registerWebSocket } from './webSocket.ts';

/** Live updates with the ways to log in to them. */
export type LiveUpdates = { readonly live: Live; readonly logins: Logins; readonly tickets: Tickets };

/** Starts to follow the log for live updates; ends with the application. */
export const startLive = async (app: App, deps: Deps, limits: Limits = defaultLimits): Promise<LiveUpdates> => {
  const { feed, store, codec, commands, log, pool, rights } = deps;
  const tickets = createTickets(pool);
  const logins = createLogins(app.auth, tickets);
  const live = await createLive({
    kinds,
    feed,
    store,
    codec,
    reads: commands.reads,
    limits,
    standing: logins.standing,
    activeOf: async (accountId) => (await rights.of(accountId))?.active,
    observe: (event) => deps.noticed?.(event),
    places: (local) =>
      createPlaces({
        pool,
        local,
        limit: limits.connectionsPerAccount,
        onError: (err) => log.warn({ err }, 'places of live connections could not be kept for all nodes'),
      }),
    relay: (heard) =>
      createRelay({ pool, heard, onError: (err) => log.warn({ err }, 'a live message did not reach all nodes') }),
    audiences: (tell) => audiences.map((audienceOf) => audienceOf(deps, tell)),
    onError: (err) => log.warn({ err }, 'live updates could not read the log or a right; trying again'),
  });
  app.addHook('onClose', live.close);
  return { live, logins, tickets };
};
