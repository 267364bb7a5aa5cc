import { type Kysely, sql } from 'kysely';

/**
 * The hash chain over the log: one row for each event, in log order, whichever store holds the log. The head says where
 * the next row goes on; rows and head move in one statement.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table convene.audit_chain (
      position bigint primary key,
      event_id uuid not null,
      digest bytea not null,
      hash bytea not null
    ) with (fillfactor = 100)`.execute(db);
  await sql`alter table convene.audit_chain alter column digest set storage plain, alter column hash set storage plain`.execute(
    db,
  );
  await sql`
    create table convene.audit_chain_head (
      only_row boolean primary key default true check (only_row),
      position bigint not null,
      hash bytea not null,
      events bigint not null
    ) with (fillfactor = 10)`.execute(db);
  await sql`
    insert into convene.audit_chain_head (position, hash, events)
    values (0, decode(repeat('00', 32), 'hex'), 0)`.execute(db);
};
