import { catalogue } from '../domain/catalogue.ts';
import type { Recorded } from '../eventstore/event.ts';
import { type Marks, marksOf } from './marks.ts';
import { MASK, masked, type SecretStandIn, secretStandIns } from './masking.ts';
import type { StreamType } from './streamTypes.ts';

const marks: ReadonlyMap<string, Marks> = new Map(
  Object.entries(catalogue).map(([type, schema]) => [type, marksOf(schema)]),
);

/**
 * Cards that lie face down. They are masked instead of left out, so that it stays visible who played; the reveal has an
 * event of its own that shows what may be shown.
 */
const cards: ReadonlySet<string> = new Set(['VoteCast', 'VoteChanged']);

/**
 * The data of an event as an auditor sees them: personal fields masked without clearance, secrets left out (or replaced
 * by `standIn`) for everybody, cards never shown.
 */
export const shownData = (
  event: Pick<Recorded, 'type' | 'data'>,
  personal: boolean,
  standIn?: SecretStandIn,
): unknown => {
  const shown = masked(marks.get(event.type), event.data, personal, standIn);
  return cards.has(event.type) ? { ...(shown as object), value: MASK } : shown;
};

/** Which past of a thing is meant: the events up to a version, or up to an instant (inclusive), or all of them. */
export type Moment = { readonly version?: number | undefined; readonly asOf?: string | undefined };

/** A thing as it was: what the rules of today read from its events so far. */
export type PastState = { readonly state: unknown; readonly version: number; readonly at: string };

/** The events of a stream that belong to the history asked for: all, or those about one thing inside it. */
export const ownEvents = ({ entity }: StreamType, id: string, events: readonly Recorded[]): readonly Recorded[] =>
  entity === undefined ? events : events.filter((event) => entity.idIn(event) === id);

/**
 * The state at a moment, folded from masked events, so that it shows no more than they do. `events` are those of the
 * whole stream. Undefined: there was no such thing at that moment, or the version lies past its end.
 */
export const stateAt = (
  type: StreamType,
  id: string,
  events: readonly Recorded[],
  { version, asOf }: Moment,
  personal: boolean,
): PastState | undefined => {
  const own = ownEvents(type, id, events);
  const until = asOf === undefined ? own : own.filter(({ recordedAt }) => recordedAt <= asOf);
  const reached = version ?? until.length - 1;
  const last = until[reached];
  if (last === undefined) return undefined;

  const { standIn, without } = secretStandIns();
  let state: unknown = type.decider.initial;
  for (const event of events) {
    if (event.revision > last.revision) break;
    const shown = { ...event, data: shownData(event, personal, standIn) };
    state = type.decider.evolve(state as never, shown as never);
  }
  const of = type.entity === undefined ? state : type.entity.stateIn(state, id);
  return { state: without(JSON.parse(JSON.stringify(of ?? null))), version: reached, at: last.recordedAt };
};
