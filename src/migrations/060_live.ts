import { type Kysely, sql } from 'kysely';

/**
 * What the nodes share about live connections. Nothing of it is a fact worth keeping: tickets live for seconds, places
 * for as long as their node renews them. Hence unlogged: after a crash of the database all of them are free.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create unlogged table convene.live_tickets (
      hash bytea primary key,
      account_id uuid not null,
      session_id uuid not null,
      login_ends_at timestamptz(3) not null,
      expires_at timestamptz(3) not null
    )`.execute(db);
  await sql`create index on convene.live_tickets (expires_at)`.execute(db);
  await sql`
    create unlogged table convene.live_places (
      account_id uuid not null,
      place integer not null,
      node uuid not null,
      holder uuid not null,
      expires_at timestamptz(3) not null,
      primary key (account_id, place)
    )`.execute(db);
  await sql`create index on convene.live_places (node)`.execute(db);
};
