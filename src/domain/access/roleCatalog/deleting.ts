import { z } from 'zod';
import { type Actor, commandsOf, type Rejection, reject } from '../../decider.ts';
import { uuid } from '../../fields.ts';
import { type EditorFacts, notEditable } from './checks.ts';
import { childrenOf, type RoleCatalog, roleCatalog } from './state.ts';

/*
 * Who holds a role lies in the streams of accounts, of which no append here can know. So a role is deleted in two steps:
 * first it is closed, then it is looked whether somebody was given it before that, in the order of the log. What was
 * assigned after it sees the role closed when it looks again, and is withdrawn by whoever assigned it.
 */

const command = commandsOf(roleCatalog);

const notDeletable = (roleId: string, state: RoleCatalog, actor: Actor, facts: EditorFacts): Rejection | undefined => {
  const refused = notEditable(roleId, state, actor, facts);
  if (refused !== undefined) return refused;
  if (state.roles[roleId]?.system)
    return reject('CONFLICT', 'system-role', 'A role that the service brings along cannot be deleted');
  if (childrenOf(state.roles, roleId).length > 0)
    return reject('CONFLICT', 'role-inherited', 'Other roles inherit from this role');
  return undefined;
};

/** Closes a role that is to be deleted. A deletion that somebody else has begun comes to nothing. */
export const beginRoleDeletion = command(
  'BeginRoleDeletion',
  z.object({ roleId: uuid, deletionId: uuid }),
  (data, state, { actor, facts }: { actor: Actor; facts: EditorFacts }) => {
    const refused = notDeletable(data.roleId, state, actor, facts);
    if (refused !== undefined) return refused;
    return state.roles[data.roleId]?.deletionId === data.deletionId ? [] : [{ type: 'RoleDeletionBegun', data }];
  },
);

/** Opens a role again whose deletion did not come about. */
export const abandonRoleDeletion = command(
  'AbandonRoleDeletion',
  z.object({ roleId: uuid, deletionId: uuid }),
  (data, { roles }) =>
    roles[data.roleId]?.deletionId === data.deletionId ? [{ type: 'RoleDeletionAbandoned', data }] : [],
);

/** What DeleteRole must know of other streams. */
export type DeletionFacts = EditorFacts & {
  /** The deletion that closed the role for this command. */
  readonly deletionId: string;
  /** Whether an account holds the role that was given it before it was closed. */
  readonly assigned: boolean;
};

/** Deletes a role that is closed, that nobody holds, and that no other role inherits from. */
export const deleteRole = command(
  'DeleteRole',
  z.object({ roleId: uuid }),
  ({ roleId }, state, { actor, facts }: { actor: Actor; facts: DeletionFacts }) => {
    const refused = notDeletable(roleId, state, actor, facts);
    const role = state.roles[roleId];
    if (refused !== undefined || role === undefined) return refused ?? [];
    if (facts.assigned) return reject('CONFLICT', 'role-assigned', 'Accounts hold this role');
    if (role.deletionId !== facts.deletionId)
      return reject('CONFLICT', 'role-being-deleted', 'This role is being deleted at this moment; please try again');
    return [{ type: 'RoleDeleted', data: { roleId, name: role.name } }];
  },
);
