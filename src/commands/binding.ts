import type { z } from 'zod';
import type { ContextName } from '../domain/access/permissions.ts';
import type { Actor, Command, Decider, Rejection, RejectionCode } from '../domain/decider.ts';
import type { Fact, KeyedHash, Reads } from './reads.ts';

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a command did. `data` is the answer for the caller; it is the same when the command is repeated. */
export type Done = {
  readonly ok: true;
  readonly stream: string;
  /** Of the stream's last event that the answer knows; undefined when the stream does not exist. */
  readonly revision: number | undefined;
  /** Of the object that the command addresses, see {@link Binding.version}; the ETag. */
  readonly version: number | undefined;
  /** A read model that has come this far shows what the command did. START when nothing was ever stored. */
  readonly position: bigint;
  readonly data: unknown;
  /** The first answer to this Idempotency-Key, given again. */
  readonly replayed: boolean;
};
/** Codes of refusals that the pipeline adds to those of the rules. */
export type RefusalCode = RejectionCode | 'PRECONDITION_FAILED' | 'IDEMPOTENCY_KEY_REUSED' | 'PAYLOAD_TOO_LARGE';
export type Refused = {
  readonly ok: false;
  readonly code: RefusalCode;
  /** Stable, kebab-case; documented in the API reference. */
  readonly reason: string;
  readonly message: string;
  /** The fields to blame, with dots. */
  readonly details: readonly { readonly field: string; readonly message: string }[];
  /** Seconds after which a repeat may succeed. */
  readonly retryAfter?: number;
  /** An event tells of the refusal already: nothing more is to be recorded of it. */
  readonly recorded?: true;
};
export type Outcome = Done | Refused;

/** What a binding's answer may speak of. */
export type Result<Input, State, Event> = {
  readonly input: Input;
  /** The aggregate right after the command. */
  readonly state: State;
  /** What the command stored, personal fields in the clear; empty when it changed nothing. */
  readonly events: readonly Event[];
  readonly id: string;
  /** Of the aggregate right after the command; -1 when it does not exist. */
  readonly revision: number;
  readonly actor: Actor;
};

/**
 * Runs one further command as a step of a longer one, for the same actor and cause. Steps are not remembered by the
 * caller's key, so their rules must be safe to repeat by themselves.
 */
export type Step = <Name extends string, Input extends z.ZodType, State, Event extends Fact, Facts>(
  command: Command<Name, Input, State, Event, Facts>,
  id: string,
  input: z.input<Input>,
  facts?: Facts,
) => Promise<Outcome>;

/** Where a request came from: its address and what the client calls itself. Empty for what the service issues itself. */
export type Origin = { readonly ip: string; readonly userAgent: string };

/** What a command over several streams works with. */
export type Run<Input, Facts = never> = {
  readonly input: Input;
  readonly actor: Actor;
  readonly origin: Origin;
  readonly commandId: string;
  readonly newId: (label: string) => string;
  readonly entropy: () => string;
  readonly reads: Reads;
  readonly step: Step;
  /** Destroys the key of a person or thing for good: what is sealed under it can never be read again. May be repeated. */
  readonly destroyKey: (subject: string) => Promise<void>;
  /** The plain way: judges the binding's own stream and remembers the caller's key. Facts given replace those of the binding. */
  readonly judge: (input?: Input, facts?: Facts) => Promise<Outcome>;
};

/** Who may issue a command, before its own rule is asked. A permission of the catalogue; or any login; or anyone. */
export type Access = 'anyone' | 'loggedIn' | `${string}:${string}`;

export type Binding<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  State = unknown,
  Event extends Fact = Fact,
  Facts = unknown,
  Answer extends z.ZodType = z.ZodType,
