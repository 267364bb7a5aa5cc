import type { EventOf } from './decider.ts';

/** Every aggregate of the service. */
export const deciders = [] as const;

/** Every event of the service. Type names are unique across aggregates. */
export const catalogue = {};

export type AnyEvent = EventOf<typeof catalogue>;
export type EventType = AnyEvent['type'];
