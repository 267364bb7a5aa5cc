import { z } from 'zod';
import { reject } from '../../decider.ts';
import { MINUTE_MS } from '../../durations.ts';
import { line, typedPassword, uuid } from '../../fields.ts';
import { sixDigits } from '../otp.ts';
import { MFA_METHODS } from './events.ts';
import { type Account, command } from './state.ts';

/** Milliseconds that an offered second factor waits to be confirmed. */
export const MFA_SETUP_LIFE = 10 * MINUTE_MS;

const passwordWrong = () => reject('FORBIDDEN', 'password-wrong', 'The password is wrong', 'password');
const codeWrong = () => reject('FORBIDDEN', 'code-wrong', 'The code is wrong or was used before', 'code');
const mfaOff = () => reject('CONFLICT', 'mfa-off', 'No second factor is on');

/** What the offer of a second factor must know. The secrets are made outside, where randomness is. */
export type MfaSetupFacts = {
  readonly passwordRight: boolean;
  /** For codes by an app: base32. */
  readonly secret: string;
  /** Names a key that nothing else lies under. */
  readonly secretKey: string;
  readonly backupCodeHashes: readonly string[];
};

/** Offers a second factor; it counts once a code of it was given back. */
export const startMfaSetup = command(
  'StartMfaSetup',
  z
    .object({
      password: typedPassword,
      method: z.enum(MFA_METHODS).default('totp'),
      phoneNumberId: uuid.optional(),
    })
    .refine(({ method, phoneNumberId }) => method !== 'sms' || phoneNumberId !== undefined, {
      path: ['phoneNumberId'],
      message: 'Needed for codes by SMS',
    }),
  ({ method, phoneNumberId }, { status, mfa, phones }, { actor, facts, now }: MfaContext<MfaSetupFacts>) => {
    if (status !== 'active') return reject('NOT_FOUND', 'account-unknown', 'There is no such account');
    if (!facts.passwordRight) return passwordWrong();
    if (mfa !== undefined) return reject('CONFLICT', 'mfa-on', 'A second factor is on already');
    const phone = phones.find(({ id }) => id === phoneNumberId);
    if (method === 'sms' && phone?.verified !== true)
      return reject('VALIDATION_ERROR', 'number-unverified', 'Must be a verified number of yours', 'phoneNumberId');
    const data = {
      accountId: actor.id,
      method,
      secretKey: facts.secretKey,
      ...(method === 'totp' ? { secret: facts.secret } : {}),
      ...(method === 'sms' && phoneNumberId !== undefined ? { phoneNumberId } : {}),
      backupCodeHashes: [...facts.backupCodeHashes],
      expiresAt: new Date(now.getTime() + MFA_SETUP_LIFE).toISOString(),
    };
    return [{ type: 'MfaSetupStarted', data }];
  },
);

type MfaContext<Facts> = { readonly actor: { readonly id: string }; readonly facts: Facts; readonly now: Date };

/** The offer that waits to be confirmed, while it does. */
export const pendingSetup = ({ mfaSetup }: Account, now: Date): Account['mfaSetup'] =>
  mfaSetup === undefined || Date.parse(mfaSetup.expiresAt) <= now.getTime() ? undefined : mfaSetup;

/** Whether the code given back is right, and by which time step when an app made it. */
export type CodeProof = { readonly right: boolean; readonly step?: number };

/** Confirms the second factor that was offered. The secret that the service keeps decides; another one is refused. */
export const confirmMfaSetup = command(
  'ConfirmMfaSetup',
  z.object({ code: sixDigits, secret: line(1, 200).optional() }),
  (_input, state, { actor, facts, now }: MfaContext<CodeProof & { readonly sameSecret: boolean }>) => {
    const pending = pendingSetup(state, now);
    if (pending === undefined) return reject('CONFLICT', 'mfa-not-pending', 'No second factor waits to be confirmed');
    if (!facts.sameSecret)
      return reject('VALIDATION_ERROR', 'secret-differs', 'This is not the secret that was offered', 'secret');
    if (!facts.right) return reject('VALIDATION_ERROR', 'code-wrong', 'The code is wrong', 'code');
    const accountId = actor.id;
    const { step } = facts;
    return [
      { type: 'MfaEnabled', data: { accountId, method: pending.method, at: now.toISOString() } },
      ...(step === undefined ? [] : [{ type: 'TotpStepUsed' as const, data: { accountId, step } }]),
    ];
  },
);

/** Uses up the code of a time step: it and earlier ones count no more. */
export const useTotpStep = command('UseTotpStep', z.object({ accountId: uuid, step: z.int() }), (data, { totpStep }) =>
  data.step > totpStep ? [{ type: 'TotpStepUsed', data }] : codeWrong(),
);

/** Uses up a backup code. */
export const consumeBackupCode = command(
  'ConsumeBackupCode',
  z.object({ accountId: uuid, codeHash: line(1, 64) }),
  ({ accountId, codeHash }, { mfa }) => {
    if (mfa?.backupCodes.includes(codeHash) !== true) return codeWrong();
    return [{ type: 'BackupCodeConsumed', data: { accountId, codeHash, remaining: mfa.backupCodes.length - 1 } }];
  },
);

/** A code of the second factor, or a backup code. */
const anyCode = z
  .string()
  .trim()
  .regex(/^(?:[0-9]{6}|[0-9]{8})$/, 'Must be a code of six digits, or a backup code of eight');

/** Whether password and second factor, both asked for again, are right. */
export type ProofFacts = { readonly passwordRight: boolean; readonly codeRight: boolean };

/** Turns the second factor off; its secret, backup codes and trusted devices are forgotten. */
export const disableMfa = command(
  'DisableMfa',
  z.object({ password: typedPassword, code: anyCode }),
  (_input, { mfa }, { actor, facts, now }: MfaContext<ProofFacts>) => {
    if (!facts.passwordRight) return passwordWrong();
    if (mfa === undefined) return mfaOff();
    if (!facts.codeRight) return codeWrong();
    return [{ type: 'MfaDisabled', data: { accountId: actor.id, at: now.toISOString() } }];
  },
);

/** Replaces all backup codes. */
export const regenerateBackupCodes = command(
  'RegenerateBackupCodes',
  z.object({ password: typedPassword, code: anyCode }),
  (
    _input,
    { mfa },
    { actor, facts, now }: MfaContext<ProofFacts & { readonly backupCodeHashes: readonly string[] }>,
  ) => {
    if (!facts.passwordRight) return passwordWrong();
    if (mfa === undefined) return mfaOff();
    if (!facts.codeRight) return codeWrong();
    const backupCodeHashes = [...facts.backupCodeHashes];
    return [{ type: 'BackupCodesRegenerated', data: { accountId: actor.id, backupCodeHashes, at: now.toISOString() } }];
  },
);