> = {
  readonly command: Command<Name, Input, State, Event, Facts>;
  /**
   * Where it is called below /api/v1; path parameters are fields of the input. Several are several spellings of the
   * same. None: only `POST /commands/<Name>`, or a route of its own that chooses among several commands.
   */
  readonly path?: `${Method} /${string}` | readonly `${Method} /${string}`[];
  readonly access: Access;
  /** Reachable by accounts without a verified address too (identity's own pages). */
  readonly unverified?: true;
  /** API keys are accepted on top of access tokens: any, or those that hold this permission. */
  readonly apiKey?: true | `${string}:${string}`;
  /** Takes a secret that could be guessed: counted strictly by address and route. */
  readonly credential?: true;
  /** Makes a file: counts among the few an hour that an account may have made in this context. */
  readonly exports?: ContextName;
  /** Issued by policies, timers and steps alone; unknown over HTTP. */
  readonly internal?: true;
  /** HTTP status of success; 200 when omitted. */
  readonly status?: 200 | 201 | 202;
  /** Completes the input from the log before anything else: a code becomes an id, a default is filled in. */
  readonly resolve?: (input: z.output<Input>, reads: Reads, actor: Actor) => Promise<z.output<Input> | Rejection>;
  /** The id of the stream that the command is judged against. A new aggregate takes `newId`. */
  readonly stream: (
    input: z.output<Input>,
    context: { readonly actor: Actor; readonly newId: (label: string) => string; readonly hash: KeyedHash },
  ) => string;
  /**
   * The version of the object that the path names, when that is not the stream itself: an entity inside it. Undefined
   * when there is no such object. `If-Match` is held against it, and it is the answer's ETag.
   */
  readonly version?: (state: State, input: z.output<Input>) => number | undefined;
  /** What the rule must know of other streams. */
  readonly facts?: (
    input: z.output<Input>,
    reads: Reads,
    context: { readonly actor: Actor; readonly id: string },
  ) => Promise<Facts>;
  /**
   * Replaces the plain way (judge one stream, append to it) where a command needs several streams. `judge` is the plain
   * way and remembers the caller's key; steps before and after it reserve and give back.
   */
  readonly process?: (run: Run<z.output<Input>, Facts>) => Promise<Outcome>;
  /**
   * What the caller is told: its schema for the API document, and how it follows from what happened; `of` is left out
   * where the edge makes the answer of what the process hands it, such as an access token.
   */
  readonly answer?: {
    readonly schema: Answer;
    readonly of?: (result: Result<z.output<Input>, State, Event>) => z.input<Answer>;
  };
  /** A sentence for the person who asked, where the data of the answer tell nothing. */
  readonly message?: string;
  /** One line for the API document. */
  readonly summary: string;
  /** A body for the API document that would be accepted. */
  readonly example: unknown;
};

/** A decider, command and binding whose types are of no interest: what tables of them hold, each checked where it was made. */
export type AnyDecider = Omit<Decider<unknown, Fact>, 'evolve'> & {
  readonly evolve: (state: never, event: never) => unknown;
};
export type AnyCommand = {
  readonly name: string;
  readonly input: z.ZodType;
  readonly rule: (input: never, state: never, context: never) => readonly Fact[] | Rejection;
  readonly decider: AnyDecider;
};
export type AnyBinding = Pick<
  Binding,
  | 'path'
  | 'access'
  | 'unverified'
  | 'apiKey'
  | 'credential'
  | 'exports'
  | 'internal'
  | 'status'
  | 'message'
  | 'summary'
  | 'example'
> & {
  readonly command: AnyCommand;
  readonly resolve?: (input: never, reads: Reads, actor: Actor) => Promise<unknown>;
  readonly stream: (
    input: never,
    context: { readonly actor: Actor; readonly newId: (label: string) => string; readonly hash: KeyedHash },
  ) => string;
  readonly version?: (state: never, input: never) => number | undefined;
  readonly facts?: (
    input: never,
    reads: Reads,
    context: { readonly actor: Actor; readonly id: string },
  ) => Promise<unknown>;
  readonly process?: (run: never) => Promise<Outcome>;
  readonly answer?: { readonly schema: z.ZodType; readonly of?: (result: never) => unknown };
};

/** Ties a command to where it is called, who may, and which stream it judges. */
export const bind = <
  Name extends string,
  Input extends z.ZodType,
  State,
  Event extends Fact,
  Facts,
  Answer extends z.ZodType = z.ZodType,
>(
  command: Command<Name, Input, State, Event, Facts>,
  to: Omit<Binding<Name, Input, State, Event, Facts, Answer>, 'command'>,
): Binding<Name, Input, State, Event, Facts, Answer> => ({ command, ...to });

/** A command that only policies, timers, steps and the start of the service issue; nobody can over HTTP. */
export const internal = <Name extends string, Input extends z.ZodType, State, Event extends Fact, Facts>(
  command: Command<Name, Input, State, Event, Facts>,
  stream: Binding<Name, Input, State, Event, Facts>['stream'],
  more: Pick<Binding<Name, Input, State, Event, Facts>, 'facts' | 'process'> = {},
): Binding<Name, Input, State, Event, Facts> =>
  bind(command, {
    access: 'anyone',
    internal: true,
    stream,
    summary: 'Issued by the service itself',
    example: {},
    ...more,
  });
