import { z } from 'zod';
import { MFA_METHODS } from '../../../domain/identity/account/events.ts';
import { account, revokeAllLoginSessions } from '../../../domain/identity/account/index.ts';
import {
  beganAt,
  endLoginSession,
  isAlive,
  loginSession,
  type RefreshFacts,
  refreshSession,
  refreshTokenInvalid,
  revokeLoginSession,
  startLoginSession,
} from '../../../domain/identity/loginSession.ts';
import { TOKENS_ID, tokens } from '../../../domain/identity/tokens.ts';
import { bind, internal, type Outcome, type Refused, type Run } from '../../binding.ts';
import { latest, refused } from '../../outcomes.ts';
import { newest, type Reads } from '../../reads.ts';
import { newRefreshToken, type RefreshToken, readRefreshToken } from '../refreshToken.ts';

/** What somebody who has logged in is told. */
export const Tokens = z.object({
  accessToken: z.string().describe('JSON Web Token; its header names the algorithm and the key'),
  refreshToken: z.string().describe('Also set as a cookie that scripts cannot read'),
  csrfToken: z.string().describe('For the header X-CSRF-Token where the cookie is used'),
  expiresIn: z.int().describe('Seconds that the access token lives'),
  user: z.object({
    userId: z.string(),
    email: z.string(),
    displayName: z.string(),
    role: z.string().nullable(),
  }),
});

/** What somebody is told who owes the second factor. */
export const MfaRequired = z.object({
  mfaRequired: z.literal(true),
  challengeToken: z.string().describe('To be sent back with the code'),
  methods: z.array(z.enum(MFA_METHODS)),
  expiresIn: z.int().describe('Seconds that the code may take'),
});

/** What a first factor leads to. */
export const LoggedIn = z.union([Tokens, MfaRequired]);

/** What log-in and exchange hand to the edge, which makes an access token of it. */
export const Session = z.object({ accountId: z.string(), sessionId: z.string(), refreshToken: z.string() });

const opened = (outcome: Outcome, accountId: string, { sessionId, value }: RefreshToken): Outcome =>
  outcome.ok ? { ...outcome, data: { accountId, sessionId, refreshToken: value } } : outcome;

/** Opens the session whose token is given, for an account whose secrets have been checked. */
export const openSession = async (
  { step, origin }: Pick<Run<unknown>, 'step' | 'origin'>,
  token: RefreshToken,
  of: Omit<z.input<typeof startLoginSession.input>, 'sessionId' | 'refreshTokenHash' | 'ip' | 'userAgent'>,
): Promise<Outcome> => {
  const { sessionId, hash } = token;
  const input = { ...of, ...origin, sessionId, refreshTokenHash: hash };
  return opened(await step(startLoginSession, sessionId, input), of.accountId, token);
};

const invalid = (): Refused => refused(refreshTokenInvalid());

const REUSED: Refused = {
  ...invalid(),
  reason: 'refresh-token-reused',
  message: 'This token was used before; please log in again',
  recorded: true,
};

/** Whether the log knows the token presented as the one that counts, where what is in memory is older. */
const isBehind = async (reads: Reads, { sessionId, generation, hash }: RefreshToken): Promise<boolean> => {
  if (generation <= (await reads.load(loginSession, sessionId)).state.exchanges) return false;
  return (await newest(reads, loginSession, sessionId)).refreshTokenHash === hash;
};

/** Exchanges the token; one that was used before ends the session and is refused. */
const refresh = async (run: Run<z.output<typeof refreshSession.input>, RefreshFacts>): Promise<Outcome> => {
  const { input, origin, reads, judge } = run;
  const presented = readRefreshToken(reads.hash, input.refreshToken);
  if (presented === undefined) return invalid();
  const { sessionId, generation } = presented;
  const session = (await reads.load(loginSession, sessionId)).state;
  const { notBefore } = (await reads.load(tokens, TOKENS_ID)).state;
  const { accountId } = session;
  if (accountId === undefined || (notBefore !== undefined && beganAt(session) <= Date.parse(notBefore)))
    return invalid();
  const { status, lockedUntil } = (await reads.load(account, accountId)).state;
  const isLocked = lockedUntil !== undefined && Date.parse(lockedUntil) > reads.now().getTime();
  if (status !== 'active' || isLocked)
    return { ...invalid(), reason: 'account-closed', message: 'This account is locked or closed' };
  const next = newRefreshToken(reads.hash, { sessionId, generation: generation + 1 });
  const behind = await isBehind(reads, presented);
  const outcome = await judge(input, { sessionId, presented, behind, nextHash: next.hash, ip: origin.ip });
  if (!outcome.ok) return outcome;
  const after = (await reads.load(loginSession, sessionId)).state;
  return isAlive(after, reads.now()) ? opened(outcome, accountId, next) : REUSED;
};

/** Ends every session of the caller that has begun, but the one excepted. */
const revokeAll = async (run: Run<z.output<typeof revokeAllLoginSessions.input>>): Promise<Outcome> => {
  const { input, actor, reads, step, judge } = run;
  const outcome = await judge();
  if (!outcome.ok) return outcome;
  const sessionIds = (await reads.lookups.livingSessions(actor.id)).filter((id) => id !== input.exceptSessionId);
  const ended: Outcome[] = [];
  for (const sessionId of sessionIds) ended.push(await step(endLoginSession, sessionId, { sessionId, by: 'owner' }));
  return latest({ ...outcome, data: { revoked: sessionIds.length } }, ...ended);
};

/** How login sessions go on and end. */
export const sessionBindings = [
  internal(startLoginSession, ({ sessionId }) => sessionId),
  bind(refreshSession, {
    access: 'anyone',
    stream: ({ refreshToken }, { hash }) => readRefreshToken(hash, refreshToken)?.sessionId ?? 'none',
    process: refresh,
    answer: { schema: Tokens },
    summary: 'Exchanges a refresh token for the next one',
    example: { refreshToken: '0198b1f0-9b11-7d8a-8c52-1e7d3b9a4f02.'.padEnd(80, 'a') },
  }),
  bind(revokeLoginSession, {
    path: 'DELETE /auth/sessions/:sessionId',
    access: 'loggedIn',
    unverified: true,
    stream: ({ sessionId }) => sessionId,
    summary: 'Ends a login session',
    example: { sessionId: '0198b1f0-9b11-7d8a-8c52-1e7d3b9a4f02' },
  }),
  bind(revokeAllLoginSessions, {
    access: 'loggedIn',
    unverified: true,
    stream: (_input, { actor }) => actor.id,
    version: () => undefined,
    process: revokeAll,
    answer: { schema: z.object({ revoked: z.int() }) },
    summary: 'Ends all own login sessions, or all but one',
    example: {},
  }),
  internal(endLoginSession, ({ sessionId }) => sessionId),
];
