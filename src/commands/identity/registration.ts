import { z } from 'zod';
import { reject } from '../../domain/decider.ts';
import * as accounts from '../../domain/identity/account/index.ts';
import { requestEmailVerification } from '../../domain/identity/emailClaim.ts';
import { bind, internal, type Reads, type Run } from '../binding.ts';
import { emailHash, reserveEmail } from './emailAddress.ts';
import { readMailToken } from './mailToken.ts';

const registrationFacts = async ({ email, password }: { email: string; password: string }, reads: Reads) => ({
  passwordHash: await reads.passwords.hash(password),
  emailHash: emailHash(reads.hash, email),
});

/** Reserves the address first, so that of many who ask for it at once one gets it. */
const withAddress =
  <Input extends { readonly email: string }>(accountIdOf: (run: Run<Input>) => string) =>
  async (run: Run<Input>) => {
    const reserved = await reserveEmail(run, run.input.email, accountIdOf(run));
    return reserved.ok ? run.judge() : reserved;
  };

const invalidToken = () =>
  reject('VALIDATION_ERROR', 'token-invalid', 'This token is unknown, used or expired', 'token');

/** How an account comes about, and how its address is verified. */
export const registrationBindings = [
  bind(accounts.registerAccount, {
    path: 'POST /auth/register',
    access: 'anyone',
    credential: true,
    status: 201,
    stream: (_input, { newId }) => newId('account'),
    facts: registrationFacts,
    process: withAddress(({ newId }) => newId('account')),
    answer: {
      schema: z.object({ userId: z.string(), email: z.string(), displayName: z.string() }),
      of: ({ id, input: { email, displayName } }) => ({ userId: id, email, displayName }),
    },
    summary: 'Opens an account',
    example: { email: 'ada@example.org', password: 'Correct-Horse-7', displayName: 'Ada', acceptTerms: true },
  }),
  internal(accounts.registerAdministrator, ({ accountId }) => accountId, {
    facts: registrationFacts,
    process: withAddress(({ input }) => input.accountId),
  }),
  bind(requestEmailVerification, {
    path: 'POST /auth/resend-verification',
    access: 'anyone',
    credential: true,
    stream: ({ email }, { hash }) => emailHash(hash, email),
    answer: { schema: z.object({}), of: () => ({}) },
    summary: 'Asks for another verification mail; the answer is the same for every address',
    example: { email: 'ada@example.org' },
  }),
  internal(accounts.startEmailVerification, ({ accountId }) => accountId),
  bind(accounts.verifyEmail, {
    path: 'POST /auth/verify-email',
    access: 'anyone',
    credential: true,
    resolve: async (input, reads) =>
      readMailToken(reads.hash, 'email-verification', input.token) === undefined ? invalidToken() : input,
    stream: ({ token }, { hash }) => readMailToken(hash, 'email-verification', token)?.accountId ?? 'none',
    facts: async ({ token }, reads) =>
      readMailToken(reads.hash, 'email-verification', token) ?? { accountId: '', requestId: '' },
    answer: { schema: z.object({ emailVerified: z.literal(true) }), of: () => ({ emailVerified: true as const }) },
    summary: 'Verifies the address with the token of the mail',
    example: { token: '0'.repeat(128) },
  }),
  internal(accounts.lockAccount, ({ accountId }) => accountId),
];
