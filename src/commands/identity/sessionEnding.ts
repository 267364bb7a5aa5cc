import type { z } from 'zod';
import type { endLoginSessions } from '../../domain/identity/account/index.ts';
import { beganAt, endLoginSession, loginSession } from '../../domain/identity/loginSession.ts';
import type { Outcome, Run } from '../binding.ts';

type Ending = Pick<z.output<typeof endLoginSessions.input>, 'by'>;

/** Ends sessions, each in its own stream. */
export const endEach = async (
  { step }: Pick<Run<unknown>, 'step'>,
  sessionIds: readonly string[],
  { by }: Ending,
): Promise<readonly Outcome[]> => {
  const ended: Outcome[] = [];
  for (const sessionId of sessionIds) ended.push(await step(endLoginSession, sessionId, { sessionId, by }));
  return ended;
};

/** The sessions of an account that have begun and still count, but the one excepted. */
export const othersOf = async (
  { reads }: Pick<Run<unknown>, 'reads'>,
  accountId: string,
  exceptSessionId: string | undefined,
): Promise<readonly string[]> =>
  (await reads.lookups.livingSessions(accountId)).filter((sessionId) => sessionId !== exceptSessionId);

/** Those of the sessions that began before the instant; all of them without one. */
export const begunBefore = async (
  { reads }: Pick<Run<unknown>, 'reads'>,
  sessionIds: readonly string[],
  before: string | undefined,
): Promise<readonly string[]> => {
  if (before === undefined) return sessionIds;
  const begun: string[] = [];
  for (const sessionId of sessionIds)
    if (beganAt((await reads.load(loginSession, sessionId)).state) < Date.parse(before)) begun.push(sessionId);
  return begun;
};
