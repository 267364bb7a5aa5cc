import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { AnyBinding } from '../commands/binding.ts';
import type { Commands } from '../commands/pipeline.ts';
import type { Config } from '../config.ts';
import type { Codec } from '../eventstore/codec.ts';
import type { Fact, Feed } from '../eventstore/feed.ts';
import type { EventStore, Position } from '../eventstore/port.ts';
import type { Circuit } from '../integrations/circuit.ts';
import type { Metrics } from '../metrics.ts';
import type { ReadModels } from '../projections/index.ts';
import type { AnyProjection } from '../projections/projection.ts';
import type { ProjectionStatus } from '../projections/status.ts';
import type { Secrets } from '../secrets.ts';

import type { Presence } from './presence.ts';

/** What an account may do and how much of it, as the read model knows it now. */
export type Rights = {
  /** Effective permissions; `*:*` stands for all. */
  readonly permissions: readonly string[];
  /** All roles, inherited ones excluded. */
  readonly roles: readonly string[];
  readonly plan: string;
  /** Has a verified address or telephone number. */
  readonly verified: boolean;
  /** False once deactivated or erased. */
  readonly active: boolean;
};

/** The rights of accounts, from a cache that ends with the events that change them. Undefined: no such account. */
export type RightsOf = {
  readonly of: (accountId: string) => Rights | undefined | Promise<Rights | undefined>;
};

/** Login sessions: whether the session of an access token is its account's, and was neither revoked nor ended. */
export type Sessions = {
  readonly alive: (sessionId: string, accountId: string) => boolean | Promise<boolean>;
};

/** An API key that was recognised. */
export type ApiKey = { readonly keyId: string; readonly accountId: string; readonly permissions: readonly string[] };
/** API keys by their clear value. Undefined: unknown, expired or revoked. */
export type ApiKeys = { readonly of: (value: string) => Promise<ApiKey | undefined> };

/** Everything that routes need. Made once, in src/service.ts. */
export type Deps = {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly pool: Pool;
  readonly db: Kysely<ReadModels>;
  readonly store: EventStore;
  /** Opens what lies in the store; for auditors and resumed live updates. */
  readonly codec: Codec;
  readonly feed: Feed;
  readonly commands: Commands;
  readonly bindings: readonly AnyBinding[];
  /** Waits until the projections have come to the position, at most 2 s; throws ReadModelBehind. */
  readonly caughtUp: (projections: readonly AnyProjection[], position: Position) => Promise<void>;
  /** How far every projection has come, whichever process runs it. */
  readonly progress: () => Promise<readonly ProjectionStatus[]>;
  /** Of the outside services that this process calls. */
  readonly circuits: readonly Pick<Circuit, 'service' | 'state'>[];
  readonly rights: RightsOf;
  /** Lets whatever is kept in memory know of an event before it is asked; it hears of all events sooner or later. */
  readonly noticed?: (event: Fact) => void;
  readonly sessions: Sessions;
  readonly apiKeys?: ApiKeys;
  readonly presence: Pick<Presence, 'seen' | 'onChange'>;
};
