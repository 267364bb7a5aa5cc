import { type Kysely, sql } from 'kysely';

/** How far projections and policies have come, which streams they have set aside, and what operators want of them. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    create table convene.checkpoints (
      kind text not null check (kind in ('projection', 'policy')),
      name text not null,
      -- 'live': what queries read; 'build': the table that is being filled beside it.
      slot text not null default 'live' check (slot in ('live', 'build')),
      version integer not null,
      position bigint not null,
      -- Who may move it: a worker that finds another name here has been replaced.
      owner uuid,
      indexed boolean not null default false,
      -- An event was skipped: the read model is incomplete until its next rebuild.
      incomplete boolean not null default false,
      error text,
      updated_at timestamptz(3) not null default now(),
      primary key (kind, name, slot)
    ) with (fillfactor = 50)`.execute(db);

  await sql`
    create table convene.parked (
      id uuid not null,
      kind text not null,
      name text not null,
      slot text not null,
      stream text collate "C" not null,
      -- The event that failed; later ones of its stream wait behind it.
      revision integer not null,
      event_id uuid not null,
      position bigint not null,
      type text not null,
      error text not null,
      attempts integer not null,
      since timestamptz(3) not null default now(),
      -- When it is tried again by itself; null: an operator decides.
      next_attempt timestamptz(3),
      verdict text check (verdict in ('retry', 'skip')),
      primary key (kind, name, slot, stream),
      unique (id, slot),
      foreign key (kind, name, slot) references convene.checkpoints on update cascade on delete cascade
    )`.execute(db);

  await sql`
    create table convene.projection_control (
      name text primary key,
      paused boolean not null default false,
      rebuild boolean not null default false
    )`.execute(db);
};
