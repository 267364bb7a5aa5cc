import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { cacheOf } from '../cacheOf.ts';
import { gathered } from '../gathered.ts';
import type { MasterKeys } from '../masterKeys.ts';

/** The data keys of persons (and things): one AES-256 key each, stored wrapped, gone for good once erased. */
export type KeyRing = {
  /** The key of each subject, made when it has none. `null`: erased, and never to have one again. */
  readonly toSeal: (subjects: readonly string[]) => Promise<ReadonlyMap<string, Buffer | null>>;
  /** The key of each subject; `null`: erased or never made. */
  readonly toOpen: (subjects: readonly string[]) => Promise<ReadonlyMap<string, Buffer | null>>;
  /** Destroys a subject's key. What was sealed under it can never be read again. */
  readonly erase: (subject: string) => Promise<void>;
  /** Reads and writes nothing more under the key of a subject that is being erased, though it may not be destroyed yet. */
  readonly forget: (subject: string) => void;
};

type Row = { readonly subject: string; readonly wrapped: Buffer | null };

const CACHED = 20_000;
/** Milliseconds within which the key of a forgotten subject is destroyed. */
const FORGOTTEN_MS = 10 * 60_000;
/** Milliseconds that a key is used again without a look whether another node has destroyed it. */
const CACHED_MS = 30_000;

/** Keys in table `convene.subject_keys`. */
export const keyRing = (pool: pg.Pool, master: MasterKeys): KeyRing => {
  const cache = cacheOf<string, Buffer>(CACHED, CACHED_MS);
  const forgotten = cacheOf<string, true>(CACHED, FORGOTTEN_MS);

  const learn = (rows: readonly Row[], into: Map<string, Buffer | null>): void => {
    for (const { subject, wrapped } of rows) {
      const key = wrapped === null ? null : master.unwrap(wrapped, subject);
      into.set(subject, key);
      if (key !== null) cache.set(subject, key);
    }
  };

  const read = async (subjects: readonly string[], into: Map<string, Buffer | null>): Promise<void> => {
    const { rows } = await pool.query<Row>(
      'select subject, wrapped from convene.subject_keys where subject = any($1)',
      [subjects],
    );
    learn(rows, into);
  };

  const cached = (subjects: readonly string[]) => {
    const found = new Map<string, Buffer | null>();
    const missing: string[] = [];
    for (const subject of new Set(subjects)) {
      if (forgotten.has(subject)) {
        found.set(subject, null);
        continue;
      }
      const key = cache.get(subject);
      if (key === undefined) missing.push(subject);
      else found.set(subject, key);
    }
    return { found, missing };
  };

  /** Two nodes may both make one; the first to be stored is the key. Subjects in one order, so that nodes never wait for each other. */
  const keyToSeal = gathered(async (subjects) => {
    const ordered = [...subjects].sort();
    const fresh = ordered.map((subject) => master.wrap(randomBytes(32), subject));
    const { rows } = await pool.query<Row>(
      `with made as (
         insert into convene.subject_keys (subject, wrapped) select * from unnest($1::text[], $2::bytea[])
         on conflict do nothing returning subject, wrapped)
       select subject, wrapped from made
       union all select subject, wrapped from convene.subject_keys where subject = any($1)`,
      [ordered, fresh],
    );
    const found = new Map<string, Buffer | null>();
    learn(rows, found);
    // Stored by another node while this statement ran: its snapshot is too old to show it.
    const unseen = ordered.filter((subject) => !found.has(subject));
    if (unseen.length > 0) await read(unseen, found);
    return found;
  });

  return {
    toSeal: async (subjects) => {
      const { found, missing } = cached(subjects);
      const keys = await Promise.all(missing.map(keyToSeal));
      missing.forEach((subject, at) => {
        const key = keys[at];
        if (key !== undefined) found.set(subject, key);
      });
      return found;
    },
    toOpen: async (subjects) => {
      const { found, missing } = cached(subjects);
      if (missing.length === 0) return found;
      await read(missing, found);
      for (const subject of missing) if (!found.has(subject)) found.set(subject, null);
      return found;
    },
    erase: async (subject) => {
      cache.delete(subject);
      await pool.query(
        `insert into convene.subject_keys (subject, wrapped, erased_at) values ($1, null, now())
         on conflict (subject) do update set wrapped = null, erased_at = now()`,
        [subject],
      );
      cache.delete(subject);
    },
    forget: (subject) => {
      forgotten.set(subject, true);
      cache.delete(subject);
    },
  };
};
