import type { z } from 'zod';

/** Event types and the schema of their current data. */
export type Schemas = Readonly<Record<string, z.ZodType>>;

/** The union of the events that a table of schemas describes. */
export type EventOf<S extends Schemas> = {
  [T in keyof S & string]: { readonly type: T; readonly data: z.output<S[T]> };
}[keyof S & string];

/** What a field reads as once the key of its person is destroyed. */
export const ERASED = 'deleted';

/** The event behind which nothing can be read any more of the person whom its `accountId` names. */
export const ERASURE = 'AccountErased';

/**
 * Marks a field as personal: it is stored encrypted under the key of the person whom the event's own field `subject`
 * names. The schema must accept a string, because an erased field reads as {@link ERASED}.
 */
export const pii = <S extends z.ZodType>(subject: string, schema: S): S => schema.meta({ pii: subject }) as S;

/** Marks a field that leaves the service in no answer, export or state: hashes of secrets, salts, wrapped secrets. */
export const secret = <S extends z.ZodType>(schema: S): S => schema.meta({ secret: true }) as S;

/** Who acts. Permissions are the effective ones at the moment of the decision; `*:*` stands for all. */
export type Actor = {
  /** Account id, or the name of the part of the service that acts. */
  readonly id: string;
  readonly kind: 'user' | 'api_key' | 'system' | 'anonymous';
  readonly permissions: readonly string[];
  /** Whether the account has a verified address; always true for the system. */
  readonly verified: boolean;
  /** The login session that the request came with. */
  readonly sessionId?: string;
};

/** Whether the actor holds the permission by its exact name or by `*:*`. */
export const can = (actor: Pick<Actor, 'permissions'>, permission: string): boolean =>
  actor.permissions.includes(permission) || actor.permissions.includes('*:*');

/** What a rule may know beside its input and state. Everything random or timed comes from here, so rules stay pure. */
export type Context<Facts = unknown> = {
  readonly now: Date;
  readonly actor: Actor;
  /** Names the command; the same command repeated has the same id. Source of the ids of new entities, see {@link Context.newId}. */
  readonly commandId: string;
  /** A UUID that belongs to this command and label: the same again when the command is repeated. */
  readonly newId: (label: string) => string;
  /** 128 random bits in hexadecimal, fresh at every decision and unknown to everybody. */
  readonly entropy: string;
  /** What the binding read before the decision. */
  readonly facts: Facts;
};

/** Codes of the error envelope that a rule may answer with. */
export type RejectionCode =
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'VALIDATION_ERROR'
  | 'ACCOUNT_LOCKED'
  | 'RATE_LIMIT_EXCEEDED'
  | 'SERVICE_UNAVAILABLE';

/** A refusal: the envelope's code, a stable finer reason that clients and metrics tell apart, and words for a person. */
export type Rejection = {
  readonly code: RejectionCode;
  readonly reason: string;
  readonly message: string;
  /** The input field to blame, with dots (`weekly.0.start`). */
  readonly field?: string;
  /** Seconds after which a repeat may succeed. */
  readonly retryAfter?: number;
};

export const reject = (code: RejectionCode, reason: string, message: string, field?: string): Rejection => ({
  code,
  reason,
  message,
  ...(field === undefined ? {} : { field }),
});

/** An older shape of an event: its schema, and the step to the next shape. Proved on its golden file, never edited. */
export type OlderShape = {
  readonly schema: z.ZodType;
  /** From data of this shape to data of the next one. */
  readonly upcast: (data: never) => unknown;
};

/** An aggregate: the events of its stream, what its rules need to know of them, and how one follows from the other. */
export type Decider<State, Event extends { readonly type: string; readonly data: unknown }> = {
  /** Streams are called `<category>-<id>`; no hyphen in the category. */
  readonly category: string;
  readonly events: Schemas;
  /** Former shapes by event type, oldest first. The current schema version is their number plus one. */
  readonly older?: Readonly<Record<string, readonly OlderShape[]>>;
  /** Plain JSON, and without personal data: states are cached and written to snapshots. */
  readonly initial: State;
  readonly evolve: (state: State, event: Event) => State;
};

export const decider = <State, Event extends { readonly type: string; readonly data: unknown }>(
  of: Decider<State, Event>,
): Decider<State, Event> => of;

/** A decision: a name, what it takes, and the rule that answers with events, with none, or with a refusal. */
export type Command<
  Name extends string,
  Input extends z.ZodType,
  State,
  Event extends { readonly type: string; readonly data: unknown },
  Facts = unknown,
> = {
  readonly name: Name;
  readonly input: Input;
  readonly rule: (input: z.output<Input>, state: State, context: Context<Facts>) => readonly Event[] | Rejection;
  readonly decider: Decider<State, Event>;
};

/** The constructor of one aggregate's commands: its state and events need not be named again. */
export const commandsOf =
  <State, Event extends { readonly type: string; readonly data: unknown }>(of: Decider<State, Event>) =>
  <Name extends string, Input extends z.ZodType, Facts = unknown>(
    name: Name,
    input: Input,
    rule: Command<Name, Input, State, Event, Facts>['rule'],
  ): Command<Name, Input, State, Event, Facts> => ({ name, input, rule, decider: of });
