import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ProvenIdentity } from '../../../domain/identity/signIn.ts';
import { flowSecrets } from '../../oauthFlows.ts';
import type { KeyedHash } from '../../reads.ts';

const flows = flowSecrets('sign-in');
/** The secrets of a sign-in; `stateHashOf` names it in the log. */
export const { stateOf, secretsOf, flowIdOf: stateHashOf } = flows;

/** What the client's own state is recognised by. */
export const clientStateHash = (hash: KeyedHash, state: string): string => hash('oauth-client-state', state);

/**
 * What the browser that begins a sign-in keeps in a cookie, beside the state that everybody sees in addresses: the proof
 * that it is the one, and what the client wants to hear again.
 */
export const browserProof = (hash: KeyedHash, state: string, clientState: string): string =>
  `${flows.browserProof(hash, state)}.${Buffer.from(clientState).toString('base64url')}`;

/** The client's state, if the proof is the one that belongs to the state. */
export const provenClientState = (hash: KeyedHash, state: string, proof: string | undefined): string | undefined => {
  const [key = '', clientState = ''] = (proof ?? '').split('.');
  if (!flows.isProved(hash, state, key)) return undefined;
  return Buffer.from(clientState, 'base64url').toString();
};

/** What the code holds that a client exchanges. */
const Sealed = z.object({
  subject: z.string(),
  email: z.string().optional(),
  emailVerified: z.boolean(),
  displayName: z.string().optional(),
});

const ALGORITHM = 'aes-256-gcm';
const keyOf = (hash: KeyedHash, stateHash: string): Buffer => Buffer.from(hash('oauth-code', stateHash), 'hex');

/**
 * The code that the client exchanges. It carries who it is under the service's key: the log has nothing of a person who
 * may not come to have an account.
 */
export const sealCode = (hash: KeyedHash, stateHash: string, identity: ProvenIdentity): string => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv(ALGORITHM, keyOf(hash, stateHash), nonce).setAAD(Buffer.from(stateHash));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(identity), 'utf8'), cipher.final()]);
  return `${stateHash}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`;
};

/** Which sign-in an authentic code belongs to, and who it is; undefined for any other text. */
export const openCode = (
  hash: KeyedHash,
  code: string,
): { readonly stateHash: string; readonly identity: z.output<typeof Sealed> } | undefined => {
  const [, stateHash = '', text = ''] = /^([0-9a-f]{64})\.([\w-]{40,4000})$/.exec(code) ?? [];
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length <= 28) return undefined;
  const opening = createDecipheriv(ALGORITHM, keyOf(hash, stateHash), bytes.subarray(0, 12));
  opening.setAAD(Buffer.from(stateHash)).setAuthTag(bytes.subarray(12, 28));
  try {
    const clear = Buffer.concat([opening.update(bytes.subarray(28)), opening.final()]).toString();
    return { stateHash, identity: Sealed.parse(JSON.parse(clear)) };
  } catch {
    return undefined;
  }
};

/** What the log keeps of a code: enough to know it again. It holds random bits, so a plain hash will do. */
export const codeHash = (code: string): string => createHash('sha256').update(code).digest('hex');

/** Names the use of an ID token, so that it has one only. */
export const idTokenHash = (hash: KeyedHash, idToken: string): string => hash('oauth-id-token', idToken);

/** The reservation of a person of a provider, and what an account keeps of it. */
export const subjectHash = (hash: KeyedHash, provider: string, subject: string): string =>
  hash('oauth-identity', `${provider}/${subject}`);

/** Names the attempts to log in as a person of a provider. */
export const identityAttempts = (hash: KeyedHash, subjectHash: string): string =>
  hash('login-identifier', `oauth/${subjectHash}`);
