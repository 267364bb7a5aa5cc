import { ERASED } from '../../domain/decider.ts';
import type { Tokens } from '../../domain/messaging/connector.ts';
import { type Integration, integration } from '../../domain/messaging/integration/index.ts';
import type { Reads } from '../reads.ts';

/** The tokens of a connection in the clear, from the one event of the log that has them; undefined once they are destroyed. */
export const tokensOf = async (
  reads: Pick<Reads, 'opened'>,
  integrationId: string,
  { tokensAt }: Pick<Integration, 'tokensAt'>,
): Promise<{ readonly accessToken: string; readonly refreshToken: string | null } | undefined> => {
  const event = tokensAt < 0 ? undefined : await reads.opened(integration, integrationId, tokensAt);
  if (event?.type !== 'IntegrationConnected' && event?.type !== 'IntegrationTokenRefreshed') return undefined;
  const { accessToken, refreshToken } = event.data;
  return accessToken === ERASED ? undefined : { accessToken, refreshToken };
};

/** When an access token ends that was handed out now; null: with the connection. */
export const expiryOf = ({ expiresIn }: Pick<Tokens, 'expiresIn'>, now: Date): string | null =>
  expiresIn === undefined ? null : new Date(now.getTime() + expiresIn * 1000).toISOString();
