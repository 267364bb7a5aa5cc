import { type Kysely, sql } from 'kysely';

/** Whom else a message tells about, so that it goes when that account is erased too. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`alter table convene.outbox add column concerns text[] not null default '{}'`.execute(db);
};
