import { randomInt, randomUUID } from 'node:crypto';
import { toDataURL } from 'qrcode';
import { z } from 'zod';
import type { Actor } from '../../domain/decider.ts';
import * as accounts from '../../domain/identity/account/index.ts';
import { account, pendingSetup } from '../../domain/identity/account/index.ts';
import { bind, type Outcome, type Run } from '../binding.ts';
import { backupCodeHash, proveSecondFactor, provesSms, sendMfaCode } from './login/challenge.ts';
import { isPassword } from './passwordHash.ts';
import { emailOf } from './personal.ts';
import { forgetSecrets, newTotpSecret, totpAddress, totpSecretOf, totpStepOf } from './totp.ts';

const BACKUP_CODES = 10;

/** Ten codes of eight digits. */
const newBackupCodes = (): readonly string[] => {
  const codes = new Set<string>();
  while (codes.size < BACKUP_CODES) codes.add(String(randomInt(100_000_000)).padStart(8, '0'));
  return [...codes];
};

const own = {
  access: 'loggedIn',
  unverified: true,
  stream: (_input: unknown, { actor }: { readonly actor: Actor }) => actor.id,
  version: () => undefined,
} as const;

const withSecrets = (outcome: Outcome, secrets: object): Outcome =>
  outcome.ok && !outcome.replayed ? { ...outcome, data: { ...(outcome.data as object), ...secrets } } : outcome;

const setup = async (
  run: Run<z.output<typeof accounts.startMfaSetup.input>, accounts.MfaSetupFacts>,
): Promise<Outcome> => {
  const { input, actor, reads, judge } = run;
  const secret = newTotpSecret();
  const backupCodes = newBackupCodes();
  const outcome = await judge(input, {
    passwordRight: await isPassword(reads, actor.id, input.password),
    secret,
    secretKey: `mfa:${randomUUID()}`,
    backupCodeHashes: backupCodes.map((code) => backupCodeHash(reads.hash, actor.id, code)),
  });
  if (!outcome.ok) return outcome;
  await forgetSecrets(run, actor.id);
  if (input.method === 'totp') {
    const qrCode = await toDataURL(totpAddress(secret, await emailOf(reads, actor.id)));
    return withSecrets(outcome, { secret, qrCode, backupCodes });
  }
  const { state } = await reads.load(account, actor.id);
  await sendMfaCode(run, { accountId: actor.id, state, identifierHash: reads.hash('login-identifier', actor.id) });
  return withSecrets(outcome, { backupCodes });
};

const confirm = async (
  run: Run<z.output<typeof accounts.confirmMfaSetup.input>, accounts.CodeProof & { readonly sameSecret: boolean }>,
): Promise<Outcome> => {
  const { input, actor, reads, judge } = run;
  const { state } = await reads.load(account, actor.id);
  const pending = pendingSetup(state, reads.now());
  if (pending === undefined) return judge(input, { right: false, sameSecret: true });
  if (pending.method === 'sms')
    return judge(input, {
      right: await provesSms(run, actor.id, state, input.code),
      sameSecret: input.secret === undefined,
    });
  const secret = await totpSecretOf(reads, actor.id);
  const sameSecret = input.secret === undefined || input.secret === secret;
  const step = secret === undefined ? undefined : await totpStepOf(secret, input.code, reads.now());
  return judge(input, step === undefined ? { right: false, sameSecret } : { right: true, step, sameSecret });
};

/** Password first: a code is used up by being checked, and must not be by somebody who does not know the password. */
const bothProved = async (run: Run<{ readonly password: string; readonly code: string }>) => {
  const right = await isPassword(run.reads, run.actor.id, run.input.password);
  return {
    passwordRight: right,
    codeRight: right && (await proveSecondFactor(run, run.actor.id, run.input.code)) !== undefined,
  };
};

const Enabled = z.object({ mfaEnabled: z.boolean() });

/** The second factor: offering, confirming and turning it off, its backup codes, and the devices that are trusted. */
export const mfaBindings = [
  bind(accounts.startMfaSetup, {
    ...own,
    path: ['POST /auth/mfa/setup', 'POST /mfa/setup'],
    process: setup,
    answer: {
      schema: z.object({
        method: z.enum(['totp', 'sms']),
        expiresAt: z.string(),
        secret: z.string().optional().describe('Shown this once'),
        qrCode: z.string().optional().describe('A PNG as data URL, for the app that makes the codes'),
        backupCodes: z.array(z.string()).optional().describe('Shown this once'),
      }),
      of: ({ state }) => ({ method: state.mfaSetup?.method ?? 'totp', expiresAt: state.mfaSetup?.expiresAt ?? '' }),
    },
    summary: 'Offers a second factor; it counts once one of its codes was given back',
    example: { password: 'Correct-Horse-7', method: 'totp' },
  }),
  bind(accounts.confirmMfaSetup, {
    ...own,
    path: 'POST /auth/mfa/verify-setup',
    process: confirm,
    answer: { schema: Enabled, of: () => ({ mfaEnabled: true }) },
    summary: 'Turns the second factor on that was offered',
    example: { code: '123456' },
  }),
  bind(accounts.disableMfa, {
    ...own,
    path: 'DELETE /auth/mfa',
    process: async (run) => {
      const outcome = await run.judge(run.input, await bothProved(run));
      if (outcome.ok) await forgetSecrets(run, run.actor.id);
      return outcome;
    },
    answer: { schema: Enabled, of: () => ({ mfaEnabled: false }) },
    summary: 'Turns the second factor off',
    example: { password: 'Correct-Horse-7', code: '123456' },
  }),
  bind(accounts.regenerateBackupCodes, {
    ...own,
    path: 'POST /mfa/backup-codes',
    status: 201,
    process: async (run) => {
      const { actor, reads, judge, input } = run;
      const backupCodes = newBackupCodes();
      const hashes = backupCodes.map((code) => backupCodeHash(reads.hash, actor.id, code));
      const outcome = await judge(input, { ...(await bothProved(run)), backupCodeHashes: hashes });
      return withSecrets(outcome, { backupCodes });
    },
    answer: { schema: z.object({ backupCodes: z.array(z.string()).optional() }), of: () => ({}) },
    summary: 'Replaces all backup codes; the new ones are shown this once',
    example: { password: 'Correct-Horse-7', code: '123456' },
  }),
  bind(accounts.revokeTrustedDevice, {
    ...own,
    path: 'DELETE /users/me/devices/:deviceId',
    summary: 'Asks for the second factor on a device again',
    example: { deviceId: 'laptop-1' },
  }),
];
