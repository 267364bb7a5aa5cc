import { z } from 'zod';
import { commandsOf, decider, type EventOf, type Rejection, reject } from '../decider.ts';
import { HOUR_MS, MINUTE_MS } from '../durations.ts';
import { agentCode, email, phoneNumber, uuid } from '../fields.ts';

/** What a one-time code may prove. */
export const OTP_PURPOSES = ['login', 'verify_phone', 'mfa'] as const;
export type OtpPurpose = (typeof OTP_PURPOSES)[number];
const CHANNELS = ['sms', 'email'] as const;

const Issued = z.object({
  challengeId: z.string(),
  targetHash: z.string(),
  identifierHash: z.string().describe('Names the attempts to log in that a wrong code counts among'),
  accountId: z.string().optional().describe('Absent when nobody has this identifier: no code is sent'),
  phoneNumberId: z.string().optional().describe('Where it goes by SMS'),
  channel: z.enum(CHANNELS),
  purpose: z.enum(OTP_PURPOSES),
  at: z.string(),
  expiresAt: z.string(),
});

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  OtpIssued: Issued,
  OtpVerified: z.object({ challengeId: z.string(), accountId: z.string(), purpose: z.enum(OTP_PURPOSES) }),
  OtpRejected: z.object({
    challengeId: z.string(),
    accountId: z.string().optional(),
    attempts: z.int(),
    voided: z.boolean().describe('Its tries are used up'),
  }),
};
export type OtpEvent = EventOf<typeof events>;

/** A code that was sent and may still count. */
export type OtpChallenge = {
  readonly challengeId: string;
  readonly identifierHash: string;
  readonly accountId?: string;
  readonly phoneNumberId?: string;
  readonly at: string;
  readonly expiresAt: string;
  readonly attempts: number;
  /** False once it was used or its tries are used up. */
  readonly open: boolean;
};

export type Otp = {
  /** The latest of each purpose; those before it are void. */
  readonly challenges: Readonly<Partial<Record<OtpPurpose, OtpChallenge>>>;
  /** When the latest codes went out, oldest first. */
  readonly issued: readonly string[];
};

/** Milliseconds that a code lives, and that lie between two of one purpose. */
export const OTP_LIFE = 5 * MINUTE_MS;
export const OTP_SPACING = MINUTE_MS;
/** Codes for one target in an hour, and tries of one code. */
const PER_HOUR = 5;
const TRIES = 5;

const changed = (state: Otp, challengeId: string, change: Partial<OtpChallenge>): Otp => ({
  ...state,
  challenges: Object.fromEntries(
    Object.entries(state.challenges).map(([purpose, challenge]) => [
      purpose,
      challenge.challengeId === challengeId ? { ...challenge, ...change } : challenge,
    ]),
  ),
});

/**
 * The one-time codes for one target: a telephone number, an address, or an agent code, known or not. The codes themselves
 * are nowhere: they follow from the challenge's id and the service's key.
 */
export const otp = decider<Otp, OtpEvent>({
  category: 'otp',
  events,
  initial: { challenges: {}, issued: [] },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'OtpIssued': {
        const { targetHash: _stream, channel: _way, purpose, ...challenge } = data;
        return {
          challenges: { ...state.challenges, [purpose]: { ...challenge, attempts: 0, open: true } },
          issued: [...state.issued, data.at].slice(-PER_HOUR),
        };
      }
      case 'OtpVerified':
        return changed(state, data.challengeId, { open: false });
      case 'OtpRejected':
        return changed(state, data.challengeId, { attempts: data.attempts, open: !data.voided });
    }
  },
});
const command = commandsOf(otp);

const TARGET_DIGITS = 18;

/** The stream's id, from a keyed hash of the target: as much of it as a challenge's id can carry. */
export const otpTargetOf = (hash: string): string => hash.slice(0, TARGET_DIGITS);

/** A UUID of version 8 that carries its target, so that a code can be checked by it alone. */
const challengeIdOf = (target: string, nonce: string): string =>
  `${target.slice(0, 8)}-${target.slice(8, 12)}-8${target.slice(12, 15)}-a${target.slice(15, 18)}-${nonce.slice(0, 12)}`;

/** The target that a challenge's id carries. */
export const targetOfChallenge = (challengeId: string): string => {
  const digits = challengeId.replaceAll('-', '');
  return `${digits.slice(0, 12)}${digits.slice(13, 16)}${digits.slice(17, 20)}`;
};

/** Exactly one of the ways to name somebody. */
export const oneIdentifier = {
  email: email.optional(),
  phoneNumber: phoneNumber.optional(),
  agentCode: agentCode.optional(),
};
type Identifiers = z.output<z.ZodObject<typeof oneIdentifier>>;
const namesOne = (input: Identifiers): boolean =>
  [input.email, input.phoneNumber, input.agentCode].filter((value) => value !== undefined).length === 1;

/** The check that exactly one identifier is given. */
export const exactlyOneIdentifier = <S extends z.ZodType<Identifiers>>(schema: S) =>
  schema.refine(namesOne, { path: ['email'], message: 'Exactly one of email, phoneNumber and agentCode is needed' });

