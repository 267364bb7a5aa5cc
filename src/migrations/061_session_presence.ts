import { type Kysely, sql } from 'kysely';

/**
 * Who was last seen in which estimation session: leases, shared between processes and kept beside the log, because
 * coming and going of connections is no fact that anybody decides upon. Losing them costs nothing but one heartbeat.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create unlogged table convene.session_presence (
      session_id uuid not null,
      account_id uuid not null,
      seen_at timestamptz not null,
      present boolean not null,
      woke boolean not null,
      primary key (session_id, account_id)
    )`.execute(db);
  await sql`create index session_presence_seen on convene.session_presence (present, seen_at)`.execute(db);
};
