import { z } from 'zod';
import { reject } from '../../decider.ts';
import { HOUR_MS, MINUTE_MS } from '../../durations.ts';
import { email, typedPassword } from '../../fields.ts';
import type { AccountEvent } from './events.ts';
import { accountUnknown, passwordWrong } from './refusals.ts';
import { type Account, command, EMAIL_CHANGES_PER_HOUR } from './state.ts';

/** Milliseconds that the token to the new address lives. */
const EMAIL_CHANGE_LIFE = 24 * HOUR_MS;
/** Milliseconds that the new address stays reserved beyond that, for a confirmation under way. */
const CONFIRMATION_TIME = MINUTE_MS;

/** What ChangeEmail must know: whether the password was right, and how the reservation of the new address is called. */
export type EmailChangeFacts = { readonly right: boolean; readonly newEmailHash: string };

/** Asks for another address, which has been reserved before, five times an hour at most. The old one stays until the token to the new one comes back. */
export const changeEmail = command(
  'ChangeEmail',
  z.object({ newEmail: email, password: typedPassword }),
  (
    { newEmail },
    { status, emailHash, emailChanges },
    context: { facts: EmailChangeFacts; actor: { id: string }; newId(label: string): string; now: Date },
  ) => {
    const { facts, actor, newId, now } = context;
    if (status !== 'active') return accountUnknown();
    if (!facts.right) return passwordWrong('password');
    const { newEmailHash } = facts;
    if (newEmailHash === emailHash)
      return reject('CONFLICT', 'email-taken', 'This is the address of your account already', 'newEmail');
    const recent = emailChanges
      .map((end) => Date.parse(end) - EMAIL_CHANGE_LIFE + HOUR_MS - now.getTime())
      .filter((wait) => wait > 0);
    if (recent.length >= EMAIL_CHANGES_PER_HOUR)
      return {
        ...reject('RATE_LIMIT_EXCEEDED', 'asked-often', 'The address can be changed five times an hour'),
        retryAfter: Math.ceil((recent[0] ?? 0) / 1000),
      };
    const expiresAt = new Date(now.getTime() + EMAIL_CHANGE_LIFE).toISOString();
    const requestId = newId('email-change');
    const data = { accountId: actor.id, newEmail, newEmailHash, requestId, expiresAt };
    return [{ type: 'EmailChangeRequested', data }];
  },
);

/** Which address takes the place of which. */
export type ChangeOfAddress = Pick<
  Extract<AccountEvent, { type: 'EmailChanged' }>['data'],
  'oldEmail' | 'oldEmailHash' | 'email' | 'emailHash'
>;

/** Makes the confirmed address the account's; undefined when the token does not count (any more). */
export const confirmChange = (
  { status, emailHash, emailChange }: Account,
  of: { readonly accountId: string; readonly requestId: string; readonly change: ChangeOfAddress },
  now: Date,
): readonly AccountEvent[] | undefined => {
  const { accountId, requestId, change } = of;
  const counts =
    status === 'active' &&
    emailChange?.requestId === requestId &&
    Date.parse(emailChange.expiresAt) > now.getTime() &&
    emailChange.emailHash === change.emailHash &&
    emailHash === change.oldEmailHash;
  return counts ? [{ type: 'EmailChanged', data: { accountId, ...change, at: now.toISOString() } }] : undefined;
};

/** Whether the account has the address, or may still confirm it: its reservation may not lapse. */
export const holdsEmail = ({ status, emailHash, emailChange }: Account, hash: string, now: Date): boolean => {
  if (status !== 'active' && status !== 'deactivated') return false;
  if (emailHash === hash) return true;
  return emailChange?.emailHash === hash && Date.parse(emailChange.expiresAt) + CONFIRMATION_TIME > now.getTime();
};