/** Whom a code is for: known or not, and how it would reach him. */
export type OtpFacts = Pick<
  z.output<typeof Issued>,
  'targetHash' | 'identifierHash' | 'accountId' | 'phoneNumberId' | 'channel'
>;

const wait = (at: number, now: Date) => ({
  ...reject('RATE_LIMIT_EXCEEDED', 'code-sent-recently', 'A code was sent not long ago; please wait before the next'),
  retryAfter: Math.ceil((at - now.getTime()) / 1000),
});

/** Why no further code can be sent just now; undefined when one can. */
export const refuseCode = ({ challenges, issued }: Otp, purpose: OtpPurpose, now: Date): Rejection | undefined => {
  const latest = challenges[purpose];
  const next = latest === undefined ? 0 : Date.parse(latest.at) + OTP_SPACING;
  if (next > now.getTime()) return wait(next, now);
  const recent = issued.filter((at) => Date.parse(at) > now.getTime() - HOUR_MS);
  return recent.length >= PER_HOUR ? wait(Date.parse(recent[0] ?? '') + HOUR_MS, now) : undefined;
};

const issue = (
  purpose: OtpPurpose,
  state: Otp,
  { facts, entropy, now }: { readonly facts: OtpFacts; readonly entropy: string; readonly now: Date },
) => {
  const refusal = refuseCode(state, purpose, now);
  if (refusal !== undefined) return refusal;
  const data = {
    ...facts,
    challengeId: challengeIdOf(facts.targetHash, entropy),
    purpose,
    at: now.toISOString(),
    expiresAt: new Date(now.getTime() + OTP_LIFE).toISOString(),
  };
  return [{ type: 'OtpIssued' as const, data }];
};

/** Sends a code to a target, once a minute for each purpose and five times an hour in all; it voids the one before. */
export const sendOtp = command(
  'SendOtp',
  exactlyOneIdentifier(z.object({ ...oneIdentifier, purpose: z.enum(OTP_PURPOSES).default('login') })),
  ({ purpose }, state, context: { facts: OtpFacts; entropy: string; now: Date }) => issue(purpose, state, context),
);

/** Sends a code to a telephone number of an account that is known to be its holder's, or is about to be proved so. */
export const issueOtp = command(
  'IssueOtp',
  z.object({ purpose: z.enum(OTP_PURPOSES) }),
  ({ purpose }, state, context: { facts: OtpFacts; entropy: string; now: Date }) => issue(purpose, state, context),
);

/** The challenge that a code is held against: the one named, or the latest of the purpose. */
export const challengeOf = (
  { challenges }: Otp,
  of: { readonly challengeId?: string | undefined; readonly purpose?: OtpPurpose },
): (OtpChallenge & { readonly purpose: OtpPurpose }) | undefined => {
  for (const purpose of OTP_PURPOSES) {
    const challenge = challenges[purpose];
    if (challenge === undefined) continue;
    if (of.challengeId === undefined ? purpose === (of.purpose ?? 'login') : challenge.challengeId === of.challengeId)
      return { ...challenge, purpose };
  }
  return undefined;
};

/** The refusal of a code that is wrong, expired, used or void; it does not tell which. */
export const codeWrong = () => reject('UNAUTHORIZED', 'code-wrong', 'This code is wrong or no longer valid');

/** The refusal where no text message can be sent. */
export const smsMissing = () =>
  reject('SERVICE_UNAVAILABLE', 'sms-not-configured', 'Text messages cannot be sent just now');

/** A code of six digits. */
export const sixDigits = z
  .string()
  .trim()
  .regex(/^[0-9]{6}$/, 'Must be the six digits of the code');

/** Which challenge a code is for, and whether it is the right one. */
export type CodeFacts = { readonly challengeId: string; readonly right: boolean };

const check = (state: Otp, { facts, now }: { readonly facts: CodeFacts; readonly now: Date }) => {
  const { challengeId, right } = facts;
  const challenge = challengeOf(state, { challengeId });
  if (challenge === undefined || !challenge.open || Date.parse(challenge.expiresAt) <= now.getTime())
    return codeWrong();
  const { accountId, purpose } = challenge;
  if (right && accountId !== undefined)
    return [{ type: 'OtpVerified' as const, data: { challengeId, accountId, purpose } }];
  const attempts = challenge.attempts + 1;
  const known = accountId === undefined ? {} : { accountId };
  return [{ type: 'OtpRejected' as const, data: { challengeId, ...known, attempts, voided: attempts >= TRIES } }];
};

/**
 * Holds a code against its challenge: the right one counts once, the fifth wrong one voids it. A wrong code is a fact of
 * its own, so that the caller tells from the events what came of it.
 */
export const verifyOtp = command(
  'VerifyOtp',
  z
    .object({ challengeId: uuid.optional(), ...oneIdentifier, code: sixDigits })
    .refine(({ challengeId, ...identifiers }) => (challengeId === undefined ? namesOne(identifiers) : true), {
      path: ['challengeId'],
      message: 'challengeId, or exactly one of email, phoneNumber and agentCode, is needed',
    }),
  (_input, state, context: { facts: CodeFacts; now: Date }) => check(state, context),
);

/** The same as a step of a longer command. */
export const checkOtp = command('CheckOtp', z.object({}), (_input, state, context: { facts: CodeFacts; now: Date }) =>
  check(state, context),
);
