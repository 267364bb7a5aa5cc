import type { Provider } from '../../domain/messaging/offers.ts';
import { uuid5 } from '../../uuid.ts';
import { flowSecrets } from '../oauthFlows.ts';
import type { KeyedHash } from '../reads.ts';

/** The secrets of a way to connect an account. */
export const { stateOf, flowIdOf, secretsOf, browserProof, isProved } = flowSecrets('integration');

/** Namespace of the ids of integrations. */
const INTEGRATIONS = '5d0b8c1e-52f7-5f0c-8f0e-2c8d1b7a9e44';

/** One for each account and outside account, whoever connects them how often. */
export const integrationIdOf = (hash: KeyedHash, accountId: string, provider: Provider, subject: string): string =>
  uuid5(hash('integration', JSON.stringify([accountId, provider, subject])), INTEGRATIONS);
