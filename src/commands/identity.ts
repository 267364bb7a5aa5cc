import { z } from 'zod';
import { reject } from '../domain/decider.ts';
import * as accounts from '../domain/identity/account.ts';
import { abandonRegistration, account } from '../domain/identity/account.ts';
import { claimEmail, emailClaim, requestEmailVerification } from '../domain/identity/emailClaim.ts';
import * as attempts from '../domain/identity/loginAttempts.ts';
import * as sessions from '../domain/identity/loginSession.ts';
import { bind, type KeyedHash, type Outcome, type Reads, type Step } from './binding.ts';
import { readVerificationToken } from './verificationToken.ts';

/** The id of the reservation of an address. */
export const emailHash = (hash: KeyedHash, email: string): string => hash('email', email);

/** Milliseconds that a reservation is left alone while its account has not come about. */
const REGISTRATION_TIME = 10_000;

/**
 * Reserves an address for an account that is about to be opened. An owner who never came to exist, because the process
 * died on the way, is ruled out for good first: so there can never be two.
 */
const claim = async (reads: Reads, step: Step, email: string, accountId: string): Promise<Outcome> => {
  const id = emailHash(reads.hash, email);
  const outcome = await step(claimEmail, id, { accountId });
  if (outcome.ok) return outcome;
  const { owner, claimedAt } = (await reads.load(emailClaim, id)).state;
  if (owner === undefined || claimedAt === undefined) return outcome;
  const underWay = reads.now().getTime() - Date.parse(claimedAt) < REGISTRATION_TIME;
  if (underWay || (await reads.load(account, owner)).state.status === 'active') return outcome;
  const ruledOut = await step(abandonRegistration, owner, { accountId: owner });
  return ruledOut.ok ? step(claimEmail, id, { accountId, insteadOf: owner }) : outcome;
};

const registrationFacts = async ({ email, password }: { email: string; password: string }, reads: Reads) => ({
  passwordHash: await reads.passwords.hash(password),
  emailHash: emailHash(reads.hash, email),
});

const invalidToken = () =>
  reject('VALIDATION_ERROR', 'token-invalid', 'This token is unknown, used or expired', 'token');

const EXAMPLE_ACCOUNT = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01';
const EXAMPLE_SESSION = '0198b1f0-9b11-7d8a-8c52-1e7d3b9a4f02';
const EXAMPLE_ORIGIN = { ip: '203.0.113.7', userAgent: 'curl/8.9' };
const EXAMPLE_HASH = 'a3f1c2'.padEnd(64, '0');
const neutral = { schema: z.object({}), of: () => ({}) };

