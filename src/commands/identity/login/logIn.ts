import type { z } from 'zod';
import { logIn } from '../../../domain/identity/loginAttempts.ts';
import { bind, type Outcome, type Refused, type Run } from '../../binding.ts';
import { passwordHashOf } from '../passwordHash.ts';
import { upgradePassword } from '../passwordUpgrade.ts';
import { countFailure, refuseWhileLocked } from './attempt.ts';
import { completeLogin } from './completion.ts';
import { holderOf, type Identifier, identifierHash, identifierOf } from './identifier.ts';
import { checkCode } from './otp.ts';
import { LoggedIn } from './session.ts';

type Credentials = z.output<typeof logIn.input>;

const WRONG: Refused = {
  ok: false,
  code: 'UNAUTHORIZED',
  reason: 'credentials-wrong',
  message: 'Who you are or the secret is wrong',
  details: [],
};

/** Is asked for where nobody is known by the identifier, so that it takes as long. */
const NOBODY = { accountId: '00000000-0000-0000-0000-000000000000', account: { passwordAt: 0 } } as const;

/** Checks the password; unknown identifiers take as long as wrong passwords. */
const byPassword = async (run: Run<Credentials>, identifier: Identifier, password: string): Promise<Outcome> => {
  const { input, reads } = run;
  const known = await holderOf(reads, identifier);
  const named = identifierHash(reads.hash, identifier);
  const locked = await refuseWhileLocked(run, named, known?.accountId);
  if (locked !== undefined) return locked;
  const { accountId: whose, account: of } = known ?? NOBODY;
  const hash = await passwordHashOf(reads, whose, of);
  const right = await reads.passwords.verify(password, hash);
  if (!right || known === undefined)
    return countFailure(
      run,
      { identifierHash: named, accountId: known?.accountId, reason: known === undefined ? 'unknown' : 'wrong_secret' },
      WRONG,
    );
  const { accountId } = known;
  const { credentials, passwordAt: at } = known.account;
  if (hash !== undefined && at !== undefined) await upgradePassword(run, accountId, password, { hash, at });
  const { deviceId, deviceName } = input;
  return completeLogin(run, {
    accountId,
    identifierHash: named,
    method: 'password',
    credentials,
    deviceId,
    deviceName,
  });
};

const process = async (run: Run<Credentials>): Promise<Outcome> => {
  const { input, reads, judge } = run;
  const identifier = identifierOf(input);
  const admitted = await judge();
  if (!admitted.ok) {
    const known = await holderOf(reads, identifier);
    return (await refuseWhileLocked(run, identifierHash(reads.hash, identifier), known?.accountId)) ?? admitted;
  }
  if (input.password !== undefined) return byPassword(run, identifier, input.password);
  return checkCode(run, { identifier, code: input.otpCode ?? '', ...input });
};

/** Logging in. */
export const logInBinding = bind(logIn, {
  path: 'POST /auth/login',
  access: 'anyone',
  credential: true,
  stream: (input, { hash }) => identifierHash(hash, identifierOf(input)),
  process,
  answer: { schema: LoggedIn },
  summary: 'Logs in',
  example: { email: 'ada@example.org', password: 'Correct-Horse-7' },
});
