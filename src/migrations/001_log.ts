import { type Kysely, sql } from 'kysely';

/**
 * The event log of the Postgres adapter, the keys of persons, and snapshots.
 *
 * `log.head` has one row. Whoever appends locks it until the commit, so positions are handed out, committed and seen in
 * one and the same order, without gaps.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`create schema if not exists log`.execute(db);
  await sql`create schema if not exists read`.execute(db);
  await sql`create schema if not exists convene`.execute(db);

  await sql`
    create table log.events (
      position bigint primary key,
      stream text collate "C" not null,
      revision integer not null,
      id uuid not null unique,
      type text collate "C" not null,
      recorded_at timestamptz(3) not null,
      data text not null,
      metadata text not null,
      unique (stream, revision)
    ) with (fillfactor = 100)`.execute(db);
  await sql`alter table log.events alter column data set storage external, alter column metadata set storage external`.execute(
    db,
  );

  await sql`
    create table log.head (
      only_row boolean primary key default true check (only_row),
      position bigint not null,
      incarnation uuid not null default gen_random_uuid()
    ) with (fillfactor = 10)`.execute(db);
  await sql`insert into log.head (position) values (0)`.execute(db);

  await sql`
    create function log.append(
      streams text[], expected integer[], counts integer[],
      ids uuid[], types text[], data text[], metadata text[],
      out stored boolean, out revision integer, out "position" bigint
    ) returns setof record
    language plpgsql
    as $$
    declare
      tail bigint;
    begin
      -- One append on its own, all that a quiet service sees, by the shortest way: the batch below takes as long to judge
      -- one append as this takes to store it.
      if cardinality(streams) = 1 then
        -- From here to the commit nobody else appends. The statements below see what the former holder committed.
        update log.head h set position = h.position + counts[1] returning h.position into strict "position";
        insert into log.events (position, stream, revision, id, type, recorded_at, data, metadata)
        select "position" - counts[1] + n, streams[1], expected[1] + n, ids[n], types[n],
               clock_timestamp(), data[n], metadata[n]
        from generate_series(1, counts[1]) n
        where expected[1] = coalesce((select e.revision from log.events e where e.stream = streams[1]
                                      order by e.revision desc limit 1), -1)
          and not exists (select from log.events e where e.id = any(ids));
        stored := found;
        if stored then
          revision := expected[1] + counts[1];
          perform pg_notify('convene_log', "position"::text);
        else
          update log.head h set position = h.position - counts[1];
          "position" := null;
          revision := coalesce((select e.revision from log.events e where e.stream = streams[1]
                                order by e.revision desc limit 1), -1);
        end if;
        return next;
        return;
      end if;

      -- As above.
      select h.position into strict tail from log.head h for update;

      return query
      with wanted as (
        select a.ordinal, a.stream, a.expected, a.count, a.skipped,
               coalesce((select e.revision from log.events e where e.stream = a.stream
                         order by e.revision desc limit 1), -1) as current,
               exists (select from log.events e
                       where e.id = any(ids[a.skipped + 1 : a.skipped + a.count])) as known
        from (
          select u.*, (sum(u.count) over (order by u.ordinal) - u.count)::integer as skipped
          from unnest(streams, expected, counts) with ordinality as u(stream, expected, count, ordinal)
        ) a
      ),
      judged as materialized (
        select w.*, tail + sum(case when w.ok then w.count else 0 end) over (order by w.ordinal) as upto
        from (
          -- Of several that fit one stream the first is stored; the others have come too late.
          select f.*, f.fits and row_number() over (partition by f.stream, f.fits order by f.ordinal) = 1 as ok
          from (select a.*, a.current = a.expected and not a.known as fits from wanted a) f
        ) w
      ),
      inserted as (
        insert into log.events (position, stream, revision, id, type, recorded_at, data, metadata)
        select j.upto - j.count + n, j.stream, j.expected + n, ids[j.skipped + n], types[j.skipped + n],
               clock_timestamp(), data[j.skipped + n], metadata[j.skipped + n]
        from judged j, generate_series(1, j.count) n
        where j.ok
        order by 1
      ),
      moved as (
        update log.head h set position = t.upto
        from (select max(j.upto) as upto from judged j where j.ok) t
        where t.upto is not null
        returning pg_notify('convene_log', h.position::text)
      )
      select j.ok,
             case when j.ok then j.expected + j.count
                  else greatest(j.current, (select k.expected + k.count from judged k
                                         where k.stream = j.stream and k.ok and k.ordinal < j.ordinal))
             end,
             case when j.ok then j.upto::bigint end
      from judged j
      order by j.ordinal;
    end
    $$`.execute(db);

  await sql`
    create table convene.subject_keys (
      subject text primary key,
      -- Null once erased: the row stays, so that no new key is ever made for an erased person.
      wrapped bytea,
      created_at timestamptz not null default now(),
      erased_at timestamptz
    )`.execute(db);

  await sql`
    create table convene.snapshots (
      stream text collate "C" primary key,
      revision integer not null,
      position bigint not null,
      size integer not null,
      fingerprint text not null,
      state text not null,
      commands text not null,
      taken_at timestamptz not null default now()
    )`.execute(db);
};