/** Every command of identity: what it runs, where it is called, who may, which stream it judges. */
export const identityBindings = [
  bind(accounts.registerAccount, {
    path: 'POST /auth/register',
    access: 'anyone',
    credential: true,
    status: 201,
    stream: (_input, { newId }) => newId('account'),
    facts: registrationFacts,
    process: async ({ input, newId, reads, step, judge }) => {
      const claimed = await claim(reads, step, input.email, newId('account'));
      return claimed.ok ? judge() : claimed;
    },
    answer: {
      schema: z.object({ userId: z.string(), email: z.string(), displayName: z.string() }),
      of: ({ id, input: { email, displayName } }) => ({ userId: id, email, displayName }),
    },
    summary: 'Opens an account',
    example: { email: 'ada@example.org', password: 'Correct-Horse-7', displayName: 'Ada', acceptTerms: true },
  }),
  bind(accounts.registerAdministrator, {
    access: 'anyone',
    internal: true,
    stream: ({ accountId }) => accountId,
    facts: registrationFacts,
    process: async ({ input, reads, step, judge }) => {
      const claimed = await claim(reads, step, input.email, input.accountId);
      return claimed.ok ? judge() : claimed;
    },
    summary: 'Opens the account of the first administrator',
    example: { accountId: EXAMPLE_ACCOUNT, email: 'admin@example.org', password: 'Correct-Horse-7' },
  }),
  bind(requestEmailVerification, {
    path: 'POST /auth/resend-verification',
    access: 'anyone',
    credential: true,
    stream: ({ email }, { hash }) => emailHash(hash, email),
    answer: neutral,
    summary: 'Asks for another verification mail; the answer is the same for every address',
    example: { email: 'ada@example.org' },
  }),
  bind(accounts.startEmailVerification, {
    access: 'anyone',
    internal: true,
    stream: ({ accountId }) => accountId,
    summary: 'Begins a verification of the address',
    example: { accountId: EXAMPLE_ACCOUNT },
  }),
  bind(accounts.verifyEmail, {
    path: 'POST /auth/verify-email',
    access: 'anyone',
    credential: true,
    resolve: async (input, reads) =>
      readVerificationToken(reads.hash, input.token) === undefined ? invalidToken() : input,
    stream: ({ token }, { hash }) => readVerificationToken(hash, token)?.accountId ?? 'none',
    facts: async ({ token }, reads) => readVerificationToken(reads.hash, token) ?? { accountId: '', requestId: '' },
    answer: { schema: z.object({ emailVerified: z.literal(true) }), of: () => ({ emailVerified: true as const }) },
    summary: 'Verifies the address with the token of the mail',
    example: { token: '0'.repeat(128) },
  }),
  bind(accounts.lockAccount, {
    access: 'anyone',
    internal: true,
    stream: ({ accountId }) => accountId,
    summary: 'Closes the log-in of an account until an instant',
    example: { accountId: EXAMPLE_ACCOUNT, until: '2027-03-01T09:45:00.000Z', reason: 'failed_logins' },
  }),
  bind(attempts.recordFailedLogin, {
    access: 'anyone',
    internal: true,
    stream: ({ identifierHash }) => identifierHash,
    answer: {
      schema: z.object({ lockedUntil: z.string().nullable() }),
      of: ({ state }) => ({ lockedUntil: state.lockedUntil ?? null }),
    },
    summary: 'Counts a failed log-in',
    example: { identifierHash: EXAMPLE_HASH, reason: 'wrong_secret', ...EXAMPLE_ORIGIN },
  }),
  bind(attempts.recordLogin, {
    access: 'anyone',
    internal: true,
    stream: ({ identifierHash }) => identifierHash,
    summary: 'Counts a successful log-in',
    example: {
      identifierHash: EXAMPLE_HASH,
      accountId: EXAMPLE_ACCOUNT,
      sessionId: EXAMPLE_SESSION,
      method: 'password',
      ...EXAMPLE_ORIGIN,
    },
  }),
  bind(sessions.startLoginSession, {
    access: 'anyone',
    internal: true,
    stream: ({ sessionId }) => sessionId,
    summary: 'Opens a login session',
    example: {
      sessionId: EXAMPLE_SESSION,
      accountId: EXAMPLE_ACCOUNT,
      method: 'password',
      refreshTokenHash: EXAMPLE_HASH,
      ...EXAMPLE_ORIGIN,
    },
  }),
  bind(sessions.refreshSession, {
    access: 'anyone',
    internal: true,
    stream: ({ sessionId }) => sessionId,
    answer: {
      schema: z.object({ accountId: z.string(), reused: z.boolean() }),
      of: ({ state, events }) => ({
        accountId: state.accountId ?? '',
        reused: events.some(({ type }) => type === 'RefreshTokenReuseDetected'),
      }),
    },
    summary: 'Exchanges a refresh token for the next one',
    example: { sessionId: EXAMPLE_SESSION, presentedHash: EXAMPLE_HASH, nextHash: EXAMPLE_HASH, ip: EXAMPLE_ORIGIN.ip },
  }),
  bind(sessions.revokeLoginSession, {
    path: 'DELETE /auth/sessions/:sessionId',
    access: 'loggedIn',
    unverified: true,
    stream: ({ sessionId }) => sessionId,
    answer: neutral,
    summary: 'Ends a login session',
    example: { sessionId: EXAMPLE_SESSION },
  }),
  bind(sessions.endLoginSession, {
    access: 'anyone',
    internal: true,
    stream: ({ sessionId }) => sessionId,
    summary: 'Ends a login session for a reason',
    example: { sessionId: EXAMPLE_SESSION, by: 'logout' },
  }),
];
