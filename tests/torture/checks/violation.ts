import type { Entry } from '../ledger.ts';

/** An event as a check sees it: out of the log's own bytes, read past the service. */
export type LogEvent = {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly recordedAt: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: {
    readonly command: string;
    readonly commandId: string;
    readonly correlationId: string;
    readonly actor: string;
  };
};

/** A promise that was not kept, with the evidence. */
export type Violation = {
  /** Name of the check. */
  readonly check: string;
  readonly what: string;
  readonly events: readonly LogEvent[];
  readonly entry?: Entry;
};

const shownEvent = ({ position, stream, revision, type, id, recordedAt, data, metadata }: LogEvent): string =>
  `    ${position} ${stream}@${revision} ${type} ${id} ${recordedAt} ${JSON.stringify(data)} ${JSON.stringify(metadata)}`;

/** Attempts that are shown of a command: the first ones, and the last. */
const SHOWN_ATTEMPTS = 3;

const shownEntry = ({ id, kind, actor, key, asked, attempts }: Entry): string[] => [
  `    command ${id}: ${kind} by ${actor}${key === undefined ? '' : `, key ${key}`} ${JSON.stringify(asked)}`,
  ...attempts
    .filter((_, index) => index < SHOWN_ATTEMPTS || index === attempts.length - 1)
    .map(
      ({ correlationId, end, status, reason, replayed, token, data }) =>
        `      ${correlationId} ${end} ${status ?? '-'} ${reason ?? ''}${replayed ? ' replayed' : ''} token ${token ?? '-'} ${JSON.stringify(data).slice(0, 300)}`,
    ),
];

/** The violation with the exact events and requests, a line each. */
export const shown = ({ check, what, events, entry }: Violation): string =>
  [`  ${check}: ${what}`, ...events.map(shownEvent), ...(entry === undefined ? [] : shownEntry(entry))].join('\n');

/** A text field of an event; empty when it has none. */
export const textOf = ({ data }: Pick<LogEvent, 'data'>, field: string): string => {
  const value = data[field];
  return typeof value === 'string' ? value : '';
};
