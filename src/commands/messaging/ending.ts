import type { z } from 'zod';
import {
  confirmRevocation,
  disconnectCalendar,
  integration,
  revokeIntegration,
} from '../../domain/messaging/integration/index.ts';
import type { Outcome, Run } from '../binding.ts';
import { latest } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { tokensOf } from './tokens.ts';

type Tools = Pick<Run<unknown>, 'reads' | 'step' | 'destroyKey'>;

/** What ends a connection needs to know of it before: afterwards nobody can read its tokens. */
const inHand = async (reads: Reads, integrationId: string) => {
  const { state } = await reads.load(integration, integrationId);
  const tokens = state.status === 'revoked' ? undefined : await tokensOf(reads, integrationId, state);
  return { state, token: tokens?.refreshToken ?? tokens?.accessToken };
};

/** Ends a connection by `end`: its tokens are destroyed here first, and in any case; then the provider is told, as well as may be. */
const endBy = async (tools: Tools, integrationId: string, end: () => Promise<Outcome>): Promise<Outcome> => {
  const { reads, step, destroyKey } = tools;
  const { state, token } = await inHand(reads, integrationId);
  const ended = await end();
  if (!ended.ok) return ended;
  const after = (await reads.load(integration, integrationId)).state;
  if (after.status !== 'revoked') return ended;
  if (after.tokenKey !== undefined) await destroyKey(after.tokenKey);
  const connector = state.provider && reads.connectors.providers[state.provider];
  if (token === undefined || connector === undefined || !(await connector.revoke(token))) return ended;
  return latest(ended, await step(confirmRevocation, integrationId, { integrationId }));
};

/** Ends a connection as its holder asks, or the service. */
export const revoke = (run: Run<z.output<typeof revokeIntegration.input>>): Promise<Outcome> =>
  endBy(run, run.input.integrationId, () => run.judge());

/** Gives up the calendar of every connection of an account that has one. */
export const disconnect = async (run: Run<z.output<typeof disconnectCalendar.input>>): Promise<Outcome> => {
  const { input, actor, reads, step } = run;
  const { integrationId = '' } = input;
  const first = await endBy(run, integrationId, () => run.judge());
  if (!first.ok) return first;
  const others: Outcome[] = [];
  for (const other of await reads.lookups.integrationsOf(actor.id))
    if (other.integrationId !== integrationId && other.capabilities.includes('calendar'))
      others.push(
        await endBy(run, other.integrationId, () =>
          step(disconnectCalendar, other.integrationId, { ...input, integrationId: other.integrationId }),
        ),
      );
  return latest(first, ...others);
};

/** Ends every connection of an account that was closed or erased. What was done is not done again. */
export const revokeAll = async (
  tools: Tools,
  accountId: string,
  by: 'closing' | 'erasure',
): Promise<readonly Outcome[]> => {
  const { reads, step } = tools;
  const ended: Outcome[] = [];
  // Those that have ended too: a crash may have kept their tokens.
  for (const { integrationId } of await reads.lookups.integrationsOf(accountId))
    ended.push(
      await endBy(tools, integrationId, () =>
        step(revokeIntegration, integrationId, { integrationId, by }, { trusted: true }),
      ),
    );
  return ended;
};
