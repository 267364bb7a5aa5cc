import { z } from 'zod';
import { reject } from '../../domain/decider.ts';
import * as accounts from '../../domain/identity/account/index.ts';
import { type AccountEvent, account, type Phone } from '../../domain/identity/account/index.ts';
import { challengeOf, checkOtp, issueOtp, otp, refuseCode, smsMissing } from '../../domain/identity/otp.ts';
import { claimPhoneNumber, releasePhoneNumber, verifiedPhone } from '../../domain/identity/verifiedPhone.ts';
import { bind, internal, type Outcome, type Run } from '../binding.ts';
import { latest, refused } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { identifierHash, numberHash, otpFactsOfPhone } from './login/identifier.ts';
import { otpCode } from './otpCode.ts';
import { newestAccount } from './standing.ts';

type Needs = Pick<Run<unknown>, 'reads' | 'step'>;

/** Milliseconds that a reservation is left alone while its account has not noted it. */
const PROVING_TIME = 10_000;

/** Reserves the number of an account. An owner who never noted that it is his gives way, and loses the number for good first. */
const reserveNumber = async ({ reads, step }: Needs, accountId: string, numberHash: string): Promise<Outcome> => {
  const outcome = await step(claimPhoneNumber, numberHash, { accountId });
  if (outcome.ok) return outcome;
  const { owner, claimedAt } = (await reads.load(verifiedPhone, numberHash)).state;
  if (owner === undefined || claimedAt === undefined) return outcome;
  if (reads.now().getTime() - Date.parse(claimedAt) < PROVING_TIME) return outcome;
  if (accounts.holdsNumber(await newestAccount(reads, owner), numberHash)) return outcome;
  const lost = await step(accounts.loseNumber, owner, { accountId: owner, numberHash });
  return lost.ok
    ? step(claimPhoneNumber, numberHash, { accountId, insteadOf: { accountId: owner, claimedAt } })
    : outcome;
};

/** Notes that the number is the holder's, whose code has come back: it is verified for one account only. */
export const provePhoneNumber = async (run: Needs, accountId: string, phoneNumberId: string): Promise<Outcome> => {
  const { reads, step } = run;
  const phone = accounts.phoneOf((await reads.load(account, accountId)).state, phoneNumberId);
  if (phone === undefined) return step(accounts.noteVerifiedNumber, accountId, { accountId, phoneNumberId });
  const reserved = await reserveNumber(run, accountId, phone.numberHash);
  if (!reserved.ok) return reserved;
  const noted = await step(accounts.noteVerifiedNumber, accountId, { accountId, phoneNumberId });
  return noted.ok ? { ...noted, data: { phoneVerified: true } } : noted;
};

/** The latest code that was sent to the number of an account to prove it. */
const challengeFor = async (reads: Reads, accountId: string, phone: Phone) => {
  const facts = otpFactsOfPhone(reads.hash, { accountId, phone, identifierHash: '' });
  const challenge = challengeOf((await reads.load(otp, facts.targetHash)).state, { purpose: 'verify_phone' });
  const own = challenge?.accountId === accountId && challenge.phoneNumberId === phone.id;
  return { target: facts.targetHash, challenge: own ? challenge : undefined };
};

const add = async (
  run: Run<z.output<typeof accounts.addPhoneNumber.input>, { readonly numberHash: string }>,
): Promise<Outcome> => {
  const { input, actor, newId, reads, step, judge } = run;
  const { hash } = reads;
  const facts = { numberHash: numberHash(hash, input.number) };
  const phone: Phone = { id: newId('phone'), ...facts, verified: false };
  const answered = async (outcome: Outcome): Promise<Outcome> => {
    if (!outcome.ok) return outcome;
    const { challenge } = await challengeFor(reads, actor.id, phone);
    return { ...outcome, data: { id: phone.id, verified: false, challengeId: challenge?.challengeId ?? '' } };
  };
  const { state } = await reads.load(account, actor.id);
  // A refusal, or a repeat of what was done before: no code goes out.
  if (accounts.refuseNumber(state, facts.numberHash, reads.now()) !== undefined)
    return answered(await judge(input, facts));
  if (!reads.textable()) return refused(smsMissing());
  const named = identifierHash(hash, { kind: 'phoneNumber', value: input.number });
  const of = otpFactsOfPhone(hash, { accountId: actor.id, phone, identifierHash: named });
  // Looked at beforehand: who asks for codes too often adds nothing.
  const tooOften = refuseCode((await reads.load(otp, of.targetHash)).state, 'verify_phone', reads.now());
  if (tooOften !== undefined) return refused(tooOften);
  const added = await judge(input, facts);
  if (!added.ok || added.replayed) return answered(added);
  const issued = await step(issueOtp, of.targetHash, { purpose: 'verify_phone' }, of);
  return issued.ok ? latest(await answered(added), issued) : issued;
};

const WRONG = refused(reject('VALIDATION_ERROR', 'code-wrong', 'This code is wrong or no longer valid', 'code'));

