import { z } from 'zod';
import { type Actor, type Rejection, reject } from '../../decider.ts';
import { lines, typedPassword, uuid } from '../../fields.ts';
import type { AccountEvent } from './events.ts';
import { accountUnknown, passwordWrong, refuseForeign } from './refusals.ts';
import { type Account, command } from './state.ts';

/** Reason of the refusal to close an account that still counts in the circle of administrators. */
export const COUNTED_ADMINISTRATOR = 'administrator-still-counted';

/** What closing an account must know beside its state. */
export type ClosingFacts = {
  /** Whether the password given is the account's; only holders are asked for it. */
  readonly right: boolean;
  /** The account counts in the circle of administrators, which it must have left before. */
  readonly counted: boolean;
};

const counted = (): Rejection =>
  reject('CONFLICT', COUNTED_ADMINISTRATOR, 'The administrators are being changed at this moment; please try again');

const mayClose = (
  accountId: string,
  { status }: Account,
  actor: Actor,
  { right }: Pick<ClosingFacts, 'right'>,
): Rejection | undefined => {
  const refusal = refuseForeign(accountId, actor, '*:*');
  if (refusal !== undefined) return refusal;
  if (status !== 'active' && status !== 'deactivated') return accountUnknown();
  return accountId === actor.id && !right ? passwordWrong('password') : undefined;
};

const byWhom = (accountId: string, { id }: Actor) => (accountId === id ? 'owner' : 'admin');
const whose = { accountId: uuid.optional().describe('The own account when omitted') };
const password = typedPassword.optional().describe('Of the holder, who closes his own account');

/**
 * Closes an account: its log-in ends, its data stay, and an administrator can open it again. Holders prove that they
 * are by their password.
 */
export const deactivateAccount = command(
  'DeactivateAccount',
  z.object({ ...whose, password, reason: lines(0, 500).optional() }),
  ({ accountId: named, reason }, state, { actor, facts, now }: { actor: Actor; facts: ClosingFacts; now: Date }) => {
    const accountId = named ?? actor.id;
    const refusal = mayClose(accountId, state, actor, facts);
    if (refusal !== undefined) return refusal;
    if (state.status === 'deactivated')
      return reject('CONFLICT', 'already-deactivated', 'This account is deactivated already');
    if (facts.counted) return counted();
    const data = { accountId, by: byWhom(accountId, actor), at: now.toISOString() } as const;
    return [{ type: 'AccountDeactivated', data: reason ? { ...data, reason } : data }];
  },
);

/** Opens an account again that was deactivated. */
export const reactivateAccount = command(
  'ReactivateAccount',
  z.object({ accountId: uuid }),
  ({ accountId }, { status }) => {
    if (status === 'active') return reject('CONFLICT', 'not-deactivated', 'This account is not deactivated');
    if (status !== 'deactivated') return accountUnknown();
    return [{ type: 'AccountReactivated', data: { accountId, by: 'admin' } }];
  },
);

/** What EraseAccount must know beside. */
export type ErasureFacts = ClosingFacts & {
  /** Whether what was typed to confirm is the address of the account. */
  readonly confirmed: boolean;
  /** Under whose keys the failed log-ins of the person are sealed. */
  readonly identifierHashes: readonly string[];
};

/**
 * Ends an account for good: what is known of its person can no longer be read anywhere. Administrators erase accounts
 * that were deactivated before; holders do both in one.
 */
export const eraseAccount = command(
  'EraseAccount',
  z.object({ ...whose, confirm: z.string().trim().max(254).describe('The e-mail address of the account'), password }),
  (
    { accountId: named },
    state,
    { actor, facts, now }: { actor: Actor; facts: ErasureFacts; now: Date },
  ): readonly AccountEvent[] | Rejection => {
    const accountId = named ?? actor.id;
    const refusal = mayClose(accountId, state, actor, facts);
    if (refusal !== undefined) return refusal;
    if (!facts.confirmed)
      return reject('VALIDATION_ERROR', 'confirmation-wrong', 'Must be the e-mail address of the account', 'confirm');
    const by = byWhom(accountId, actor);
    if (state.status === 'active' && by === 'admin')
      return reject('CONFLICT', 'account-active', 'Deactivate the account first');
    if (facts.counted) return counted();
    const at = now.toISOString();
    const erased: AccountEvent = {
      type: 'AccountErased',
      data: { accountId, by, emailHash: state.emailHash ?? '', identifierHashes: [...facts.identifierHashes], at },
    };
    return state.status === 'active' ? [{ type: 'AccountDeactivated', data: { accountId, by, at } }, erased] : [erased];
  },
);

/**
 * Finishes an erasure: destroys keys and gives reservations back. Adds nothing to the account itself, and may be done as
 * often as it likes.
 */
export const completeErasure = command('CompleteErasure', z.object({ accountId: uuid }), (_input, { status }) =>
  status === 'erased' ? [] : accountUnknown(),
);

/**
 * Gives up what an account that was closed has elsewhere: API keys, places in open estimation sessions. Adds nothing to
 * the account itself.
 */
export const releaseClosedAccount = command('ReleaseClosedAccount', z.object({ accountId: uuid }), () => []);
