import { type Kysely, sql } from 'kysely';

/** When a key was used last, about to the minute. Kept beside the log: a use is no fact that anybody decides upon. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table convene.api_key_uses (
      key_id uuid primary key,
      last_used_at timestamptz(3) not null
    )`.execute(db);
};
