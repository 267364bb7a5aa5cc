import { type Actor, can, type Rejection, reject } from '../../decider.ts';

/** The refusal of an id that names no account. */
export const accountUnknown = () => reject('NOT_FOUND', 'account-unknown', 'There is no such account');

/** The refusal of a token of a mail that does not count; it does not tell why. */
export const tokenInvalid = () =>
  reject('VALIDATION_ERROR', 'token-invalid', 'This token is unknown, used or expired', 'token');

/** The refusal of a wrong password to somebody who is logged in. */
export const passwordWrong = (field: 'currentPassword' | 'password') =>
  reject('FORBIDDEN', 'password-wrong', 'The password is wrong', field);

/** Refuses whoever may change neither this account as his own nor, by the permission, those of others. */
export const refuseForeign = (
  accountId: string,
  actor: Pick<Actor, 'id' | 'permissions' | 'verified'>,
  permission: string,
): Rejection | undefined =>
  accountId === actor.id || (actor.verified && can(actor, permission))
    ? undefined
    : reject('FORBIDDEN', 'permission-missing', `Changing other accounts needs the permission ${permission}`);
