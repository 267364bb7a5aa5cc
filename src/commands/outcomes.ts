import type { Rejection } from '../domain/decider.ts';
import type { Outcome, RefusalCode, Refused } from './binding.ts';

/** A rejection, by a rule or on the way to it, as the outcome of a command. */
export const refused = ({
  code,
  reason,
  message,
  field,
  retryAfter,
}: Omit<Rejection, 'code'> & { readonly code: RefusalCode }): Refused => ({
  ok: false,
  code,
  reason,
  message,
  details: field === undefined ? [] : [{ field, message }],
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

/** The first outcome, made to wait for the last of all positions: who reads after it sees what every step did. */
export const latest = (first: Outcome, ...steps: readonly Outcome[]): Outcome => {
  if (!first.ok) return first;
  const position = steps.reduce(
    (last, outcome) => (outcome.ok && outcome.position > last ? outcome.position : last),
    first.position,
  );
  return { ...first, position };
};

/** How often a command of several streams is begun anew when one of them has moved on under its feet. */
const ATTEMPTS = 3;

/** Begins anew while the answer is that others were faster. */
export const uncontended = async (attempt: () => Promise<Outcome>): Promise<Outcome> => {
  for (let tried = 1; ; tried += 1) {
    const outcome = await attempt();
    if (outcome.ok || outcome.reason !== 'contended' || tried === ATTEMPTS) return outcome;
  }
};

/** The caller went away before the command was decided. Nothing was stored. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}
