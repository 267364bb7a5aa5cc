import { z } from 'zod';
import { reject } from '../../decider.ts';
import { HOUR_MS } from '../../durations.ts';
import { line, password, typedPassword, uuid } from '../../fields.ts';
import { accountUnknown, passwordWrong, tokenInvalid } from './refusals.ts';
import { type Account, command } from './state.ts';

/** Milliseconds that the token of a mail lives by which another password is chosen. */
export const RESET_LIFE = HOUR_MS;

const passwordSame = () =>
  reject('VALIDATION_ERROR', 'password-same', 'The new password must differ from the current one', 'newPassword');
const overtaken = () => reject('CONFLICT', 'contended', 'The password was changed at the same moment; try again');

/** Begins the choice of another password; the tokens of earlier mails are void. Nothing for an address that is no longer the account's. */
export const startPasswordReset = command(
  'StartPasswordReset',
  z.object({ accountId: uuid, emailHash: line(1, 64) }),
  ({ accountId, emailHash }, state, { newId, now }) => {
    if (state.status !== 'active' || state.emailHash !== emailHash) return [];
    const expiresAt = new Date(now.getTime() + RESET_LIFE).toISOString();
    return [{ type: 'PasswordResetRequested', data: { accountId, requestId: newId('reset'), expiresAt } }];
  },
);

/** What a new password must know: made outside, because hashing takes time. */
type NewPasswordFacts = {
  readonly passwordHash: string;
  /** The revision of the event whose hash the passwords were held against; undefined when the account had none. */
  readonly against: number | undefined;
  /** Whether the new password is the one that the account has. */
  readonly same: boolean;
};

/** What ResetPassword must know beside: which account and request an authentic token names. */
export type ResetFacts = NewPasswordFacts & { readonly accountId: string; readonly requestId: string };

/** Whether the request is the one whose token counts. */
export const awaitsReset = ({ reset }: Account, requestId: string, now: Date): boolean =>
  reset?.requestId === requestId && Date.parse(reset.expiresAt) > now.getTime();

/** Sets another password with the token of the latest mail, once, and ends a lock. */
export const resetPassword = command(
  'ResetPassword',
  z.object({ token: line(1, 200), newPassword: password }),
  (_input, state, { facts, now }: { facts: ResetFacts; now: Date }) => {
    const { accountId, requestId, passwordHash, against, same } = facts;
    if (state.status !== 'active' || !awaitsReset(state, requestId, now)) return tokenInvalid();
    if (against !== state.passwordAt) return overtaken();
    if (same) return passwordSame();
    return [
      { type: 'PasswordResetCompleted', data: { accountId, passwordHash, at: now.toISOString() } },
      ...(state.lockedUntil === undefined
        ? []
        : [{ type: 'AccountUnlocked' as const, data: { accountId, by: 'reset' as const } }]),
    ];
  },
);

/** What ChangePassword must know beside: whether the current password was right. */
export type ChangeFacts = NewPasswordFacts & { readonly right: boolean };

/** Sets another password; the current one proves that it is the holder who asks. */
export const changePassword = command(
  'ChangePassword',
  z.object({ currentPassword: typedPassword, newPassword: password }),
  (
    _input,
    state,
    { facts, actor, now }: { facts: ChangeFacts; actor: { id: string; sessionId?: string }; now: Date },
  ) => {
    const { passwordHash, against, right, same } = facts;
    if (state.status !== 'active') return accountUnknown();
    if (against !== state.passwordAt) return overtaken();
    if (!right) return passwordWrong('currentPassword');
    if (same) return passwordSame();
    const kept = actor.sessionId === undefined ? {} : { keptSessionId: actor.sessionId };
    return [{ type: 'PasswordChanged', data: { accountId: actor.id, passwordHash, at: now.toISOString(), ...kept } }];
  },
);

/** What RehashPassword must know: the revision of the event with the hash of the right password, and the hash it is to have. */
export type RehashFacts = { readonly against: number; readonly passwordHash: string };

/** Keeps the same password under another cost. Nothing when the password was changed meanwhile. */
export const rehashPassword = command(
  'RehashPassword',
  z.object({ accountId: uuid }),
  ({ accountId }, { status, passwordAt }, { facts }: { facts: RehashFacts }) =>
    status === 'active' && passwordAt === facts.against
      ? [{ type: 'PasswordRehashed', data: { accountId, passwordHash: facts.passwordHash } }]
      : [],
);
