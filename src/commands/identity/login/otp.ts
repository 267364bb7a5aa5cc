import { z } from 'zod';
import { type Rejection, reject } from '../../../domain/decider.ts';
import { account } from '../../../domain/identity/account/index.ts';
import {
  challengeOf,
  checkOtp,
  codeWrong,
  OTP_LIFE,
  OTP_SPACING,
  type OtpChallenge,
  otp,
  sendOtp,
  smsMissing,
  targetOfChallenge,
  verifyOtp,
} from '../../../domain/identity/otp.ts';
import { bind, type Outcome, type Refused, type Run } from '../../binding.ts';
import { refused } from '../../outcomes.ts';
import type { Reads } from '../../reads.ts';
import { otpCode } from '../otpCode.ts';
import { provePhoneNumber } from '../phones.ts';
import { type Attempting, countFailure, refuseWhileLocked } from './attempt.ts';
import { completeLogin } from './completion.ts';
import { type Identifier, identifierOf, otpFactsOf, otpFactsOfPhone, otpTarget } from './identifier.ts';
import { LoggedIn } from './session.ts';

const WRONG: Refused = refused(codeWrong());

/** What holds a code against its challenge. */
type Answered = {
  readonly identifier: Identifier | undefined;
  readonly challengeId?: string | undefined;
  readonly code: string;
  readonly deviceId?: string | undefined;
  readonly deviceName?: string | undefined;
};

const targetFor = (reads: Reads, { identifier, challengeId = '' }: Answered): string =>
  identifier === undefined ? targetOfChallenge(challengeId) : otpTarget(reads.hash, identifier);

const wrongCode = async (run: Attempting, { identifierHash, accountId }: OtpChallenge): Promise<Refused> =>
  countFailure(run, { identifierHash, accountId, reason: 'wrong_otp' }, WRONG);

/** Holds a code against its challenge and does what the challenge is for: logs in, or proves a telephone number. */
export const checkCode = async (run: Attempting, answered: Answered): Promise<Outcome> => {
  const { reads, step } = run;
  const target = targetFor(reads, answered);
  const challenge = challengeOf((await reads.load(otp, target)).state, answered);
  if (challenge === undefined || challenge.purpose === 'mfa') return WRONG;
  const { challengeId, identifierHash, accountId, purpose } = challenge;
  const locked = await refuseWhileLocked(run, identifierHash, accountId);
  if (locked !== undefined) return locked;
  const right = otpCode(reads.hash, challengeId) === answered.code;
  const checked = await step(checkOtp, target, {}, { challengeId, right });
  if (!checked.ok) return checked.reason === 'contended' ? checked : wrongCode(run, challenge);
  if (!right || accountId === undefined) return wrongCode(run, challenge);
  if (purpose === 'verify_phone') return provePhoneNumber(run, accountId, challenge.phoneNumberId ?? '');
  const { credentials } = (await reads.load(account, accountId)).state;
  const { deviceId, deviceName } = answered;
  return completeLogin(run, { accountId, identifierHash, method: 'otp', credentials, deviceId, deviceName });
};

/** The number of the holder that a code for another purpose than logging in is for. */
const ownNumber = async (reads: Reads, accountId: string, identifier: Identifier, purpose: 'verify_phone' | 'mfa') => {
  const wanted = await otpFactsOf(reads, identifier);
  const { phones, mfa, mfaSetup } = (await reads.load(account, accountId)).state;
  const phone = phones.find(
    (one) =>
      otpFactsOfPhone(reads.hash, { accountId, phone: one, identifierHash: '' }).targetHash === wanted.targetHash,
  );
  const fits =
    phone !== undefined &&
    (purpose === 'verify_phone' ? !phone.verified : phone.id === (mfa ?? mfaSetup)?.phoneNumberId);
  return fits
    ? otpFactsOfPhone(reads.hash, { accountId, phone, identifierHash: wanted.identifierHash })
    : reject('VALIDATION_ERROR', 'number-not-fitting', 'Must be a number of yours that needs this code', 'phoneNumber');
};

const LOGIN_FIRST = reject('UNAUTHORIZED', 'login-required', 'Log in first');

const isRejection = (value: object): value is Rejection => 'reason' in value;

const send = async (
  run: Run<z.output<typeof sendOtp.input>, Awaited<ReturnType<typeof otpFactsOf>>>,
): Promise<Outcome> => {
  const { input, actor, reads, judge } = run;
  const identifier = identifierOf(input);
  if (input.purpose !== 'login' && actor.kind !== 'user') return refused(LOGIN_FIRST);
  const facts =
    input.purpose === 'login'
      ? await otpFactsOf(reads, identifier)
      : await ownNumber(reads, actor.id, identifier, input.purpose);
  if (isRejection(facts)) return refused(facts);
  if (facts.channel === 'sms' && !reads.textable()) return refused(smsMissing());
  return judge(input, facts);
};

/** One-time codes: sending and checking them. */
export const otpBindings = [
  bind(sendOtp, {
    path: 'POST /auth/send-otp',
    access: 'anyone',
    credential: true,
    stream: (input, { hash }) => otpTarget(hash, identifierOf(input)),
    version: () => undefined,
    process: send,
    answer: {
      schema: z.object({
        challengeId: z.string(),
        expiresIn: z.int().describe('Seconds that the code lives'),
        resendAfter: z.int().describe('Seconds after which another can be asked for'),
      }),
      of: ({ state, input: { purpose } }) => ({
        challengeId: state.challenges[purpose]?.challengeId ?? '',
        expiresIn: OTP_LIFE / 1000,
        resendAfter: OTP_SPACING / 1000,
      }),
    },
    summary: 'Sends a one-time code; the answer is the same whether anybody is known by this identifier',
    example: { email: 'ada@example.org' },
  }),
  bind(verifyOtp, {
    path: 'POST /auth/verify-otp',
    access: 'anyone',
    credential: true,
    stream: ({ challengeId, ...input }, { hash }) =>
      challengeId === undefined ? otpTarget(hash, identifierOf(input)) : targetOfChallenge(challengeId),
    version: () => undefined,
    process: (run) => {
      const { challengeId, code, ...identifiers } = run.input;
      const identifier = challengeId === undefined ? identifierOf(identifiers) : undefined;
      return checkCode(run, { identifier, challengeId, code });
    },
    answer: { schema: z.union([LoggedIn, z.object({ phoneVerified: z.literal(true) })]) },
    summary: 'Checks a one-time code: logs in, or proves a telephone number',
    example: { email: 'ada@example.org', code: '123456' },
  }),
];
