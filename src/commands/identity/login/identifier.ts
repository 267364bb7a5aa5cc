import { type Account, account, type Phone } from '../../../domain/identity/account/index.ts';
import { agentCode } from '../../../domain/identity/agentCode.ts';
import { emailClaim } from '../../../domain/identity/emailClaim.ts';
import { type OtpFacts, otpTargetOf } from '../../../domain/identity/otp.ts';
import { verifiedPhone } from '../../../domain/identity/verifiedPhone.ts';
import type { KeyedHash, Reads } from '../../reads.ts';
import { emailHash } from '../emailAddress.ts';

/** What somebody calls himself by. */
export type Identifier = { readonly kind: 'email' | 'phoneNumber' | 'agentCode'; readonly value: string };

/** The one identifier of an input that has been checked to hold one. */
export const identifierOf = (input: {
  readonly email?: string | undefined;
  readonly phoneNumber?: string | undefined;
  readonly agentCode?: string | undefined;
}): Identifier => {
  if (input.email !== undefined) return { kind: 'email', value: input.email };
  if (input.phoneNumber !== undefined) return { kind: 'phoneNumber', value: input.phoneNumber };
  return { kind: 'agentCode', value: input.agentCode ?? '' };
};

/** Names the attempts to log in with one identifier, whether it has an account or not. */
export const identifierHash = (hash: KeyedHash, { kind, value }: Identifier): string =>
  hash('login-identifier', `${kind}/${value}`);

/** The reservation of a telephone number, and what an account keeps of it. */
export const numberHash = (hash: KeyedHash, number: string): string => hash('phone-number', number);

/** The reservation of an agent code. */
export const agentCodeHash = (hash: KeyedHash, code: string): string => hash('agent-code', code);

/** Somebody who has an account that came about. */
export type Known = { readonly accountId: string; readonly account: Account };

/** What the reservation of an identifier is called: a keyed hash, by its kind. */
const keyOf = {
  email: emailHash,
  phoneNumber: numberHash,
  agentCode: agentCodeHash,
} as const;

/** Whose identifier it is; undefined when nobody's. */
export const holderOf = async (reads: Reads, { kind, value }: Identifier): Promise<Known | undefined> => {
  const key = keyOf[kind](reads.hash, value);
  const claims = {
    email: () => reads.load(emailClaim, key),
    phoneNumber: () => reads.load(verifiedPhone, key),
    agentCode: () => reads.load(agentCode, key),
  };
  const { owner } = (await claims[kind]()).state;
  if (owner === undefined) return undefined;
  const { state } = await reads.load(account, owner);
  const cameAbout = state.status === 'active' || state.status === 'deactivated';
  const itsOwn =
    (kind === 'email' && state.emailHash === key) ||
    (kind === 'phoneNumber' && state.phones.some(({ verified, numberHash }) => verified && numberHash === key)) ||
    kind === 'agentCode';
  return cameAbout && itsOwn ? { accountId: owner, account: state } : undefined;
};

/** The stream of the codes for the target whose keyed hash is given. */
const targetOf = (hash: KeyedHash, kind: Identifier['kind'], key: string): string =>
  otpTargetOf(hash('otp-target', `${kind}/${key}`));

/** The stream of the codes for an identifier. */
export const otpTarget = (hash: KeyedHash, { kind, value }: Identifier): string =>
  targetOf(hash, kind, keyOf[kind](hash, value));

/** What sends a code to a number of an account. */
export const otpFactsOfPhone = (
  hash: KeyedHash,
  {
    accountId,
    phone,
    identifierHash,
  }: { readonly accountId: string; readonly phone: Phone; readonly identifierHash: string },
): OtpFacts => ({
  targetHash: targetOf(hash, 'phoneNumber', phone.numberHash),
  identifierHash,
  accountId,
  phoneNumberId: phone.id,
  channel: 'sms',
});

/**
 * Whom a code for an identifier goes to and how. An agent's code goes to the agent's verified number, or else to the
 * address.
 */
export const otpFactsOf = async (reads: Reads, identifier: Identifier): Promise<OtpFacts> => {
  const { hash } = reads;
  const known = await holderOf(reads, identifier);
  const base = { targetHash: otpTarget(hash, identifier), identifierHash: identifierHash(hash, identifier) };
  const of = known === undefined ? base : { ...base, accountId: known.accountId };
  if (identifier.kind === 'email') return { ...of, channel: 'email' };
  const key = keyOf[identifier.kind](hash, identifier.value);
  const phone = known?.account.phones.find(({ id, numberHash, verified }) =>
    identifier.kind === 'phoneNumber' ? numberHash === key : verified && id === known.account.primaryPhoneId,
  );
  if (phone !== undefined) return { ...of, channel: 'sms', phoneNumberId: phone.id };
  return { ...of, channel: identifier.kind === 'agentCode' && known !== undefined ? 'email' : 'sms' };
};
