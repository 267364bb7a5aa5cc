import { type Kysely, sql } from 'kysely';

/** Whose message it is, so that it goes when the account is erased. Absent from messages that concern no account. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`alter table convene.outbox add column account_id text`.execute(db);
  await sql`create index outbox_account on convene.outbox (account_id)`.execute(db);
};
