import type { Fact } from '../feed.ts';
import type { Position } from '../port.ts';
import type { Effects } from './checkpoint.ts';

/**
 * Handles events in order, and leaves nothing in memory. Throws Poison for an event that cannot be handled; anything else
 * it throws is an outage (tried again without end) unless Postgres refused the data.
 */
export type Handle = (events: readonly Fact[]) => Promise<void>;

/** Handles events in memory and tells what is to be written for them, now or later. */
export type Handler = {
  /** Takes all of these events or, when it throws, none; throws what {@link Handle} throws. */
  readonly take: Handle;
  /**
   * What is to be written, together with the position, for everything that was taken since it was written last; made one
   * by one, since much of it may take much memory.
   */
  readonly effects: () => Iterable<Effects>;
  /** Told that the effects are durable. */
  readonly written: () => void;
  /** Whether what was taken is to be written before more is. */
  readonly full: () => boolean;
  /** Forgets whatever it has in memory. What comes next follows this durable position. */
  readonly reset: (position: Position) => void;
};

/** Of something that writes nothing with its position. */
export const atOnce = (handle: Handle): Handler => ({
  take: handle,
  effects: () => [],
  written: () => {},
  full: () => true,
  reset: () => {},
});
