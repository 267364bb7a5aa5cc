import type { Position } from '../eventstore/port.ts';
import type { Progress } from './progress.ts';
import type { AnyProjection } from './projection.ts';

/** Milliseconds that a query waits for its read models. */
export const WAIT_MS = 2_000;

/** The read models do not yet show what the caller has a right to see. */
export class ReadModelBehind extends Error {
  override readonly name = 'ReadModelBehind';
  /** SQLSTATE of what is not ready yet: a policy that meets it tries again, and sets no event aside. */
  readonly code = '55000';
  /** Names of the projections that are behind. */
  readonly projections: readonly string[];
  /** Seconds after which to ask again. */
  readonly retryAfter: number;
  constructor(projections: readonly string[], retryAfter = 1) {
    super('The read model does not show the newest state yet');
    this.projections = projections;
    this.retryAfter = retryAfter;
  }
}

/** Waits until the projections have come to the position, at most `waitMs`; throws ReadModelBehind. */
export type CaughtUp = (projections: readonly Pick<AnyProjection, 'name'>[], position: Position) => Promise<void>;

export const createCaughtUp =
  (progress: Pick<Progress, 'reached' | 'of'>, waitMs: number = WAIT_MS): CaughtUp =>
  async (projections, position) => {
    const names = projections.map(({ name }) => name);
    if (await progress.reached(names, position, waitMs)) return;
    throw new ReadModelBehind(names.filter((name) => progress.of(name) < position));
  };
