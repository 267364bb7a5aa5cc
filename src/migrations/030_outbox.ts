import { type Kysely, sql } from 'kysely';

/**
 * Messages that no outside service took, because none is configured. In production rows hold no content and no address,
 * only a masked one and its keyed hash.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table convene.outbox (
      id bigint generated always as identity primary key,
      channel text not null,
      recipient text not null,
      recipient_hash text not null,
      template text not null,
      subject text,
      body_text text,
      body_html text,
      status text not null,
      dedupe_key text not null unique,
      at timestamptz(3) not null default now()
    )`.execute(db);
  await sql`create index outbox_recipient on convene.outbox (recipient_hash, id desc)`.execute(db);
};
