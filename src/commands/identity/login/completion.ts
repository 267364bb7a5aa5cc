import type { z } from 'zod';
import { account, trustsDevice } from '../../../domain/identity/account/index.ts';
import { recordLogin } from '../../../domain/identity/loginAttempts.ts';
import { endLoginSession } from '../../../domain/identity/loginSession.ts';
import { issueMfaChallenge, MFA_CHALLENGE_LIFE } from '../../../domain/identity/mfaChallenge.ts';
import { uuid7 } from '../../../uuid.ts';
import type { Outcome, Refused, Run } from '../../binding.ts';
import { uncontended } from '../../outcomes.ts';
import { newRefreshToken } from '../refreshToken.ts';
import { countFailure } from './attempt.ts';
import { challengeToken, sendMfaCode } from './challenge.ts';
import { type MfaRequired, openSession } from './session.ts';

/** Somebody who has proved the first factor, by which identifier, and on which device. */
export type Proved = {
  readonly accountId: string;
  readonly identifierHash: string;
  readonly method: 'password' | 'otp' | 'oauth';
  /** How often the means to log in had been changed when the factor was held against them. */
  readonly credentials: number;
  readonly deviceId?: string | undefined;
  readonly deviceName?: string | undefined;
};

const CLOSED: Refused = {
  ok: false,
  code: 'FORBIDDEN',
  reason: 'account-deactivated',
  message: 'This account is deactivated',
  details: [],
};

const CHANGED: Refused = {
  ok: false,
  code: 'UNAUTHORIZED',
  reason: 'credentials-changed',
  message: 'Password or second factor have just been changed; please log in again',
  details: [],
};

type Needs = Pick<Run<unknown>, 'reads' | 'step' | 'origin'>;

const optional = <Name extends string>(name: Name, value: string | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [K in Name]?: string };

/** Counts the success and opens the session, unless the means to log in have changed since they were proved. */
export const finishLogin = async (
  run: Needs,
  { accountId, identifierHash, credentials, deviceId, deviceName }: Omit<Proved, 'method'>,
  method: Proved['method'] | 'mfa',
): Promise<Outcome> => {
  const { reads, step, origin } = run;
  const token = newRefreshToken(reads.hash);
  const of = { accountId, method, ...optional('deviceId', deviceId) };
  // Others who log in by the same identifier at this moment, through other processes, are no reason to send him away.
  const counted = await uncontended(() =>
    step(recordLogin, identifierHash, { identifierHash, sessionId: token.sessionId, ...of, ...origin }),
  );
  if (!counted.ok) return counted;
  const opened = await openSession(run, token, { ...of, ...optional('deviceName', deviceName) });
  if (!opened.ok) return opened;
  const now = (await reads.load(account, accountId)).state;
  if (now.status === 'active' && now.credentials === credentials) return opened;
  const { sessionId } = token;
  await step(endLoginSession, sessionId, { sessionId, by: 'password_change' });
  return CHANGED;
};

/**
 * What follows the first factor: nothing for a deactivated account, the second factor where one is asked for and the
 * device is not trusted, else the session.
 */
export const completeLogin = async (run: Needs, proved: Proved): Promise<Outcome> => {
  const { reads, step } = run;
  const { accountId, identifierHash, method, credentials, deviceId } = proved;
  const { state } = await reads.load(account, accountId);
  if (state.status !== 'active') return countFailure(run, { identifierHash, accountId, reason: 'deactivated' }, CLOSED);
  const { mfa } = state;
  if (mfa === undefined || (deviceId !== undefined && trustsDevice(state, deviceId, reads.now())))
    return finishLogin(run, proved, method);
  const challengeId = uuid7();
  const asked = await step(issueMfaChallenge, challengeId, {
    challengeId,
    accountId,
    identifierHash,
    first: method,
    methods: [mfa.method],
    credentials,
    ...optional('deviceId', deviceId),
  });
  if (!asked.ok) return asked;
  if (mfa.method === 'sms') await sendMfaCode(run, { accountId, state, identifierHash });
  const data: z.output<typeof MfaRequired> = {
    mfaRequired: true,
    challengeToken: challengeToken(reads.hash, challengeId),
    methods: [mfa.method],
    expiresIn: MFA_CHALLENGE_LIFE / 1000,
  };
  return { ...asked, version: undefined, data };
};
