import { Kysely as Database, type Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type pg from 'pg';
import { StartupProblem } from '../startupProblem.ts';
import * as log from './001_log.ts';
import * as projections from './010_projections.ts';
import * as rateLimits from './020_rate_limits.ts';
import * as outbox from './030_outbox.ts';
import * as auditChain from './040_audit_chain.ts';
import * as outboxAccounts from './041_outbox_accounts.ts';
import * as apiKeyUses from './050_api_key_uses.ts';
import * as live from './060_live.ts';
import * as sessionPresence from './061_session_presence.ts';
import * as outboxConcerns from './070_outbox_concerns.ts';

/** Every migration by name, in order. Forward only: never edited or removed once released. */
const migrations: Readonly<Record<string, Migration>> = {
  '001_log': log,
  '010_projections': projections,
  '020_rate_limits': rateLimits,
  '030_outbox': outbox,
  '040_audit_chain': auditChain,
  '041_outbox_accounts': outboxAccounts,
  '050_api_key_uses': apiKeyUses,
  '060_live': live,
  '061_session_presence': sessionPresence,
  '070_outbox_concerns': outboxConcerns,
};

const applied = async (db: Kysely<unknown>): Promise<readonly string[]> => {
  const { rows } = await sql<{
    present: boolean;
  }>`select to_regclass('convene.migrations') is not null as present`.execute(db);
  if (!rows[0]?.present) return [];
  return (await sql<{ name: string }>`select name from convene.migrations order by name`.execute(db)).rows.map(
    (row) => row.name,
  );
};

/**
 * Brings the database to the schema that this code knows; several nodes at once are let through one after the other.
 * Throws StartupProblem when the database is of a newer schema.
 */
export const migrate = async (pool: pg.Pool): Promise<void> => {
  // No destroy at the end: that would end the pool, which is the caller's.
  const db = new Database<unknown>({ dialect: new PostgresDialect({ pool }) });
  const known = await applied(db);
  const unknown = known.filter((name) => !(name in migrations));
  if (unknown.length > 0)
    throw new StartupProblem(
      `The database has a newer schema than this version of Convene knows (${unknown.join(', ')}). Start the newer version.`,
    );
  // The library would go through the whole catalogue of the database to find out as much.
  if (known.length === Object.keys(migrations).length) return;
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
    migrationTableSchema: 'convene',
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
};
