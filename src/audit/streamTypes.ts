import type { AnyDecider } from '../commands/binding.ts';
import { appointmentRef, scheduleId } from '../domain/booking/ids.ts';
import { appointmentHistory } from '../domain/booking/schedule/events.ts';
import { deciders } from '../domain/catalogue.ts';
import { categoryOf, idOf } from '../eventstore/event.ts';

/** An event as far as its place and content matter here. */
export type Placed = { readonly type: string; readonly stream: string; readonly data: unknown };

/** A thing inside an aggregate's stream that has a history, version and state of its own. */
export type Entity = {
  readonly name: string;
  /** Category of the streams that hold such things. */
  readonly category: string;
  /** The id of the thing that an event of the category is about; undefined: it is about none. */
  readonly idIn: (event: Placed) => string | undefined;
  /** The stream of the thing when its id tells; undefined for an id that is none. */
  readonly streamOf?: (id: string) => string | undefined;
  /** What the aggregate's state says of the thing. */
  readonly stateIn: (state: unknown, id: string) => unknown;
};

const text = (data: unknown, name: string): string | undefined => {
  const value = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : undefined;
};
const own = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

const isOf = (names: readonly string[], type: string): boolean => names.includes(type);

const entities: readonly Entity[] = [
  {
    name: 'appointment',
    category: 'schedule',
    idIn: ({ type, data }) => (isOf(appointmentHistory, type) ? text(data, 'appointmentId') : undefined),
    streamOf: (id) => {
      const ref = appointmentRef(id);
      return ref && `schedule-${scheduleId(ref)}`;
    },
    stateIn: (state, id) => own(own(state, 'appointments'), id),
  },
  {
    name: 'story',
    category: 'estimationSession',
    idIn: ({ data }) => text(data, 'storyId'),
    stateIn: (state, id) => {
      const stories = own(state, 'stories');
      return Array.isArray(stories) ? stories.find((story) => own(story, 'id') === id) : undefined;
    },
  },
];

/** A kind of history that auditors may ask for: an aggregate's whole stream, or a thing inside it. */
export type StreamType = { readonly name: string; readonly decider: AnyDecider; readonly entity?: Entity };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const anyId = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,199}$/;
const forms: Readonly<Record<string, RegExp>> = {
  account: UUID,
  clientCalendar: UUID,
  estimationSession: UUID,
  loginSession: UUID,
  provider: UUID,
  schedule: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}~\d{4}-\d{2}-\d{2}$/,
  sessionHost: UUID,
  story: UUID,
  userAccess: UUID,
};

/** Whether an id has the form that ids of this kind have. */
export const isWellFormed = ({ decider, entity }: StreamType, id: string): boolean =>
  entity?.streamOf === undefined
    ? (forms[entity?.name ?? decider.category] ?? anyId).test(id)
    : entity.streamOf(id) !== undefined;

const aliases: Readonly<Record<string, string>> = { session: 'estimationSession' };
const byCategory = new Map((deciders as readonly AnyDecider[]).map((decider) => [decider.category, decider]));

const types = new Map<string, StreamType>();
for (const decider of byCategory.values()) types.set(decider.category, { name: decider.category, decider });
for (const entity of entities) {
  const decider = byCategory.get(entity.category);
  if (decider !== undefined) types.set(entity.name, { name: entity.name, decider, entity });
}
for (const [alias, name] of Object.entries(aliases)) {
  const type = types.get(name);
  if (type !== undefined) types.set(alias, type);
}

/** Every name that a stream type goes by. */
export const streamTypeNames = [...types.keys()].sort() as [string, ...string[]];
export const streamTypeOf = (name: string): StreamType | undefined => types.get(name);

const aboutAccounts: ReadonlySet<string> = new Set(['loginAttempts', 'accessDenial', 'requestRefusal']);

/** What an event is about: the thing inside the stream, the account concerned, or the aggregate. */
export const targetOf = (event: Placed): { readonly type: string; readonly id: string } => {
  const category = categoryOf(event.stream);
  for (const entity of entities) {
    const id = entity.category === category ? entity.idIn(event) : undefined;
    if (id !== undefined) return { type: entity.name, id };
  }
  const accountId = text(event.data, 'accountId');
  // These streams are named after a hash or a minute; what they are about is the account.
  if (aboutAccounts.has(category) && accountId !== undefined) return { type: 'account', id: accountId };
  return { type: category, id: idOf(event.stream) };
};

/** The account that an event concerns, apart from whoever acted. */
export const accountConcerned = (event: Placed): string | undefined =>
  text(event.data, 'accountId') ?? text(event.data, 'clientId') ?? text(event.data, 'participantId');
