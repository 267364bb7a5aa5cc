import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { ReadModels } from '../index.ts';
import { json, projection, type RowOf, uuid } from '../projection.ts';

const columns = {
  account_id: uuid,
  /** The name chosen for a session, by session. */
  names: json<Readonly<Record<string, string>>>(),
};
export type SessionNames = RowOf<typeof columns>;

type Named = {
  readonly data: {
    readonly sessionId: string;
    readonly participantId: string;
    readonly displayName?: string | undefined;
  };
};
const chosen = (
  row: SessionNames | undefined,
  { data: { sessionId, participantId, displayName } }: Named,
): SessionNames | undefined =>
  displayName === undefined ? row : { account_id: participantId, names: { ...row?.names, [sessionId]: displayName } };

/** The names that people chose for single sessions: all names of one person in one row, so that it can be blanked. */
export const sessionNames = projection({
  name: 'session_names',
  version: 2,
  columns,
  key: { column: 'account_id', of: ({ data }) => data.participantId },
  erasure: { column: 'account_id', row: (row) => ({ ...row, names: {} }) },
  fold: { ParticipantJoined: chosen, ParticipantRejoined: chosen },
});

/** What people are called in a session: the name chosen for it, else that of the profile. */
export const namesIn = async (
  db: Kysely<ReadModels>,
  sessionId: string,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  if (accountIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('accounts')
    .leftJoin('session_names', 'session_names.account_id', 'accounts.account_id')
    .where('accounts.account_id', 'in', [...accountIds])
    .select(['accounts.account_id', 'accounts.display_name'])
    .select(sql<string | null>`session_names.names ->> ${sessionId}`.as('chosen'))
    .execute();
  return new Map(
    rows.flatMap(({ account_id, display_name, chosen }): [string, string][] => {
      const name = chosen ?? display_name;
      return name === null ? [] : [[account_id, name]];
    }),
  );
};
