import type { FastifyRequest } from 'fastify';
import { cacheOf } from '../cacheOf.ts';
import type { Position } from '../eventstore/port.ts';
import { START } from '../eventstore/port.ts';
import type { AnyProjection } from '../projections/projection.ts';
import type { Deps } from './app.ts';
import { Problem } from './problem.ts';

/** Accounts whose last write this process remembers. */
const ACCOUNTS = 50_000;

/** Lets every caller read what it wrote before. */
export type Consistency = {
  /** Remembers what an account wrote through this process. */
  readonly wrote: (accountId: string, position: Position) => void;
  /** The position that the caller is entitled to see: its last write here, or its Consistency-Token. Throws 400 on garbage. */
  readonly due: (request: FastifyRequest) => Position;
  /** Waits until the read models show what the caller is entitled to see. */
  readonly wait: (request: FastifyRequest, projections: readonly AnyProjection[]) => Promise<void> | undefined;
};

declare module 'fastify' {
  interface FastifyInstance {
    consistency: Consistency;
  }
}

const tokenOf = ({ headers }: FastifyRequest): Position => {
  const token = headers['consistency-token'];
  if (token === undefined) return START;
  if (typeof token !== 'string' || !/^\d{1,18}$/.test(token))
    throw new Problem('BAD_REQUEST', 'Consistency-Token must be one that a command answered with', {
      reason: 'consistency-token-malformed',
    });
  return BigInt(token);
};

export const createConsistency = ({ caughtUp }: Pick<Deps, 'caughtUp'>): Consistency => {
  const written = cacheOf<string, Position>(ACCOUNTS);
  const due = (request: FastifyRequest): Position => {
    const token = tokenOf(request);
    const own = request.caller === undefined ? undefined : written.get(request.caller.accountId);
    return own !== undefined && own > token ? own : token;
  };
  return {
    wrote: (accountId, position) => {
      const before = written.get(accountId);
      if (before === undefined || position > before) written.set(accountId, position);
    },
    due,
    wait: (request, projections) => {
      const position = due(request);
      return position === START ? undefined : caughtUp(projections, position);
    },
  };
};
