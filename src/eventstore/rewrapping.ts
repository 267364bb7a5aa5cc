import type pg from 'pg';
import type { MasterKeys } from '../masterKeys.ts';

/** What became of the stored keys. */
export type Rewrapped = {
  /** Now wrapped by the present master key, and not before. */
  readonly rewrapped: number;
  readonly already: number;
  /** Neither the present nor the former master key opens them; left as they are. */
  readonly unreadable: number;
};

type Row = { readonly subject: string; readonly wrapped: Buffer };

const PAGE = 1_000;

const readable = ({ subject, wrapped }: Row, master: MasterKeys): Buffer | undefined => {
  try {
    return master.unwrap(wrapped, subject);
  } catch {
    return undefined;
  }
};

/**
 * Wraps every stored key by the present master key, so that the former one is needed no longer. Services may go on
 * meanwhile: a key that is erased in between stays erased. The keys themselves, and what is sealed under them, do not
 * change. Repeating it goes on where it was interrupted.
 */
export const rewrapKeys = async (
  pool: pg.Pool,
  master: MasterKeys,
  progress: (done: number) => void = () => {},
): Promise<Rewrapped> => {
  const found = { rewrapped: 0, already: 0, unreadable: 0 };
  for (let after = ''; ; ) {
    const { rows } = await pool.query<Row>(
      `select subject, wrapped from convene.subject_keys
       where wrapped is not null and subject > $1 order by subject limit ${PAGE}`,
      [after],
    );
    const last = rows.at(-1);
    if (last === undefined) return found;
    const former = rows.filter(({ wrapped }) => !master.isPresent(wrapped));
    const opened = former.flatMap((row) => {
      const key = readable(row, master);
      return key === undefined ? [] : [{ ...row, anew: master.wrap(key, row.subject) }];
    });
    const { rowCount } = await pool.query(
      `update convene.subject_keys k set wrapped = g.anew
       from unnest($1::text[], $2::bytea[], $3::bytea[]) as g(subject, former, anew)
       where k.subject = g.subject and k.wrapped = g.former`,
      [opened.map(({ subject }) => subject), opened.map(({ wrapped }) => wrapped), opened.map(({ anew }) => anew)],
    );
    found.rewrapped += rowCount ?? 0;
    found.already += rows.length - former.length;
    found.unreadable += former.length - opened.length;
    after = last.subject;
    progress(found.rewrapped + found.already + found.unreadable);
  }
};
