import { z } from 'zod';
import * as accounts from '../../domain/identity/account/index.ts';
import { type AccountEvent, account } from '../../domain/identity/account/index.ts';
import { releaseEmail, requestEmailVerification } from '../../domain/identity/emailClaim.ts';
import { bind, internal, type Outcome, type Run } from '../binding.ts';
import { refused } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { emailHash, lapsedClaim, reserveEmail } from './emailAddress.ts';
import { readMailToken } from './mailToken.ts';
import { isPassword } from './passwordHash.ts';

const noToken = refused(accounts.tokenInvalid());

const change = async (
  run: Run<z.output<typeof accounts.changeEmail.input>, accounts.EmailChangeFacts>,
): Promise<Outcome> => {
  const { input, actor, reads, judge } = run;
  const { state } = await reads.load(account, actor.id);
  const newEmailHash = emailHash(reads.hash, input.newEmail);
  const right = await isPassword(reads, actor.id, input.password);
  // A wrong password learns nothing of the address, and reserves nothing.
  if (right && newEmailHash !== state.emailHash) {
    const reserved = await reserveEmail(run, input.newEmail, actor.id, { anew: true });
    if (!reserved.ok)
      return { ...reserved, details: reserved.details.map(({ message }) => ({ field: 'newEmail', message })) };
  }
  return judge(input, { right, newEmailHash });
};

/** Which address takes the place of which, when the request is confirmed: as the history tells, for no state may hold it. */
const changeOf = (history: readonly AccountEvent[], requestId: string): accounts.ChangeOfAddress | undefined => {
  let change: accounts.ChangeOfAddress | undefined;
  let [oldEmail, oldEmailHash] = ['', ''];
  for (const { type, data } of history) {
    if (type === 'AccountRegistered' || type === 'EmailChanged')
      [oldEmail, oldEmailHash] = [data.email, data.emailHash];
    if (type === 'EmailChangeRequested' && data.requestId === requestId)
      change = { oldEmail, oldEmailHash, email: data.newEmail, emailHash: data.newEmailHash };
  }
  return change;
};

type Named = { readonly accountId: string; readonly requestId: string };

const changeToken = (hash: Reads['hash'], token: string): Named | undefined =>
  readMailToken(hash, 'email-change', token);

const verify = async (
  run: Run<z.output<typeof accounts.verifyEmail.input>, accounts.VerificationFacts>,
): Promise<Outcome> => {
  const { input, reads, judge } = run;
  const first = readMailToken(reads.hash, 'email-verification', input.token);
  if (first !== undefined) return judge(input, first);
  const named = changeToken(reads.hash, input.token);
  const change = named && changeOf(await reads.history(account, named.accountId), named.requestId);
  if (named === undefined || change === undefined) return noToken;
  const { accountId } = named;
  const { emailChange } = (await reads.load(account, accountId)).state;
  if (emailChange?.requestId !== named.requestId) return noToken;
  // The reservation must be this account's at the moment of the change, however long ago it was made.
  const reserved = await reserveEmail(run, change.email, accountId, { anew: true });
  return reserved.ok ? judge(input, { ...named, change }) : reserved;
};

/** How addresses are verified and changed. */
export const emailBindings = [
  bind(requestEmailVerification, {
    path: 'POST /auth/resend-verification',
    access: 'anyone',
    credential: true,
    stream: ({ email }, { hash }) => emailHash(hash, email),
    version: () => undefined,
    answer: { schema: z.object({}), of: () => ({}) },
    message: 'If there is an account with this address that is not verified, a mail is on its way',
    summary: 'Asks for another verification mail; the answer is the same for every address',
    example: { email: 'ada@example.org' },
  }),
  internal(accounts.startEmailVerification, ({ accountId }) => accountId),
  bind(accounts.verifyEmail, {
    path: 'POST /auth/verify-email',
    access: 'anyone',
    credential: true,
    stream: ({ token }, { hash }) =>
      (readMailToken(hash, 'email-verification', token) ?? changeToken(hash, token))?.accountId ?? 'none',
    version: () => undefined,
    process: verify,
    answer: { schema: z.object({ emailVerified: z.literal(true) }), of: () => ({ emailVerified: true as const }) },
    summary: 'Verifies the address, or confirms another one, with the token of the mail',
    example: { token: '0'.repeat(128) },
  }),
  bind(accounts.changeEmail, {
    path: 'POST /auth/change-email',
    access: 'loggedIn',
    unverified: true,
    stream: (_input, { actor }) => actor.id,
    process: change,
    answer: {
      schema: z.object({ pendingEmail: z.string() }),
      of: ({ input }) => ({ pendingEmail: input.newEmail }),
    },
    summary: 'Asks for another address; it counts once the token sent there has come back',
    example: { newEmail: 'ada@example.net', password: 'Correct-Horse-7' },
  }),
  internal(releaseEmail, ({ emailHash }) => emailHash, {
    facts: async ({ emailHash, accountId }, reads) => ({ lapsed: await lapsedClaim(reads, emailHash, accountId) }),
  }),
];
