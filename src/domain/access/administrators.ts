import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { uuid } from '../fields.ts';

const Membership = z.object({
  accountId: z.string(),
  assignmentId: z.string().describe('The assignment of the role admin that the membership stands for'),
});

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AdministratorAdded: Membership,
  AdministratorReleased: Membership,
  AdministratorSuspended: Membership.describe('The account is about to be deactivated, and counts no more'),
  AdministratorResumed: Membership.describe('The account was opened again, and counts again'),
  AdministratorBootstrapped: z
    .object({ accountId: z.string() })
    .describe('Appointed by configuration, because nobody was administrator'),
};
export type AdministratorsEvent = EventOf<typeof events>;

/** By account: the assignment that counts now, the one that counts again with the account, and all that were let go. */
export type Administrators = {
  readonly members: Readonly<Record<string, string>>;
  readonly suspended: Readonly<Record<string, string>>;
  readonly released: Readonly<Record<string, readonly string[]>>;
  /** The account that configuration has appointed last. */
  readonly appointed?: string;
};

const without = (of: Readonly<Record<string, string>>, accountId: string): Readonly<Record<string, string>> => {
  const { [accountId]: _left, ...rest } = of;
  return rest;
};

/**
 * The circle of administrators: the open accounts that hold the role admin for good. It is one aggregate because the last one
 * must stay whatever happens at once elsewhere. An account joins after the role was assigned and leaves before it is
 * revoked or the account deactivated, and an assignment that was let go never counts again; so every member holds the role, and a crash in between
 * can only make the circle look smaller than it is.
 */
export const administrators = decider<Administrators, AdministratorsEvent>({
  category: 'administrators',
  events,
  initial: { members: {}, suspended: {}, released: {} },
  evolve: (state, { type, data }) => {
    const { accountId } = data;
    switch (type) {
      case 'AdministratorAdded':
        return { ...state, members: { ...state.members, [accountId]: data.assignmentId } };
      case 'AdministratorReleased':
        return {
          ...state,
          members: without(state.members, accountId),
          suspended: without(state.suspended, accountId),
          released: { ...state.released, [accountId]: [...(state.released[accountId] ?? []), data.assignmentId] },
        };
      case 'AdministratorSuspended':
        return {
          ...state,
          members: without(state.members, accountId),
          suspended: { ...state.suspended, [accountId]: data.assignmentId },
        };
      case 'AdministratorResumed':
        return {
          ...state,
          members: { ...state.members, [accountId]: data.assignmentId },
          suspended: without(state.suspended, accountId),
        };
      case 'AdministratorBootstrapped':
        return { ...state, appointed: accountId };
    }
  },
});
const command = commandsOf(administrators);

/** The id of the one stream of {@link administrators}. */
export const ADMINISTRATORS_ID = 'all';

const Input = z.object({ accountId: uuid, assignmentId: uuid });

const isReleased = ({ released }: Administrators, { accountId, assignmentId }: z.output<typeof Input>): boolean =>
  released[accountId]?.includes(assignmentId) ?? false;

/** What commands on the circle must know of an account: whether it is neither deactivated nor erased. */
export type StandingFacts = { readonly open: boolean };

/**
 * Counts an account among the administrators, unless this assignment is known already or has been let go, however long
 * ago: a policy that lags behind may ask for it after later assignments have come and gone. That of an account which was
 * deactivated meanwhile counts once the account is open again.
 */
export const addAdministrator = command(
  'AddAdministrator',
  Input,
  (data, state, { facts: { open } }: { facts: StandingFacts }) => {
    const known = [state.members, state.suspended].some((of) => of[data.accountId] === data.assignmentId);
    if (known || isReleased(state, data)) return [];
    return [{ type: open ? 'AdministratorAdded' : 'AdministratorSuspended', data }];
  },
);

/** Lets an administrator go who is about to lose the role; the last one stays. */
export const releaseAdministrator = command('ReleaseAdministrator', Input, (data, state) => {
  if (isReleased(state, data)) return [];
  const others = Object.keys(state.members).filter((accountId) => accountId !== data.accountId);
  if (others.length === 0)
    return reject('CONFLICT', 'last-administrator', 'The last administrator cannot lose the role admin');
  return [{ type: 'AdministratorReleased', data }];
});

/** What SuspendAdministrator must know: the assignment of the role admin for good that the account holds, if any. */
export type SuspensionFacts = { readonly assignmentId: string | undefined };

/**
 * Lets an account count no more that is about to be deactivated, nor come to count by an assignment that is still on its
 * way. The last member stays.
 */
export const suspendAdministrator = command(
  'SuspendAdministrator',
  z.object({ accountId: uuid }),
  ({ accountId }, state, { facts }: { facts: SuspensionFacts }) => {
    const { members, suspended } = state;
    const assignmentId = members[accountId] ?? facts.assignmentId;
    if (assignmentId === undefined || suspended[accountId] === assignmentId) return [];
    if (isReleased(state, { accountId, assignmentId })) return [];
    if (members[accountId] !== undefined && Object.keys(members).length === 1)
      return reject('CONFLICT', 'last-administrator', 'The last administrator cannot be deactivated');
    return [{ type: 'AdministratorSuspended', data: { accountId, assignmentId } }];
  },
);

/** Counts an administrator again whose account is open again, or was not deactivated after all. */
export const resumeAdministrator = command(
  'ResumeAdministrator',
  z.object({ accountId: uuid }),
  ({ accountId }, { suspended }, { facts: { open } }: { facts: StandingFacts }) => {
    const assignmentId = suspended[accountId];
    return assignmentId === undefined || !open
      ? []
      : [{ type: 'AdministratorResumed', data: { accountId, assignmentId } }];
  },
);

/** What BootstrapAdministrator must know of other streams. */
export type BootstrapFacts = {
  /** The account is open and has verified the address that configuration names. */
  readonly named: boolean;
};

/** Appoints the account that configuration names, once its address is verified and while nobody is administrator. */
export const bootstrapAdministrator = command(
  'BootstrapAdministrator',
  z.object({ accountId: uuid }),
  (data, { members, appointed }, { facts }: { facts: BootstrapFacts }) =>
    Object.keys(members).length > 0 || appointed === data.accountId || !facts.named
      ? []
      : [{ type: 'AdministratorBootstrapped', data }],
);
