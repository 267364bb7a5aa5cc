import type { z } from 'zod';
import type { ContextName } from '../domain/access/permissions.ts';
import type { ExportedSpan, RequestedExport } from '../domain/booking/appointmentExport.ts';
import type { Actor, Command, Decider, Rejection, RejectionCode } from '../domain/decider.ts';
import type { SignIn } from '../domain/identity/signIn.ts';
import type { Pattern, Sign } from '../domain/identity/suspicion.ts';
import type { Connectors } from '../domain/messaging/connector.ts';
import type { Capability, Provider } from '../domain/messaging/offers.ts';
import type { Envelope } from '../eventstore/event.ts';
import type { Passwords } from './passwords.ts';

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Any event, where its exact type does not matter. */
export type Fact = { readonly type: string; readonly data: unknown };

/** The current state of one aggregate, and the revision of its last event (undefined: no such stream). */
export type Loaded<State> = { readonly state: State; readonly revision: number | undefined };

/** Where an event lies in the whole log, when it got there, and what it came of. */
export type Occurrence = Pick<Envelope, 'position' | 'recordedAt' | 'metadata'>;

/**
 * What bindings may ask before a decision. Everything here reads the log itself, save `lookups`: questions that only
 * read models answer and where a late answer does no harm.
 */
export type Reads = {
  readonly load: <State, Event extends Fact>(decider: Decider<State, Event>, id: string) => Promise<Loaded<State>>;
  /**
   * Everything that has happened to one aggregate up to now, whichever process did it, personal fields in the clear: for
   * what no state may hold, and for decisions that another process's newest event would change. Positions are places in
   * the whole log; `metadata` tells which events came of one command.
   */
  readonly history: <State, Event extends Fact>(
    decider: Decider<State, Event>,
    id: string,
  ) => Promise<readonly (Event & Occurrence)[]>;
  /** One event of an aggregate as the log has it, personal fields in the clear; undefined: there is none. */
  readonly opened: <State, Event extends Fact>(
    decider: Decider<State, Event>,
    id: string,
    revision: number,
  ) => Promise<Event | undefined>;
  readonly lookups: Lookups;
  readonly now: () => Date;
  /** Keyed hash (HMAC-SHA-256, hexadecimal) of a value that must not be guessed by trial; another purpose, another hash. */
  readonly hash: KeyedHash;
  /** Password hashes, made and compared off the event loop. */
  readonly passwords: Passwords;
  /** The providers that people may sign in with. */
  readonly signIn: SignIn;
  /** The providers that accounts are connected to. */
  readonly connectors: Connectors;
  /** Whether text messages can leave the service just now, or can at least be read in its outbox. */
  readonly textable: () => boolean;
  /** The address that is to be the first administrator's; absent where configuration names none. */
  readonly adminEmail?: string | undefined;
};

/** Keyed hash (HMAC-SHA-256, hexadecimal) of a value that must not be guessed by trial; another purpose, another hash. */
export type KeyedHash = (purpose: string, value: string) => string;

/** Questions to read models; answered by `src/projections/lookups.ts`. */
export type Lookups = {
  /** Ids of the providers that accept bookings, at most `limit`. */
  readonly activeProviders: (limit: number) => Promise<readonly string[]>;
  /** Ids of the login sessions of an account that have begun before the call and still count. */
  readonly livingSessions: (accountId: string) => Promise<readonly string[]>;
  /** Ids of the estimation sessions not yet completed that an account takes part in, by all that was stored before the call. */
  readonly openEstimationSessions: (accountId: string) => Promise<readonly string[]>;
  /** Who is in an estimation session but has shown no sign of life for a while. */
  readonly absentFrom: (sessionId: string) => Promise<readonly string[]>;
  /** When the last event of an estimation session was stored, and how many there were with it; as far as is known. */
  readonly lastActivityOf: (
    sessionId: string,
  ) => Promise<{ readonly changes: number; readonly at: string } | undefined>;
  /** Ids of open estimation sessions in which nothing has happened since the instant, at most `limit`. */
  readonly idleEstimationSessions: (before: Date, limit: number) => Promise<readonly string[]>;
  /** Ids of estimation sessions that ended before the instant and are not archived, at most `limit`. */
  readonly endedEstimationSessions: (before: Date, limit: number) => Promise<readonly string[]>;
  /** How many login sessions of all accounts still count. */
  readonly countLivingSessions: () => Promise<number>;
  /** The latest signs of a suspicious pattern that concern a subject, oldest first, as far as they are known. */
  readonly signsOf: (pattern: Pattern, subject: string) => Promise<readonly Sign[]>;
  /** Whose API key it is, by everything that was stored before the call. */
  readonly ownerOfApiKey: (keyId: string) => Promise<string | undefined>;
  /** Whether an account holds the role by an assignment that lies in the log before the position. */
  readonly isAssigned: (roleId: string, before: bigint) => Promise<boolean>;
  /** The connections of an account to outside accounts that were begun before the call, those that have ended too; oldest first. */
  readonly integrationsOf: (accountId: string) => Promise<readonly KnownIntegration[]>;
  /** Appointments of an account that are still to end, as client or provider, by all that was stored before the call. */
  readonly upcomingAppointments: (accountId: string) => Promise<readonly string[]>;
  /** Ids of the providers whose waiting lists an account is on, by all that was stored before the call. */
  readonly waitedFor: (accountId: string) => Promise<readonly string[]>;
  /** What was written to calendars by an integration and not removed since, by all that was stored before the call. */
  readonly calendarEventsOf: (integrationId: string) => Promise<readonly WrittenEvent[]>;
  /** How many appointments a file would have now. */
  readonly countExport: (wanted: ExportedSpan) => Promise<number>;
  /** What a file of appointments would come to now: how many, and bytes. */
  readonly measureExport: (wanted: RequestedExport) => Promise<{ readonly rows: number; readonly fileSize: number }>;
};

/** A connection to an outside account, as far as it is known. */
export type KnownIntegration = {
  readonly integrationId: string;
  readonly provider: Provider;
  readonly status: 'active' | 'needs_reconnect' | 'revoked';
  /** Granted and not given up. */
  readonly scopes: readonly string[];
  readonly capabilities: readonly Capability[];
};

/** An event in an outside calendar. */
export type WrittenEvent = {
  readonly appointmentId: string;
  readonly party: 'client' | 'provider';
  readonly eventId: string;
};

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
  'path' | 'access' | 'unverified' | 'apiKey' | 'credential' | 'exports' | 'internal' | 'status' | 'summary' | 'example'
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
