import type { Actor } from '../domain/decider.ts';
import type { AnyBinding, Outcome, Reads } from './binding.ts';

/** A command on its way: who wants it and how it came. */
export type Request = {
  /** As it came in; parsed by the command's schema. */
  readonly input: unknown;
  readonly actor: Actor;
  readonly correlationId: string;
  /** The event (or command) that led to this one. */
  readonly causationId?: string;
  readonly traceparent?: string;
  /** The caller's Idempotency-Key. */
  readonly idempotencyKey?: string;
  /** Fixed by policies and timers, so that a repeat is recognised; otherwise derived from the key, or random. */
  readonly commandId?: string;
  /** The revision that `If-Match` names: refused with PRECONDITION_FAILED when the aggregate is at another. */
  readonly ifMatch?: number;
  /** Aborted when the caller went away or the deadline passed: a command not yet decided is then dropped (throws Abandoned). */
  readonly signal?: AbortSignal;
};

/** The caller went away before the command was decided. Nothing was stored. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

export type Commands = {
  /** Parses, loads, decides, appends. Refusals are answers. Throws Abandoned and the errors of the event-store port. */
  readonly execute: (binding: AnyBinding, request: Request) => Promise<Outcome>;
  readonly reads: Reads;
};
