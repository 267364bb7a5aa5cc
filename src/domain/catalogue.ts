import type { EventOf } from './decider.ts';
import { session, events as sessionEvents } from './estimation/session/index.ts';
import { sessionCode, events as sessionCodeEvents } from './estimation/sessionCode.ts';
import { sessionHost, events as sessionHostEvents } from './estimation/sessionHost.ts';

/** Every aggregate of the service. */
export const deciders = [session, sessionCode, sessionHost] as const;

/** Every event of the service. Type names are unique across aggregates. */
export const catalogue = { ...sessionEvents, ...sessionCodeEvents, ...sessionHostEvents };

export type AnyEvent = EventOf<typeof catalogue>;
export type EventType = AnyEvent['type'];
