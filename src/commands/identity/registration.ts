import { z } from 'zod';
import * as accounts from '../../domain/identity/account/index.ts';
import { bind, internal, type Run } from '../binding.ts';
import type { Reads } from '../reads.ts';
import { emailHash, reserveEmail } from './emailAddress.ts';
import { numberHash } from './login/identifier.ts';

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

/** How an account comes about. */
export const registrationBindings = [
  bind(accounts.registerAccount, {
    path: 'POST /auth/register',
    access: 'anyone',
    credential: true,
    status: 201,
    stream: (_input, { newId }) => newId('account'),
    facts: async ({ phoneNumber, ...input }, reads) => ({
      ...(await registrationFacts(input, reads)),
      ...(phoneNumber === undefined ? {} : { numberHash: numberHash(reads.hash, phoneNumber) }),
    }),
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
];
