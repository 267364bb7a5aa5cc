import { z } from 'zod';
import * as accounts from '../../domain/identity/account/index.ts';
import { type Account, account } from '../../domain/identity/account/index.ts';
import { requestPasswordReset } from '../../domain/identity/emailClaim.ts';
import { bind, internal, type Outcome, type Run } from '../binding.ts';
import { latest, refused, uncontended } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { clearFailures } from './clearing.ts';
import { emailHash } from './emailAddress.ts';
import { readMailToken } from './mailToken.ts';
import { passwordHashOf } from './passwordHash.ts';
import { begunBefore, endEach, othersOf } from './sessionEnding.ts';
import { isOpen } from './standing.ts';

/** Makes the hash of a new password and tells whether it is the one that the account has. */
const newPassword = async (
  { passwords }: Reads,
  { passwordAt: against }: Account,
  hash: string | undefined,
  clear: string,
) => {
  const same = hash !== undefined && (await passwords.verify(clear, hash));
  return { against, same, passwordHash: same ? '' : await passwords.hash(clear) };
};

const noToken = refused(accounts.tokenInvalid());

const reset = async (
  run: Run<z.output<typeof accounts.resetPassword.input>, accounts.ResetFacts>,
): Promise<Outcome> => {
  const { input, reads, judge } = run;
  const named = readMailToken(reads.hash, 'password-reset', input.token);
  if (named === undefined) return noToken;
  const { accountId, requestId } = named;
  const { state } = await reads.load(account, accountId);
  if (!accounts.awaitsReset(state, requestId, reads.now())) return noToken;
  // Asked for beforehand, so that a read model that is behind is told before anything is stored.
  const sessionIds = await othersOf(run, accountId, undefined);
  const hash = await passwordHashOf(reads, accountId, state);
  const facts = await newPassword(reads, state, hash, input.newPassword);
  const outcome = await judge(input, { accountId, requestId, ...facts });
  if (!outcome.ok) return outcome;
  await clearFailures(run, accountId);
  return latest(outcome, ...(await endEach(run, sessionIds, { by: 'password_change' })));
};

const change = async (
  run: Run<z.output<typeof accounts.changePassword.input>, accounts.ChangeFacts>,
): Promise<Outcome> => {
  const { input, actor, reads, judge } = run;
  const { state } = await reads.load(account, actor.id);
  const hash = await passwordHashOf(reads, actor.id, state);
  const right = await reads.passwords.verify(input.currentPassword, hash);
  const facts = right
    ? await newPassword(reads, state, hash, input.newPassword)
    : { against: state.passwordAt, same: false, passwordHash: '' };
  const sessionIds = right ? await othersOf(run, actor.id, actor.sessionId) : [];
  const outcome = await judge(input, { ...facts, right });
  return latest(outcome, ...(outcome.ok ? await endEach(run, sessionIds, { by: 'password_change' }) : []));
};

const byHolder = { access: 'loggedIn', unverified: true } as const;

/** How another password is asked for and chosen. */
export const passwordBindings = [
  bind(requestPasswordReset, {
    path: 'POST /auth/forgot-password',
    access: 'anyone',
    credential: true,
    stream: ({ email }, { hash }) => emailHash(hash, email),
    version: () => undefined,
    answer: { schema: z.object({}), of: () => ({}) },
    message: 'If there is an account with this address, a mail is on its way',
    summary: 'Asks to choose another password; the answer is the same for every address',
    example: { email: 'ada@example.org' },
  }),
  internal(accounts.startPasswordReset, ({ accountId }) => accountId),
  bind(accounts.resetPassword, {
    path: 'POST /auth/reset-password',
    access: 'anyone',
    credential: true,
    stream: ({ token }, { hash }) => readMailToken(hash, 'password-reset', token)?.accountId ?? 'none',
    version: () => undefined,
    process: (run) => uncontended(() => reset(run)),
    answer: { schema: z.object({}), of: () => ({}) },
    summary: 'Sets another password with the token of the mail; every login session ends',
    example: { token: '0'.repeat(128), newPassword: 'Correct-Horse-8' },
  }),
  bind(accounts.changePassword, {
    ...byHolder,
    path: 'POST /auth/change-password',
    stream: (_input, { actor }) => actor.id,
    process: (run) => uncontended(() => change(run)),
    answer: {
      schema: z.object({ passwordChangedAt: z.string() }),
      of: ({ events }) => {
        const changed = events.find(({ type }) => type === 'PasswordChanged');
        return { passwordChangedAt: changed?.type === 'PasswordChanged' ? changed.data.at : '' };
      },
    },
    summary: 'Sets another password; every other login session ends',
    example: { currentPassword: 'Correct-Horse-7', newPassword: 'Correct-Horse-8' },
  }),
  internal(accounts.endLoginSessions, ({ accountId }) => accountId, {
    process: async (run) => {
      const { accountId, exceptSessionId, before, by } = run.input;
      const outcome = await run.judge();
      const all = await othersOf(run, accountId, exceptSessionId);
      // While an account is closed none of them counts, whenever it began; once it is open again, its new ones do.
      const closed = by === 'deactivation' && !(await isOpen(run.reads, accountId));
      const sessionIds = closed ? all : await begunBefore(run, all, before);
      return latest(outcome, ...(await endEach(run, sessionIds, { by })));
    },
  }),
];
