import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { MINUTE_MS } from '../durations.ts';
import { line, uuid } from '../fields.ts';
import { MFA_METHODS } from './account/events.ts';
import { sixDigits } from './otp.ts';

const FACTORS = ['totp', 'sms', 'backup_code'] as const;
/** How the first factor was proved. */
const FIRST = ['password', 'otp', 'oauth'] as const;

const Issued = z.object({
  challengeId: z.string(),
  accountId: z.string(),
  identifierHash: z.string().describe('Names the attempts to log in that a wrong code counts among'),
  first: z.enum(FIRST),
  methods: z.array(z.enum(MFA_METHODS)),
  credentials: z.int().describe('How often the means to log in had been changed when the first factor was proved'),
  deviceId: z.string().optional(),
  at: z.string(),
  expiresAt: z.string(),
});

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  MfaChallengeIssued: Issued,
  MfaChallengePassed: z.object({ challengeId: z.string(), accountId: z.string(), via: z.enum(FACTORS) }),
  MfaChallengeFailed: z.object({ challengeId: z.string(), accountId: z.string(), attempts: z.int() }),
};
export type MfaChallengeEvent = EventOf<typeof events>;

export type MfaChallenge = {
  readonly of?: Omit<z.output<typeof Issued>, 'challengeId'>;
  readonly attempts: number;
  readonly passed: boolean;
};

/** Milliseconds that a challenge may be answered, and how many wrong answers void it. */
export const MFA_CHALLENGE_LIFE = 5 * MINUTE_MS;
const TRIES = 5;

/** A log-in that has proved its first factor and owes the second. */
export const mfaChallenge = decider<MfaChallenge, MfaChallengeEvent>({
  category: 'mfaChallenge',
  events,
  initial: { attempts: 0, passed: false },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'MfaChallengeIssued': {
        const { challengeId: _stream, ...of } = data;
        return { ...state, of };
      }
      case 'MfaChallengePassed':
        return { ...state, passed: true };
      case 'MfaChallengeFailed':
        return { ...state, attempts: data.attempts };
    }
  },
});
const command = commandsOf(mfaChallenge);

/** Asks for the second factor of an account whose first has been proved. */
export const issueMfaChallenge = command(
  'IssueMfaChallenge',
  z.object({
    challengeId: uuid,
    accountId: uuid,
    identifierHash: line(1, 64),
    first: z.enum(FIRST),
    methods: z.array(z.enum(MFA_METHODS)).min(1),
    credentials: z.int(),
    deviceId: line(1, 100).optional(),
  }),
  ({ deviceId, ...input }, { of }, { now }) => {
    if (of !== undefined) return [];
    const expiresAt = new Date(now.getTime() + MFA_CHALLENGE_LIFE).toISOString();
    const device = deviceId === undefined ? {} : { deviceId };
    return [{ type: 'MfaChallengeIssued', data: { ...input, ...device, at: now.toISOString(), expiresAt } }];
  },
);

/** The challenge, while it can still be answered. */
export const openChallenge = ({ of, attempts, passed }: MfaChallenge, now: Date): MfaChallenge['of'] =>
  of === undefined || passed || attempts >= TRIES || Date.parse(of.expiresAt) <= now.getTime() ? undefined : of;

/** The refusal of a challenge that is unknown, answered, expired or void, or of a wrong answer; it does not tell which. */
export const answerWrong = () => reject('UNAUTHORIZED', 'code-wrong', 'This code is wrong or no longer valid');

/** Which challenge an answer is for, and by which factor it is right; undefined when it is wrong. */
export type AnswerFacts = { readonly challengeId: string; readonly via: (typeof FACTORS)[number] | undefined };

/** Answers a challenge: a right code ends it, a wrong one is counted, and the fifth voids it. */
export const verifyMfaChallenge = command(
  'VerifyMfaChallenge',
  z
    .object({
      challengeToken: line(1, 200),
      code: sixDigits.optional(),
      backupCode: z
        .string()
        .trim()
        .regex(/^[0-9]{8}$/, 'Must be the eight digits of a backup code')
        .optional(),
      trustDevice: z.boolean().default(false),
    })
    .refine(({ code, backupCode }) => (code === undefined) !== (backupCode === undefined), {
      path: ['code'],
      message: 'Exactly one of code and backupCode is needed',
    }),
  (_input, state, { facts, now }: { facts: AnswerFacts; now: Date }) => {
    const { challengeId, via } = facts;
    const challenge = openChallenge(state, now);
    if (challenge === undefined) return answerWrong();
    const { accountId } = challenge;
    if (via !== undefined) return [{ type: 'MfaChallengePassed', data: { challengeId, accountId, via } }];
    return [{ type: 'MfaChallengeFailed', data: { challengeId, accountId, attempts: state.attempts + 1 } }];
  },
);
