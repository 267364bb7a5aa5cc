import { type Account, account, consumeBackupCode, useTotpStep } from '../../../domain/identity/account/index.ts';
import { challengeOf, checkOtp, issueOtp, otp } from '../../../domain/identity/otp.ts';
import type { Run } from '../../binding.ts';
import { isSecret } from '../../keyedHash.ts';
import type { KeyedHash } from '../../reads.ts';
import { otpCode } from '../otpCode.ts';
import { totpSecretOf, totpStepOf } from '../totp.ts';
import { otpFactsOfPhone } from './identifier.ts';

const seal = (hash: KeyedHash, challengeId: string): string => hash('mfa-challenge', challengeId);

/** Whoever holds it has proved the first factor. */
export const challengeToken = (hash: KeyedHash, challengeId: string): string =>
  `${challengeId}.${seal(hash, challengeId)}`;

/** The challenge that an authentic token names; undefined for any other text. */
export const readChallengeToken = (hash: KeyedHash, token: string): string | undefined => {
  const challengeId = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[0-9a-f]{64}$/.exec(token)?.[1];
  return challengeId !== undefined && isSecret(token, challengeToken(hash, challengeId)) ? challengeId : undefined;
};

type Needs = Pick<Run<unknown>, 'reads' | 'step'>;
type Factor = 'totp' | 'sms' | 'backup_code';

/** The number that codes of the second factor go to. */
const phoneOf = ({ mfa, mfaSetup, phones }: Account) =>
  phones.find(({ id }) => id === (mfa ?? mfaSetup)?.phoneNumberId);

/** Sends a code to the number of the second factor; none within a minute of the last, which still counts. */
export const sendMfaCode = async (
  { reads, step }: Needs,
  {
    accountId,
    state,
    identifierHash,
  }: { readonly accountId: string; readonly state: Account; readonly identifierHash: string },
): Promise<void> => {
  const phone = phoneOf(state);
  if (phone === undefined) return;
  const facts = otpFactsOfPhone(reads.hash, { accountId, phone, identifierHash });
  await step(issueOtp, facts.targetHash, { purpose: 'mfa' }, facts);
};

/** Whether the code sent to the number of the second factor is this one; it is used up by that. */
export const provesSms = async (
  { reads, step }: Needs,
  accountId: string,
  state: Account,
  code: string,
): Promise<boolean> => {
  const phone = phoneOf(state);
  if (phone === undefined) return false;
  const { targetHash } = otpFactsOfPhone(reads.hash, { accountId, phone, identifierHash: '' });
  const challenge = challengeOf((await reads.load(otp, targetHash)).state, { purpose: 'mfa' });
  if (challenge?.accountId !== accountId) return false;
  const { challengeId } = challenge;
  const right = otpCode(reads.hash, challengeId) === code;
  const checked = await step(checkOtp, targetHash, {}, { challengeId, right });
  return checked.ok && right;
};

/** The keyed hash by which an account knows a backup code. */
export const backupCodeHash = (hash: KeyedHash, accountId: string, code: string): string =>
  hash('backup-code', `${accountId}/${code}`);

/**
 * By which factor the code is right, if it is; it is used up by that, so that it never counts twice. Backup codes have
 * eight digits, the others six.
 */
export const proveSecondFactor = async (run: Needs, accountId: string, code: string): Promise<Factor | undefined> => {
  const { reads, step } = run;
  const { state } = await reads.load(account, accountId);
  if (state.mfa === undefined) return undefined;
  if (code.length === 8) {
    const codeHash = backupCodeHash(reads.hash, accountId, code);
    return (await step(consumeBackupCode, accountId, { accountId, codeHash })).ok ? 'backup_code' : undefined;
  }
  if (state.mfa.method === 'sms') return (await provesSms(run, accountId, state, code)) ? 'sms' : undefined;
  const secret = await totpSecretOf(reads, accountId);
  const used = secret === undefined ? undefined : await totpStepOf(secret, code, reads.now());
  if (used === undefined) return undefined;
  return (await step(useTotpStep, accountId, { accountId, step: used })).ok ? 'totp' : undefined;
};
