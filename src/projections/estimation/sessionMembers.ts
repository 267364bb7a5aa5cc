import type { Kysely } from 'kysely';
import type { Recorded } from '../../eventstore/event.ts';
import type { ReadModels } from '../index.ts';
import { projection, type RowOf, text, uuid } from '../projection.ts';

const columns = {
  /** `<session>~<participant>`. */
  member_id: text,
  session_id: uuid,
  participant_id: uuid,
  role: text,
  /** in, left or removed. */
  membership: text,
};
export type SessionMember = RowOf<typeof columns>;

const memberId = (sessionId: string, participantId: string): string => `${sessionId}~${participantId}`;

type Event = Recorded<
  | 'ParticipantJoined'
  | 'ParticipantRejoined'
  | 'ParticipantLeft'
  | 'ParticipantRemoved'
  | 'ParticipantRoleChanged'
  | 'FacilitatorTransferred'
>;
const keysOf = ({ type, data }: Event): string | readonly string[] =>
  type === 'FacilitatorTransferred'
    ? [memberId(data.sessionId, data.from), memberId(data.sessionId, data.to)]
    : memberId(data.sessionId, data.participantId);

type Arrival = { readonly data: { readonly sessionId: string; readonly participantId: string; readonly role: string } };
const arrived = (
  _row: SessionMember | undefined,
  { data: { sessionId, participantId, role } }: Arrival,
): SessionMember => ({
  member_id: memberId(sessionId, participantId),
  session_id: sessionId,
  participant_id: participantId,
  role,
  membership: 'in',
});

/** Who is or was in which estimation session, and as what: the way from an account to its sessions. */
export const sessionMembers = projection({
  name: 'session_members',
  version: 1,
  columns,
  key: { column: 'member_id', of: keysOf },
  indexes: [['participant_id'], ['session_id']],
  fold: {
    ParticipantJoined: arrived,
    ParticipantRejoined: arrived,
    ParticipantLeft: (row) =>
      row && { ...row, membership: 'left', role: row.role === 'facilitator' ? 'voter' : row.role },
    ParticipantRemoved: (row) => row && { ...row, membership: 'removed' },
    ParticipantRoleChanged: (row, { data }) => row && { ...row, role: data.role },
    FacilitatorTransferred: (row, { data }) =>
      row && { ...row, role: row.participant_id === data.to ? 'facilitator' : 'voter' },
  },
});

/** The ids of the sessions not yet completed in which an account is. */
export const openSessionIds = async (db: Kysely<ReadModels>, accountId: string): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('session_members')
    .innerJoin('estimation_sessions', 'estimation_sessions.session_id', 'session_members.session_id')
    .where('participant_id', '=', accountId)
    .where('membership', '=', 'in')
    .where('estimation_sessions.status', 'not in', ['completed', 'expired', 'archived'])
    .select('session_members.session_id')
    .execute();
  return rows.map(({ session_id }) => session_id);
};
