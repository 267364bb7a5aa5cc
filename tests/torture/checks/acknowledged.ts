import { type Attempt, acknowledgementOf, type Entry, type Kind, type Ledger, MEANING } from '../ledger.ts';
import { type LogEvent, textOf, type Violation } from './violation.ts';

const CHECK = 'acknowledged';

/** Fields of an answer that must be those of the event: answer's name, event's name. */
const ANSWERED: Readonly<Partial<Record<Kind, readonly (readonly [string, string])[]>>> = {
  book: [
    ['id', 'appointmentId'],
    ['slotId', 'slotId'],
    ['startTime', 'startTime'],
  ],
  move: [
    ['id', 'appointmentId'],
    ['slotId', 'toSlotId'],
  ],
  cancel: [['id', 'appointmentId']],
  createSession: [['id', 'sessionId']],
  addStory: [['id', 'storyId']],
  open: [['round', 'round']],
  reveal: [['round', 'round']],
  restart: [['round', 'round']],
};

/** How commands ended, for the report. */
export type Outcomes = {
  readonly commands: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** Never answered, and of these, found in the log. */
  readonly unknown: number;
  readonly unknownStored: number;
  /** Answered with a failure first, stored all the same, and told so by a repeat. */
  readonly toldOnRepeat: number;
};

/**
 * Holds the ledger against the log: an acknowledged command has exactly one event of its kind, with what was asked for
 * and what was answered; one that was refused has none; one whose answer never came has at most one. Every repeat of an
 * Idempotency-Key got the first answer. No event of these kinds is in the log that nobody asked for.
 */
export const acknowledgedViolations = (
  { entries, planted }: Ledger,
  events: readonly LogEvent[],
): { readonly violations: Violation[]; readonly outcomes: Outcomes } => {
  const violations: Violation[] = [];
  const byCorrelation = Map.groupBy(
    events.filter(({ id }) => !planted.has(id)),
    ({ metadata }) => metadata.correlationId,
  );
  const claimed = new Set<string>();
  const count = { acknowledged: 0, refused: 0, unknown: 0, unknownStored: 0, toldOnRepeat: 0 };

  for (const entry of entries) {
    const found = eventsOf(entry, byCorrelation);
    for (const { id } of found) claimed.add(id);
    const say = (what: string): void => {
      violations.push({ check: CHECK, what, events: found, entry });
    };
    const acknowledgement = acknowledgementOf(entry);
    const [event] = found;
    if (found.length > 1) say(`one command is in the log ${found.length} times`);
    else if (acknowledgement !== undefined) {
      count.acknowledged += 1;
      if (event !== undefined) for (const problem of differences(entry, acknowledgement, event)) say(problem);
      else if (!MEANING[entry.kind].mayChangeNothing || !wasSo(entry, acknowledgement, events))
        say('an acknowledged command is not in the log');
      for (const problem of repeatProblems(entry, acknowledgement)) say(problem);
      const first = entry.attempts.find(({ correlationId }) => correlationId === event?.metadata.correlationId);
      if (first !== undefined && first.end === 'unknown') {
        count.toldOnRepeat += 1;
        if (!acknowledgement.replayed) say('a repeat of a stored command was not told to be one');
      }
    } else if (entry.attempts.at(-1)?.end === 'refused' && !lostRight(entry)) {
      count.refused += 1;
      if (event !== undefined) say('a refused command is in the log');
    } else {
      count.unknown += 1;
      if (event !== undefined) count.unknownStored += 1;
      if (entry.key !== undefined && !lostRight(entry)) say('a command with an Idempotency-Key never got an answer');
    }
  }

  const kinds = new Map(Object.values(MEANING).map(({ command, events: types }) => [command, new Set(types)]));
  for (const event of events)
    if (!claimed.has(event.id) && !planted.has(event.id) && kinds.get(event.metadata.command)?.has(event.type))
      if (!event.metadata.actor.startsWith('policy:') && !event.metadata.actor.startsWith('service:'))
        violations.push({ check: CHECK, what: 'an event that nobody asked for', events: [event] });
  return { violations, outcomes: { commands: entries.length, ...count } };
};

const LOST_RIGHT = 'permission-missing';

/** Who has lost the right since the first attempt is refused before anything else is looked at, a repeat too. */
const lostRight = ({ attempts }: Entry): boolean => attempts.length > 1 && attempts.at(-1)?.reason === LOST_RIGHT;

const eventsOf = (
  { kind, attempts }: Entry,
  byCorrelation: ReadonlyMap<string, readonly LogEvent[]>,
): readonly LogEvent[] => {
  const { command, events } = MEANING[kind];
  return attempts.flatMap(({ correlationId }) =>
    (byCorrelation.get(correlationId) ?? []).filter(
      ({ type, metadata }) => metadata.command === command && events.includes(type),
    ),
  );
};

function* differences({ kind, actor, asked }: Entry, told: Attempt, event: LogEvent): Generator<string> {
  const { data, metadata, position } = event;
  if (metadata.actor !== actor) yield `stored as the command of ${metadata.actor}`;
  for (const [field, value] of Object.entries(asked))
    if (data[field] !== undefined && data[field] !== value) yield `${field} was asked as ${value}, stored otherwise`;
  for (const [answered, stored] of ANSWERED[kind] ?? [])
    if (told.data[answered] !== data[stored])
      yield `${answered} was answered as ${told.data[answered]}, stored otherwise`;
  if (told.token === undefined) yield 'acknowledged without a Consistency-Token';
  else if (told.token < position) yield `the Consistency-Token ${told.token} lies before the event at ${position}`;
}

/** Whether a command that changed nothing asked for what was so at the position of its answer. */
const wasSo = ({ kind, actor, asked }: Entry, { token = 0n }: Attempt, events: readonly LogEvent[]): boolean => {
  const past = events.filter(({ position }) => position <= token);
  if (kind === 'join')
    return past.some(
      (event) =>
        event.type === 'ParticipantJoined' &&
        textOf(event, 'sessionId') === asked.sessionId &&
        textOf(event, 'participantId') === actor,
    );
  if (kind === 'move') {
    const last = past.findLast(
      (event) =>
        (event.type === 'AppointmentBooked' || event.type === 'AppointmentRescheduled') &&
        textOf(event, 'appointmentId') === asked.appointmentId,
    );
    return last !== undefined && (textOf(last, 'toSlotId') || textOf(last, 'slotId')) === asked.toSlotId;
  }
  const last = past.findLast(
    (event) =>
      textOf(event, 'sessionId') === asked.sessionId &&
      (event.type === 'VotingRestarted' ||
        event.type === 'VotingOpened' ||
        (event.type.startsWith('Vote') && textOf(event, 'participantId') === actor)),
  );
  return last !== undefined && textOf(last, 'value') === asked.value;
};

/** Of the answers to one key: all acknowledgements tell the same, and all but the first say that they repeat. */
function* repeatProblems({ attempts }: Entry, first: Attempt): Generator<string> {
  const later = attempts.slice(attempts.indexOf(first) + 1);
  for (const attempt of later) {
    if (attempt.end === 'refused' && attempt.reason !== LOST_RIGHT)
      yield `a repeat of an acknowledged command was refused: ${attempt.reason}`;
    if (attempt.end !== 'acknowledged') continue;
    if (!attempt.replayed) yield 'a repeat of an acknowledged command was not told to be one';
    if (JSON.stringify(attempt.data) !== JSON.stringify(first.data)) yield 'a repeat got another answer than the first';
    if (attempt.version !== first.version) yield `a repeat got version ${attempt.version} instead of ${first.version}`;
  }
}
