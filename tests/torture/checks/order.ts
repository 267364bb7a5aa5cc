import type { LogEvent, Violation } from './violation.ts';

const CHECK = 'order';

/**
 * Positions rise without repeats (in the Postgres log, `dense`, also without holes from 1 up to `head`); revisions of each
 * stream count from 0 without holes; no id occurs twice.
 */
export const orderViolations = (
  events: readonly LogEvent[],
  { dense, head }: { readonly dense: boolean; readonly head: bigint },
): Violation[] => {
  const violations: Violation[] = [];
  const say = (what: string, ...evidence: readonly (LogEvent | undefined)[]): void => {
    violations.push({ check: CHECK, what, events: evidence.filter((event) => event !== undefined) });
  };
  const last = new Map<string, LogEvent>();
  const ids = new Map<string, LogEvent>();
  let before: LogEvent | undefined;
  for (const event of events) {
    const position = before?.position ?? 0n;
    if (event.position <= position) say(`position ${event.position} follows ${position}`, before, event);
    else if (dense && event.position !== position + 1n)
      say(`positions ${position + 1n} to ${event.position - 1n} are missing`, before, event);
    const inStream = last.get(event.stream);
    const expected = inStream === undefined ? 0 : inStream.revision + 1;
    if (event.revision !== expected)
      say(`${event.stream} has revision ${event.revision} where ${expected} is due`, inStream, event);
    const twin = ids.get(event.id);
    if (twin !== undefined) say(`two events have the id ${event.id}`, twin, event);
    last.set(event.stream, event);
    ids.set(event.id, event);
    before = event;
  }
  if (dense && head !== (before?.position ?? 0n))
    say(`the head is ${head}, the last event lies at ${before?.position ?? 0n}`, before);
  return violations;
};
