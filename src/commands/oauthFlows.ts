import { reject } from '../domain/decider.ts';
import type { FlowSecrets } from '../domain/oauth.ts';
import type { Refused } from './binding.ts';
import { isSecret } from './keyedHash.ts';
import { refused } from './outcomes.ts';
import type { KeyedHash } from './reads.ts';

/**
 * The secrets of ways to a provider and back, for one purpose. All of them follow from the state by the service's key, so
 * that none is kept.
 */
export const flowSecrets = (purpose: 'sign-in' | 'integration') => ({
  /** The state, which the provider sends back: unknown to whoever does not have the service's key. */
  stateOf: (hash: KeyedHash, id: string): string => hash(`${purpose}-state`, id),
  /** Names the way in the log, where its state does not stand. */
  flowIdOf: (hash: KeyedHash, state: string): string => hash(`${purpose}-flow`, state),
  secretsOf: (hash: KeyedHash, state: string): FlowSecrets => ({
    state,
    nonce: hash(`${purpose}-nonce`, state),
    codeVerifier: hash(`${purpose}-code-verifier`, state),
  }),
  /** What the browser that began keeps in a cookie, beside the state that everybody sees in addresses. */
  browserProof: (hash: KeyedHash, state: string): string => hash(`${purpose}-browser`, state),
  /** Whether the proof is the one that belongs to the state. */
  isProved: (hash: KeyedHash, state: string, proof = ''): boolean => isSecret(proof, hash(`${purpose}-browser`, state)),
});

/** The address that the browser comes out at, with what is to be learned there. */
export const redirectTo = (redirectUri: string, parameters: Readonly<Record<string, string>>): string => {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
};

/** The refusal of what needs a provider that gives no answer. */
export const PROVIDER_UNAVAILABLE: Refused = {
  ...refused(reject('SERVICE_UNAVAILABLE', 'provider-unavailable', 'The provider gives no answer; try again')),
  retryAfter: 5,
};
