import { setTimeout as pause } from 'node:timers/promises';
import { reject } from '../../../domain/decider.ts';
import { email as address, line } from '../../../domain/fields.ts';
import type { SignInProvider } from '../../../domain/identity/account/events.ts';
import {
  type Account,
  account,
  holdsIdentity,
  linkIdentity,
  registerByIdentity,
} from '../../../domain/identity/account/index.ts';
import { apiKeys } from '../../../domain/identity/apiKeys.ts';
import { oauthIdentity } from '../../../domain/identity/oauthIdentity.ts';
import type { ProvenIdentity } from '../../../domain/identity/signIn.ts';
import type { Outcome, Refused, Run } from '../../binding.ts';
import { refused } from '../../outcomes.ts';
import { emailHash, reserveEmail } from '../emailAddress.ts';
import { refuseWhileLocked } from '../login/attempt.ts';
import { holderOf } from '../login/identifier.ts';
import { endEach, othersOf } from '../sessionEnding.ts';
import { newestAccount } from '../standing.ts';
import { forgetSecrets } from '../totp.ts';
import { giveBackIdentity, reserveIdentity } from './reservation.ts';
import { identityAttempts } from './secrets.ts';

type Needs = Pick<Run<unknown>, 'reads' | 'step' | 'origin' | 'newId' | 'destroyKey'>;

/** Somebody whom a provider vouches for, as this service knows him. */
export type Person = ProvenIdentity & { readonly provider: SignInProvider; readonly subjectHash: string };

/** The account that the person is, which may have come about just now. */
type Matched = {
  readonly ok: true;
  readonly accountId: string;
  readonly account: Account;
  readonly created: boolean;
  /** Of the last thing that was stored on the way. */
  readonly position: bigint;
};

const said = (person: Person, accountId: string) => {
  const email = address.safeParse(person.email).data;
  const { provider, subject, subjectHash } = person;
  return { accountId, provider, subject, subjectHash, ...(email === undefined ? {} : { email }) };
};

/**
 * The account that has the identity, if it came about. Another process may have brought it about since this one looked:
 * then the log knows.
 */
const byIdentity = async ({ reads }: Needs, { subjectHash }: Person) => {
  const { owner } = (await reads.load(oauthIdentity, subjectHash)).state;
  if (owner === undefined) return undefined;
  const remembered = (await reads.load(account, owner)).state;
  const state = holdsIdentity(remembered, subjectHash) ? remembered : await newestAccount(reads, owner);
  return holdsIdentity(state, subjectHash) ? { accountId: owner, account: state } : undefined;
};

const NO_ADDRESS = refused(
  reject('VALIDATION_ERROR', 'email-missing', 'The provider tells no e-mail address, which an account needs', 'email'),
);
const TAKEN = refused(reject('CONFLICT', 'email-taken', 'There is an account with this e-mail address', 'email'));

const UNPROVED = refused(
  reject('CONFLICT', 'email-unproved', 'Log in to the account with this address and verify it first', 'email'),
);

const hasKeys = async ({ reads }: Needs, accountId: string): Promise<boolean> =>
  Object.values((await reads.load(apiKeys, accountId)).state.keys).some(({ revoked }) => !revoked);

/** Reserves the identity, and gives it back when what it was reserved for is refused. */
const withIdentity = async (
  run: Needs,
  { subjectHash }: Person,
  accountId: string,
  take: () => Promise<Outcome>,
): Promise<Outcome> => {
  const reserved = await reserveIdentity(run, subjectHash, accountId);
  if (!reserved.ok) return reserved;
  const taken = await take();
  if (!taken.ok) await giveBackIdentity(run, subjectHash, accountId);
  return taken;
};

/** Links the identity to the account whose address the provider has verified. */
const linkByAddress = async (
  run: Needs,
  person: Person,
  { accountId, account: before }: { readonly accountId: string; readonly account: Account },
  addressHash: string,
): Promise<Outcome> => {
  if (!person.emailVerified) return TAKEN;
  const locked = await refuseWhileLocked(run, identityAttempts(run.reads.hash, person.subjectHash), accountId);
  if (locked !== undefined) return locked;
  // Whoever made keys would keep them; such an account is for people to look at.
  if (!before.emailVerified && (await hasKeys(run, accountId))) return UNPROVED;
  const sessionIds = before.emailVerified ? [] : await othersOf(run, accountId, undefined);
  const linked = await withIdentity(run, person, accountId, () =>
    run.step(linkIdentity, accountId, { ...said(person, accountId), by: 'address', emailHash: addressHash }),
  );
  if (linked.ok) {
    await endEach(run, sessionIds, { by: 'password_change' });
    if (!before.emailVerified) await forgetSecrets(run, accountId);
  }
  return linked;
};

