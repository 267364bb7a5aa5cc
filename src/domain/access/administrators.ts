import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { uuid } from '../fields.ts';

const Membership = z.object({
  accountId: z.string(),
  assignmentId: z.string().describe('The assignment of the role admin that the membership stands for'),
});

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = { AdministratorAdded: Membership, AdministratorReleased: Membership };
export type AdministratorsEvent = EventOf<typeof events>;

/** Both by account: the assignment that counts now, and all that were let go. */
export type Administrators = {
  readonly members: Readonly<Record<string, string>>;
  readonly released: Readonly<Record<string, readonly string[]>>;
};

/**
 * The circle of administrators: the accounts that hold the role admin for good. It is one aggregate because the last one
 * must stay whatever happens at once elsewhere. An account joins after the role was assigned and leaves before it is
 * revoked, and an assignment that was let go never counts again; so every member holds the role, and a crash in between
 * can only make the circle look smaller than it is.
 */
export const administrators = decider<Administrators, AdministratorsEvent>({
  category: 'administrators',
  events,
  initial: { members: {}, released: {} },
  evolve: (state, { type, data: { accountId, assignmentId } }) => {
    switch (type) {
      case 'AdministratorAdded':
        return { ...state, members: { ...state.members, [accountId]: assignmentId } };
      case 'AdministratorReleased': {
        const { [accountId]: _left, ...members } = state.members;
        const letGo = [...(state.released[accountId] ?? []), assignmentId];
        return { members, released: { ...state.released, [accountId]: letGo } };
      }
    }
  },
});
const command = commandsOf(administrators);

/** The id of the one stream of {@link administrators}. */
export const ADMINISTRATORS_ID = 'all';

const Input = z.object({ accountId: uuid, assignmentId: uuid });

const isReleased = ({ released }: Administrators, { accountId, assignmentId }: z.output<typeof Input>): boolean =>
  released[accountId]?.includes(assignmentId) ?? false;

/**
 * Counts an account among the administrators, unless this assignment has been let go in the meantime, however long ago:
 * a policy that lags behind may ask for it after later assignments have come and gone.
 */
export const addAdministrator = command('AddAdministrator', Input, (data, state) =>
  state.members[data.accountId] === data.assignmentId || isReleased(state, data)
    ? []
    : [{ type: 'AdministratorAdded', data }],
);

/** Lets an administrator go who is about to lose the role; the last one stays. */
export const releaseAdministrator = command('ReleaseAdministrator', Input, (data, state) => {
  if (isReleased(state, data)) return [];
  const others = Object.keys(state.members).filter((accountId) => accountId !== data.accountId);
  if (others.length === 0)
    return reject('CONFLICT', 'last-administrator', 'The last administrator cannot lose the role admin');
  return [{ type: 'AdministratorReleased', data }];
});
