import { z } from 'zod';
import { reject } from '../../decider.ts';
import { email, language, line, password, phoneNumber, timeZone, uuid } from '../../fields.ts';
import { command } from './state.ts';

/** What registering must know: made outside, because hashing takes time and keys. */
export type RegistrationFacts = { readonly passwordHash: string; readonly emailHash: string };
/** The same, and how the reservation of the telephone number is called, if one was told. */
export type HolderFacts = RegistrationFacts & { readonly numberHash?: string };

const addressTaken = () => reject('CONFLICT', 'email-taken', 'There is an account with this e-mail address', 'email');

/** Opens an account whose address has been reserved before. It begins on plan free, and address and number unverified. */
export const registerAccount = command(
  'RegisterAccount',
  z.object({
    email,
    password,
    displayName: line(1, 100),
    acceptTerms: z.literal(true, 'The terms must be accepted'),
    phoneNumber: phoneNumber.optional(),
    timezone: timeZone.default('UTC'),
    language: language.default('en'),
    createdFrom: z.enum(['web', 'mobile', 'api']).default('api'),
  }),
  (input, { status }, { facts, newId, now }: { facts: HolderFacts; newId(label: string): string; now: Date }) => {
    if (status !== 'none') return addressTaken();
    const { password: _clear, acceptTerms: _true, phoneNumber: phone, ...profile } = input;
    const { numberHash, ...hashes } = facts;
    const accountId = newId('account');
    const at = now.toISOString();
    return [
      {
        type: 'AccountRegistered',
        data: {
          accountId,
          ...profile,
          ...(phone === undefined ? {} : { phoneNumber: phone }),
          ...hashes,
          plan: 'free',
          method: 'password',
          termsAcceptedAt: at,
        },
      },
      ...(phone === undefined || numberHash === undefined
        ? []
        : [
            {
              type: 'PhoneNumberAdded' as const,
              data: { accountId, phoneNumberId: newId('phone'), number: phone, numberHash, at },
            },
          ]),
    ];
  },
);

/** Opens the account of the first administrator, verified from the start. Doing so twice changes nothing. */
export const registerAdministrator = command(
  'RegisterAdministrator',
  z.object({ accountId: uuid, email, password: z.string().min(1).max(72) }),
  (input, { status }, { facts, now }: { facts: RegistrationFacts; now: Date }) => {
    if (status === 'active') return [];
    if (status !== 'none') return addressTaken();
    const { accountId } = input;
    return [
      {
        type: 'AccountRegistered',
        data: {
          accountId,
          email: input.email,
          ...facts,
          displayName: 'Administrator',
          timezone: 'UTC',
          language: 'en',
          plan: 'free',
          createdFrom: 'service',
          method: 'password',
        },
      },
      { type: 'EmailVerified', data: { accountId, at: now.toISOString() } },
    ];
  },
);

/** Rules out for good that a registration which stopped half-way still comes about, so that its address may be reserved anew. */
export const abandonRegistration = command('AbandonRegistration', z.object({ accountId: uuid }), (data, { status }) => {
  if (status === 'abandoned') return [];
  return status === 'none' ? [{ type: 'RegistrationAbandoned', data }] : addressTaken();
});