const displayNameOf = ({ displayName }: Person, email: string): string => {
  for (const name of [displayName, email.split('@')[0]]) {
    const fitting = line(1, 100).safeParse(name?.trim().slice(0, 100));
    if (fitting.success) return fitting.data;
  }
  return 'Somebody';
};

/** Opens an account. Identity and address are reserved first, so that of many who ask at once one comes about. */
const register = async (
  run: Needs,
  person: Person,
  { accountId, createdFrom }: { readonly accountId: string; readonly createdFrom: 'web' | 'api' },
  email: string,
): Promise<Outcome> =>
  withIdentity(run, person, accountId, async () => {
    const reserved = await reserveEmail(run, email, accountId);
    if (!reserved.ok) return reserved;
    return run.step(registerByIdentity, accountId, {
      ...said(person, accountId),
      email,
      emailHash: emailHash(run.reads.hash, email),
      emailVerified: person.emailVerified,
      displayName: displayNameOf(person, email),
      createdFrom,
    });
  });

const attempt = async (run: Needs, person: Person, createdFrom: 'web' | 'api'): Promise<Matched | Refused> => {
  const { reads } = run;
  const matched = async (accountId: string, created: boolean, position: bigint): Promise<Matched> => ({
    ok: true,
    accountId,
    account: (await reads.load(account, accountId)).state,
    created,
    position,
  });
  const known = await byIdentity(run, person);
  if (known !== undefined) return { ok: true, ...known, created: false, position: -1n };
  const email = address.safeParse(person.email).data;
  if (email === undefined) return NO_ADDRESS;
  const holder = await holderOf(reads, { kind: 'email', value: email });
  if (holder !== undefined) {
    // A closed account is refused where all log-ins are, and nothing is linked to it.
    if (person.emailVerified && holder.account.emailVerified && holder.account.status !== 'active')
      return matched(holder.accountId, false, -1n);
    const linked = await linkByAddress(run, person, holder, emailHash(reads.hash, email));
    return linked.ok ? matched(holder.accountId, false, linked.position) : linked;
  }
  const accountId = run.newId('account');
  const registered = await register(run, person, { accountId, createdFrom }, email);
  return registered.ok ? matched(accountId, true, registered.position) : registered;
};

/** How often and after how many milliseconds it is looked again whether whoever was faster is done. */
const ATTEMPTS = 20;
const PAUSE_MS = 50;

/**
 * The account that the person is: the one that has the identity; or else the one whose address the provider has
 * verified, to which it is linked; or else a new one. Of several sign-ins of one new person at once, one opens the
 * account and the others wait for it.
 */
export const matchPerson = async (
  run: Needs,
  person: Person,
  createdFrom: 'web' | 'api',
): Promise<Matched | Refused> => {
  for (let tried = 1; ; tried += 1) {
    const outcome = await attempt(run, person, createdFrom);
    if (outcome.ok || tried === ATTEMPTS) return outcome;
    const overtaken =
      outcome.reason === 'identity-taken' ||
      outcome.reason === 'contended' ||
      (outcome.reason === 'email-taken' && person.emailVerified);
    if (!overtaken) return outcome;
    await pause(PAUSE_MS);
  }
};

/** Links the person to the account of somebody who is logged in and has asked for it. */
export const linkToHolder = async (run: Needs, person: Person, accountId: string): Promise<Outcome> => {
  const { reads } = run;
  const known = (await byIdentity(run, person))?.accountId;
  if (known !== undefined && known !== accountId)
    return refused(reject('CONFLICT', 'identity-taken', 'This sign-in belongs to another account'));
  const email = person.emailVerified ? address.safeParse(person.email).data : undefined;
  const proved = email === undefined ? {} : { emailHash: emailHash(reads.hash, email) };
  const link = () => run.step(linkIdentity, accountId, { ...said(person, accountId), by: 'holder', ...proved });
  return known === accountId ? link() : withIdentity(run, person, accountId, link);
};
