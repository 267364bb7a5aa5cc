import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { StartupProblem } from '../startupProblem.ts';

/** A key of access tokens: what signs and checks them, and what tells which key a token was signed with. */
export type TokenKey = {
  /** Stands in the header of every token it signs. */
  readonly kid: string;
  readonly algorithm: 'HS256' | 'EdDSA' | 'ES256' | 'RS256';
  /** The secret, or the private key as PEM. */
  readonly signing: string;
  /** The secret, or the public key as PEM. */
  readonly checking: string;
  /** The public key for everybody (RFC 7517); undefined for a secret, which is nobody else's business. */
  readonly jwk?: Readonly<Record<string, unknown>>;
};

const KID_DIGITS = 16;

const algorithmOf = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): TokenKey['algorithm'] | undefined => {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048 ? 'RS256' : undefined;
};

/**
 * The key that a setting names: a private key as PEM (Ed25519, P-256, or RSA of 2,048 bits and more; `\n` may stand for
 * line breaks) signs so that others can check with the public key, any other text is a shared secret. Throws StartupProblem for a private key of
 * another kind, naming the setting.
 */
export const tokenKeyOf = (secret: string, setting: string): TokenKey => {
  if (!secret.startsWith('-----BEGIN')) {
    const kid = createHmac('sha256', secret).update('kid').digest('hex').slice(0, KID_DIGITS);
    return { kid, algorithm: 'HS256', signing: secret, checking: secret };
  }
  const pem = secret.replaceAll('\\n', '\n');
  try {
    const signing = createPrivateKey(pem);
    const algorithm = algorithmOf(signing);
    if (algorithm === undefined) throw new Error('unsuitable');
    const publicKey = createPublicKey(pem);
    const kid = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex')
      .slice(0, KID_DIGITS);
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
    const checking = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    return { kid, algorithm, signing: pem, checking, jwk };
  } catch {
    throw new StartupProblem(`${setting} is no private key for tokens: Ed25519, P-256, or RSA of 2,048 bits and more`);
  }
};

/** Which key the header of a token names; undefined for none, or for what is no token. */
export const keyIdOf = (token: string): string | undefined => {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString());
    const kid: unknown = typeof header === 'object' && header !== null ? Reflect.get(header, 'kid') : undefined;
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
};
