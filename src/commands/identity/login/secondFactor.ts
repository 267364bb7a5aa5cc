import type { z } from 'zod';
import { trustDevice } from '../../../domain/identity/account/index.ts';
import {
  type AnswerFacts,
  answerWrong,
  mfaChallenge,
  openChallenge,
  verifyMfaChallenge,
} from '../../../domain/identity/mfaChallenge.ts';
import { bind, type Outcome, type Refused, type Run } from '../../binding.ts';
import { refused } from '../../outcomes.ts';
import { countFailure, refuseWhileLocked } from './attempt.ts';
import { proveSecondFactor, readChallengeToken } from './challenge.ts';
import { finishLogin } from './completion.ts';
import { LoggedIn } from './session.ts';

const WRONG: Refused = refused(answerWrong());

type Input = z.output<typeof verifyMfaChallenge.input>;

/** Answers a challenge: the right code opens the session, a wrong one counts among the failures of the identifier. */
export const answerChallenge = async (run: Run<Input, AnswerFacts>): Promise<Outcome> => {
  const { input, reads, step, origin, judge } = run;
  const challengeId = readChallengeToken(reads.hash, input.challengeToken);
  if (challengeId === undefined) return WRONG;
  const challenge = openChallenge((await reads.load(mfaChallenge, challengeId)).state, reads.now());
  if (challenge === undefined) return WRONG;
  const { accountId, identifierHash, credentials, deviceId } = challenge;
  const locked = await refuseWhileLocked(run, identifierHash, accountId);
  if (locked !== undefined) return locked;
  const via = await proveSecondFactor(run, accountId, input.backupCode ?? input.code ?? '');
  const judged = await judge(input, { challengeId, via });
  if (!judged.ok) return judged;
  if (via === undefined) return countFailure(run, { identifierHash, accountId, reason: 'wrong_mfa' }, WRONG);
  if (input.trustDevice && deviceId !== undefined)
    await step(trustDevice, accountId, { accountId, deviceId, deviceInfo: origin.userAgent.slice(0, 200) });
  return finishLogin(run, { accountId, identifierHash, credentials, deviceId }, 'mfa');
};

/** The second step of a log-in. */
export const verifyMfaBinding = bind(verifyMfaChallenge, {
  access: 'anyone',
  credential: true,
  stream: ({ challengeToken }, { hash }) => readChallengeToken(hash, challengeToken) ?? 'none',
  version: () => undefined,
  process: answerChallenge,
  answer: { schema: LoggedIn },
  summary: 'Gives the second factor of a log-in',
  example: { challengeToken: '0198b1f0-9b11-7d8a-8c52-1e7d3b9a4f02.'.padEnd(101, '0'), code: '123456' },
});
