import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Aggregate, Trace } from './aggregates.ts';

/** States of long streams, so that a cold load need not read them whole. A cache: it may be emptied at any time. */
export type Snapshots = {
  readonly load: (stream: string) => Promise<Aggregate | undefined>;
  /** Keeps the newer one. */
  readonly save: (stream: string, aggregate: Aggregate) => Promise<void>;
};

/**
 * Names the rules that made a state: the content of every file of the domain. A snapshot of other rules is not used,
 * so nobody has to remember a version number when a fold changes.
 */
export const domainFingerprint = async (folder: URL = new URL('../domain/', import.meta.url)): Promise<string> => {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  const hash = createHash('sha256');
  for (const content of await Promise.all(names.map((name) => readFile(new URL(name, folder))))) hash.update(content);
  return hash.digest('hex');
};

type Row = {
  readonly revision: number;
  readonly position: string;
  readonly state: string;
  readonly commands: string;
  readonly size: number;
};

/** Snapshots in table `convene.snapshots`; states hold no personal data. */
export const postgresSnapshots = (pool: pg.Pool, fingerprint: string): Snapshots => ({
  load: async (stream) => {
    const { rows } = await pool.query<Row>({
      name: 'snapshot_load',
      text: 'select revision, position, state, commands, size from convene.snapshots where stream = $1 and fingerprint = $2',
      values: [stream, fingerprint],
    });
    const row = rows[0];
    if (row === undefined) return undefined;
    return {
      state: JSON.parse(row.state),
      revision: row.revision,
      position: BigInt(row.position),
      commands: new Map(JSON.parse(row.commands) as [string, Trace][]),
      size: row.size,
    };
  },
  save: async (stream, { state, revision, position, commands, size }) => {
    await pool.query(
      `insert into convene.snapshots (stream, revision, position, fingerprint, state, commands, size)
       values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (stream) do update set (revision, position, fingerprint, state, commands, size, taken_at) =
         (excluded.revision, excluded.position, excluded.fingerprint, excluded.state, excluded.commands, excluded.size, now())
       where snapshots.revision < excluded.revision or snapshots.fingerprint <> excluded.fingerprint`,
      [stream, revision, position.toString(), fingerprint, JSON.stringify(state), JSON.stringify([...commands]), size],
    );
  },
});
