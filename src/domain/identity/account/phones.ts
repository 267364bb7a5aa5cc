import { z } from 'zod';
import { type Rejection, reject } from '../../decider.ts';
import { HOUR_MS } from '../../durations.ts';
import { line, phoneNumber, uuid } from '../../fields.ts';
import { sixDigits } from '../otp.ts';
import type { AccountEvent } from './events.ts';
import { accountUnknown } from './refusals.ts';
import { type Account, command, PHONES_PER_HOUR, type Phone } from './state.ts';

/** Telephone numbers of one account. */
const MAX_PHONES = 5;

const numberUnknown = () => reject('NOT_FOUND', 'number-unknown', 'There is no such telephone number');

/** The number of that id, if the account has it. */
export const phoneOf = ({ phones }: Account, phoneNumberId: string): Phone | undefined =>
  phones.find(({ id }) => id === phoneNumberId);

/** Whether the account has proved that the number is its holder's. */
export const holdsNumber = ({ phones }: Account, numberHash: string): boolean =>
  phones.some((phone) => phone.verified && phone.numberHash === numberHash);

/** Why the account takes no further number; undefined when it takes this one. */
export const refuseNumber = (
  { status, phones, phonesAdded }: Account,
  numberHash: string,
  now: Date,
): Rejection | undefined => {
  if (status !== 'active') return accountUnknown();
  if (phones.some((phone) => phone.numberHash === numberHash))
    return reject('CONFLICT', 'number-listed', 'This number is on the account already', 'number');
  if (phones.length >= MAX_PHONES)
    return reject('CONFLICT', 'number-limit', `An account has at most ${MAX_PHONES} telephone numbers`);
  const waits = phonesAdded.map((at) => Date.parse(at) + HOUR_MS - now.getTime()).filter((wait) => wait > 0);
  if (waits.length >= PHONES_PER_HOUR)
    return {
      ...reject('RATE_LIMIT_EXCEEDED', 'asked-often', `At most ${PHONES_PER_HOUR} numbers can be added in an hour`),
      retryAfter: Math.ceil((waits[0] ?? 0) / 1000),
    };
  return undefined;
};

const label = line(1, 30);

/** Adds a telephone number. It counts for nothing until a code sent to it has come back. */
export const addPhoneNumber = command(
  'AddPhoneNumber',
  z.object({ number: phoneNumber, label: label.optional() }),
  (
    { number, label },
    state,
    context: { facts: { numberHash: string }; actor: { id: string }; newId(label: string): string; now: Date },
  ) => {
    const { facts, actor, newId, now } = context;
    const refusal = refuseNumber(state, facts.numberHash, now);
    if (refusal !== undefined) return refusal;
    const data = { accountId: actor.id, phoneNumberId: newId('phone'), number, ...facts, at: now.toISOString() };
    return [{ type: 'PhoneNumberAdded', data: label === undefined ? data : { ...data, label } }];
  },
);

const primary = (accountId: string, phoneNumberId: string): AccountEvent => ({
  type: 'PrimaryPhoneNumberSet',
  data: { accountId, phoneNumberId },
});

/** Notes that the number is the holder's; it has been reserved before. The first one becomes the primary one. */
export const noteVerifiedNumber = command(
  'NoteVerifiedNumber',
  z.object({ accountId: uuid, phoneNumberId: uuid }),
  ({ accountId, phoneNumberId }, state, { now }) => {
    const phone = phoneOf(state, phoneNumberId);
    if (state.status !== 'active' || phone === undefined) return numberUnknown();
    if (phone.verified) return [];
    return [
      { type: 'PhoneNumberVerified', data: { accountId, phoneNumberId, at: now.toISOString() } },
      ...(state.primaryPhoneId === undefined ? [primary(accountId, phoneNumberId)] : []),
    ];
  },
);

/** Holds the code against the challenge that was sent to the number. A process of steps; here it is judged that there is such a number. */
export const verifyPhoneNumber = command(
  'VerifyPhoneNumber',
  z.object({ phoneNumberId: uuid, code: sixDigits }),
  ({ phoneNumberId }, state) => (phoneOf(state, phoneNumberId) === undefined ? numberUnknown() : []),
);

const madePrimary = (accountId: string, { verified, id }: Phone, primaryPhoneId: string | undefined) => {
  if (!verified) return reject('CONFLICT', 'number-unverified', 'Verify this number first');
  return primaryPhoneId === id ? [] : [primary(accountId, id)];
};

/** Makes a verified number the one that stands for the account. */
export const setPrimaryPhoneNumber = command(
  'SetPrimaryPhoneNumber',
  z.object({ phoneNumberId: uuid }),
  ({ phoneNumberId }, state, { actor }) => {
    const phone = phoneOf(state, phoneNumberId);
    return phone === undefined ? numberUnknown() : madePrimary(actor.id, phone, state.primaryPhoneId);
  },
);

/** Labels a number, makes it the primary one, or both. */
export const updatePhoneNumber = command(
  'UpdatePhoneNumber',
  z.object({
    phoneNumberId: uuid,
    primary: z.literal(true, 'Another number is made the primary one instead').optional(),
    label: label.optional(),
  }),
  (
    { phoneNumberId, primary: wanted, label },
    state,
    { actor, facts }: { actor: { id: string }; facts: { label: string | undefined } },
  ) => {
    const phone = phoneOf(state, phoneNumberId);
    if (phone === undefined) return numberUnknown();
    const chosen = wanted === undefined ? [] : madePrimary(actor.id, phone, state.primaryPhoneId);
    if ('reason' in chosen) return chosen;
    if (label === undefined || label === facts.label) return chosen;
    return [...chosen, { type: 'PhoneNumberLabelled', data: { accountId: actor.id, phoneNumberId, label } }];
  },
);

/** Removes a number, unless codes of the second factor go to it. The number verified first takes the place of the primary one. */
export const removePhoneNumber = command(
  'RemovePhoneNumber',
  z.object({ phoneNumberId: uuid }),
  ({ phoneNumberId }, state, { actor }) => {
    const phone = phoneOf(state, phoneNumberId);
    if (phone === undefined) return numberUnknown();
    if (state.mfa?.phoneNumberId === phoneNumberId)
      return reject('CONFLICT', 'number-in-use', 'Codes of the second factor go to this number');
    const { numberHash } = phone;
    const removed: AccountEvent = {
      type: 'PhoneNumberRemoved',
      data: { accountId: actor.id, phoneNumberId, numberHash },
    };
    if (state.primaryPhoneId !== phoneNumberId) return [removed];
    const [next] = state.phones
      .filter(({ id, verified }) => verified && id !== phoneNumberId)
      .sort((a, b) => ((a.verifiedAt ?? '') < (b.verifiedAt ?? '') ? -1 : 1));
    return next === undefined ? [removed] : [removed, primary(actor.id, next.id)];
  },
);

/**
 * Takes a number that was never verified from an account, because somebody else has proved to have it. Whatever the
 * account's holder has under way with it comes to nothing.
 */
export const loseNumber = command(
  'LoseNumber',
  z.object({ accountId: uuid, numberHash: line(1, 64) }),
  ({ accountId, numberHash }, state) => {
    const phone = state.phones.find((one) => one.numberHash === numberHash);
    if (phone === undefined) return [];
    if (phone.verified) return reject('CONFLICT', 'number-taken', 'This number is verified for another account');
    return [{ type: 'PhoneNumberRemoved', data: { accountId, phoneNumberId: phone.id, numberHash } }];
  },
);
