import type { z } from 'zod';
import { account } from '../../../domain/identity/account/index.ts';
import { emailClaim } from '../../../domain/identity/emailClaim.ts';
import { type LoginFacts, logIn } from '../../../domain/identity/loginAttempts.ts';
import { bind, type Outcome, type Refused, type Run } from '../../binding.ts';
import { emailHash } from '../emailAddress.ts';
import { newRefreshToken } from '../refreshToken.ts';
import { countFailure, type Identifier, identifierHash, refuseWhileLocked } from './attempt.ts';
import { openSession, Tokens } from './session.ts';

type Credentials = z.output<typeof logIn.input>;

const identifierOf = ({ email }: Credentials): Identifier => ({ kind: 'email', value: email });

const WRONG: Refused = {
  ok: false,
  code: 'UNAUTHORIZED',
  reason: 'credentials-wrong',
  message: 'Address or password is wrong',
  details: [],
};

/** Checks the secret, counts the attempt, opens a session. Unknown addresses take as long as wrong passwords. */
const process = async (run: Run<Credentials, LoginFacts>): Promise<Outcome> => {
  const { input, origin, reads, judge } = run;
  const identifier = identifierHash(reads.hash, identifierOf(input));
  const { owner } = (await reads.load(emailClaim, emailHash(reads.hash, input.email))).state;
  const known = owner === undefined ? undefined : (await reads.load(account, owner)).state;
  const locked = await refuseWhileLocked(run, identifier, owner);
  if (locked !== undefined) return locked;
  const active = known?.status === 'active';
  const right = await reads.passwords.verify(input.password, active ? known.passwordHash : undefined);
  if (!right || owner === undefined)
    return countFailure(
      run,
      {
        identifierHash: identifier,
        accountId: active ? owner : undefined,
        reason: active ? 'wrong_secret' : 'unknown',
      },
      WRONG,
    );
  const token = newRefreshToken();
  const device = input.deviceId === undefined ? {} : { deviceId: input.deviceId };
  const name = input.deviceName === undefined ? {} : { deviceName: input.deviceName };
  const of = { accountId: owner, method: 'password' as const, ...device };
  const counted = await judge(input, { identifierHash: identifier, sessionId: token.sessionId, ...of, ...origin });
  return counted.ok ? openSession(run, token, { ...of, ...name }) : counted;
};

/** Logging in. */
export const logInBinding = bind(logIn, {
  path: 'POST /auth/login',
  access: 'anyone',
  credential: true,
  stream: (input, { hash }) => identifierHash(hash, identifierOf(input)),
  process,
  answer: { schema: Tokens },
  summary: 'Logs in',
  example: { email: 'ada@example.org', password: 'Correct-Horse-7' },
});
