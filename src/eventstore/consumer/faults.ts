import type { FeedEvent } from '../feed.ts';
import { OutcomeUnknown, StoreUnavailable } from '../port.ts';

/** One event cannot be handled, whatever is tried: its stream is set aside and everything else goes on. */
export class Poison extends Error {
  override readonly name = 'Poison';
  readonly event: FeedEvent;
  constructor(event: FeedEvent, cause: unknown) {
    super(`Event ${event.revision} of ${event.stream} cannot be handled`, { cause });
    this.event = event;
  }
}

/** Another worker has taken over the checkpoint. Nothing was written; whoever gets this stops. */
export class Replaced extends Error {
  override readonly name = 'Replaced';
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Whether Postgres refused the values themselves: SQLSTATE classes 22 (data) and 23 (integrity). */
export const isDataFault = (error: unknown): boolean => /^2[23][0-9A-Z]{3}$/.test(codeOf(error));

/** SQLSTATE classes: connection, rollback, resources, operator intervention, system, object not in state; and sockets. */
const OUTAGE = /^(?:(?:08|40|53|57|58|55)[0-9A-Z]{3}|E[A-Z]{3,})$/;

/** Whether store or database are out of reach for the moment, which says nothing about the event being handled. */
export const isOutage = (error: unknown): boolean =>
  error instanceof StoreUnavailable ||
  error instanceof OutcomeUnknown ||
  OUTAGE.test(codeOf(error)) ||
  (error instanceof Error && /connection|timeout|terminated/i.test(error.message) && codeOf(error) === '') ||
  (error instanceof AggregateError && error.errors.some(isOutage));

/** What an operator may read about a failure: its class and code. Messages are left out, they can quote personal data. */
export const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return 'Error';
  const code = codeOf(error);
  if (code !== '') return `${error.name} ${code}`;
  return 'kind' in error && typeof error.kind === 'string' ? `${error.name} (${error.kind})` : error.name;
};
