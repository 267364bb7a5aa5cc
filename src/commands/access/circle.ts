import { ADMINISTRATORS_ID, administrators, type SuspensionFacts } from '../../domain/access/administrators.ts';
import { ADMIN_ROLE_ID } from '../../domain/access/systemRoles.ts';
import { isCounted, userAccess } from '../../domain/access/userAccess.ts';
import { newest, type Reads } from '../reads.ts';

type Needs = Pick<Reads, 'history'>;

/** The assignment that makes an account an administrator for good, as the log says now. */
export const suspensionFacts = async (reads: Needs, accountId: string): Promise<SuspensionFacts> => {
  const held = (await newest(reads, userAccess, accountId)).assignments[ADMIN_ROLE_ID];
  return { assignmentId: held !== undefined && isCounted(ADMIN_ROLE_ID, held) ? held.assignmentId : undefined };
};

/** Whether an account has yet to leave the circle of administrators before it may be closed. */
export const isOrMayBeCounted = async (reads: Needs, accountId: string): Promise<boolean> => {
  const { assignmentId } = await suspensionFacts(reads, accountId);
  const { members, suspended, released } = await newest(reads, administrators, ADMINISTRATORS_ID);
  if (members[accountId] !== undefined) return true;
  const left = [suspended[accountId], ...(released[accountId] ?? [])];
  return assignmentId !== undefined && !left.includes(assignmentId);
};
