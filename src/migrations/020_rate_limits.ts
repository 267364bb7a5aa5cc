import { type Kysely, sql } from 'kysely';

/**
 * Requests counted by caller and slice of time, shared by all processes. Unlogged: after a crash of the database
 * everyone starts at nothing, which a limit can bear.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create unlogged table convene.rate_limits (
      key text collate "C" not null,
      slot bigint not null,
      count integer not null,
      expires_at timestamptz not null,
      primary key (key, slot)
    ) with (fillfactor = 70)`.execute(db);
  await sql`create index rate_limits_expires_at on convene.rate_limits (expires_at)`.execute(db);

  // One decision at a time for each key, so that of many requests at once no more pass than the limit lets through.
  await sql`
    create function convene.rate_limit_admit(
      of_key text, of_slot bigint, slots integer, most integer, slot_seconds integer,
      out admitted boolean, out used integer, out oldest bigint
    )
    language plpgsql
    set search_path = ''
    as $$
    begin
      perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(of_key, 20));
      select coalesce(sum(r.count), 0), min(r.slot) into used, oldest
      from convene.rate_limits r
      where r.key = of_key and r.slot > of_slot - slots and r.count > 0;
      admitted := used < most;
      if admitted then
        insert into convene.rate_limits as r (key, slot, count, expires_at)
        values (of_key, of_slot, 1, pg_catalog.now() + (slots + 1) * slot_seconds * interval '1 second')
        on conflict on constraint rate_limits_pkey do update set count = r.count + 1;
        used := used + 1;
        oldest := coalesce(oldest, of_slot);
      end if;
    end $$`.execute(db);
};
