import type { ExportedSpan, RequestedExport } from '../domain/booking/appointmentExport.ts';
import type { Decider } from '../domain/decider.ts';
import type { SignIn } from '../domain/identity/signIn.ts';
import type { Pattern, Sign } from '../domain/identity/suspicion.ts';
import type { Connectors } from '../domain/messaging/connector.ts';
import type { Capability, Provider } from '../domain/messaging/offers.ts';
import type { Envelope } from '../eventstore/event.ts';
import type { Passwords } from './passwords.ts';

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

/** One aggregate with everything that has happened to it up to now: what `load` gives may lack what another process did. */
export const newest = async <State, Event extends Fact>(
  { history }: Pick<Reads, 'history'>,
  decider: Decider<State, Event>,
  id: string,
): Promise<State> => (await history(decider, id)).reduce(decider.evolve, decider.initial);
