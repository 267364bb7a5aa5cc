import type { z } from 'zod';
import type { endLoginSessions } from '../../domain/identity/account/index.ts';
import { endLoginSession } from '../../domain/identity/loginSession.ts';
import type { Outcome, Run } from '../binding.ts';

type Ending = Omit<z.output<typeof endLoginSessions.input>, 'accountId' | 'exceptSessionId'>;

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