const verify = async (run: Run<z.output<typeof accounts.verifyPhoneNumber.input>>): Promise<Outcome> => {
  const { input, actor, reads, step, judge } = run;
  const { phoneNumberId, code } = input;
  const admitted = await judge();
  if (!admitted.ok) return admitted;
  const phone = accounts.phoneOf((await reads.load(account, actor.id)).state, phoneNumberId);
  const done = (outcome: Outcome): Outcome => (outcome.ok ? { ...outcome, data: { verified: true } } : outcome);
  if (phone === undefined || phone.verified) return done(admitted);
  const { target, challenge } = await challengeFor(reads, actor.id, phone);
  if (challenge === undefined) return WRONG;
  const { challengeId } = challenge;
  const right = otpCode(reads.hash, challengeId) === code;
  const checked = await step(checkOtp, target, {}, { challengeId, right });
  if (!checked.ok) return checked.reason === 'contended' ? checked : WRONG;
  return right ? done(await provePhoneNumber(run, actor.id, phoneNumberId)) : WRONG;
};

/** What the holder sees of a number, as the history tells it, for no state may hold it. */
const itemOf = (history: readonly AccountEvent[], phoneNumberId: string) => {
  let item = { id: phoneNumberId, number: '', label: null as string | null, addedAt: '' };
  for (const { type, data } of history) {
    if (type === 'PhoneNumberAdded' && data.phoneNumberId === phoneNumberId)
      item = { ...item, number: data.number, label: data.label ?? null, addedAt: data.at };
    if (type === 'PhoneNumberLabelled' && data.phoneNumberId === phoneNumberId) item = { ...item, label: data.label };
  }
  return item;
};

/** A telephone number as its holder sees it. */
export const PhoneItem = z.object({
  id: z.string(),
  number: z.string(),
  label: z.string().nullable(),
  verified: z.boolean(),
  primary: z.boolean(),
  addedAt: z.string(),
});

const update = async (
  run: Run<z.output<typeof accounts.updatePhoneNumber.input>, { readonly label: string | undefined }>,
): Promise<Outcome> => {
  const { input, actor, reads, judge } = run;
  const { phoneNumberId } = input;
  const before = itemOf(await reads.history(account, actor.id), phoneNumberId);
  const outcome = await judge(input, { label: before.label ?? undefined });
  if (!outcome.ok) return outcome;
  const { state } = await reads.load(account, actor.id);
  const verified = accounts.phoneOf(state, phoneNumberId)?.verified === true;
  const primary = state.primaryPhoneId === phoneNumberId;
  return { ...outcome, data: { ...before, label: input.label ?? before.label, verified, primary } };
};

/** The reservation of a number that an account no longer needs, by its instant; undefined while it does. */
export const lapsedNumber = async (
  reads: Reads,
  numberHash: string,
  accountId: string,
): Promise<string | undefined> => {
  const { claimedAt } = (await reads.load(verifiedPhone, numberHash)).state;
  return accounts.holdsNumber(await newestAccount(reads, accountId), numberHash) ? undefined : claimedAt;
};

const own = {
  access: 'loggedIn',
  unverified: true,
  stream: (_: unknown, { actor }: { actor: { id: string } }) => actor.id,
} as const;
const EXAMPLE = '0198b1f0-9b11-7d8a-8c52-1e7d3b9a4f02';

/** The telephone numbers of an account. */
export const phoneBindings = [
  bind(accounts.addPhoneNumber, {
    ...own,
    path: 'POST /users/me/phone-numbers',
    status: 201,
    process: add,
    answer: {
      schema: z.object({
        id: z.string(),
        verified: z.literal(false),
        challengeId: z.string().describe('Names the code that was sent to the number'),
      }),
    },
    summary: 'Adds a telephone number and sends a code to it',
    example: { number: '+4930123456', label: 'Office' },
  }),
  bind(accounts.verifyPhoneNumber, {
    ...own,
    path: 'POST /users/me/phone-numbers/:phoneNumberId/verify',
    credential: true,
    process: verify,
    answer: { schema: z.object({ verified: z.literal(true) }) },
    summary: 'Proves a telephone number with the code that was sent to it',
    example: { phoneNumberId: EXAMPLE, code: '123456' },
  }),
  bind(accounts.updatePhoneNumber, {
    ...own,
    path: 'PUT /users/me/phone-numbers/:phoneNumberId',
    process: update,
    answer: { schema: PhoneItem },
    summary: 'Labels a telephone number or makes it the primary one',
    example: { phoneNumberId: EXAMPLE, primary: true, label: 'Office' },
  }),
  bind(accounts.setPrimaryPhoneNumber, {
    ...own,
    summary: 'Makes a verified telephone number the primary one',
    example: { phoneNumberId: EXAMPLE },
  }),
  bind(accounts.removePhoneNumber, {
    ...own,
    path: 'DELETE /users/me/phone-numbers/:phoneNumberId',
    summary: 'Removes a telephone number',
    example: { phoneNumberId: EXAMPLE },
  }),
  internal(releasePhoneNumber, ({ numberHash }) => numberHash, {
    facts: async ({ numberHash, accountId }, reads) => ({ lapsed: await lapsedNumber(reads, numberHash, accountId) }),
  }),
];
