import type { SignInSecrets } from '../../domain/identity/signIn.ts';
import type { Provider } from '../../domain/messaging/offers.ts';
import { uuid5 } from '../../uuid.ts';
import { isSecret } from '../keyedHash.ts';
import type { KeyedHash } from '../reads.ts';

/** The state of a way to a provider, which sends it back: unknown to whoever does not have the service's key. */
export const stateOf = (hash: KeyedHash, id: string): string => hash('integration-state', id);

/** Names the flow in the log, where its state does not stand. */
export const flowIdOf = (hash: KeyedHash, state: string): string => hash('integration-flow', state);

/** The other secrets of a flow: they follow from its state by the service's key, so that none of them is kept. */
export const secretsOf = (hash: KeyedHash, state: string): SignInSecrets => ({
  state,
  nonce: hash('integration-nonce', state),
  codeVerifier: hash('integration-code-verifier', state),
});

/** What the browser that began keeps in a cookie, beside the state that everybody sees in addresses. */
export const browserProof = (hash: KeyedHash, state: string): string => hash('integration-browser', state);

/** Whether the proof is the one that belongs to the state. */
export const isProved = (hash: KeyedHash, state: string, proof: string | undefined): boolean =>
  isSecret(proof ?? '', browserProof(hash, state));

/** Namespace of the ids of integrations. */
const INTEGRATIONS = '5d0b8c1e-52f7-5f0c-8f0e-2c8d1b7a9e44';

/** One for each account and outside account, whoever connects them how often. */
export const integrationIdOf = (hash: KeyedHash, accountId: string, provider: Provider, subject: string): string =>
  uuid5(hash('integration', JSON.stringify([accountId, provider, subject])), INTEGRATIONS);
