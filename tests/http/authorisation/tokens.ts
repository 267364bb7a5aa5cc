import { createHmac } from 'node:crypto';

/** What an access token of the service says, as far as its checks go. */
export type Claims = { readonly sub: string; readonly sid: string; readonly iat?: number; readonly exp?: number };

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JSON Web Token made by hand, so that it can be made wrong. */
export const tokenOf = (
  claims: object,
  { secret, alg = 'HS256' }: { readonly secret: string; readonly alg?: 'HS256' | 'HS512' | 'none' },
): string => {
  const signed = `${encoded({ alg, typ: 'JWT' })}.${encoded(claims)}`;
  const signature =
    alg === 'none' ? '' : createHmac(alg.replace('HS', 'sha'), secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
};

/** What a token says, unverified. */
export const claimsOf = (token: string): Claims => {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  if (typeof claims !== 'object' || claims === null || !('sub' in claims) || !('sid' in claims))
    throw new TypeError('Not an access token');
  return claims as Claims;
};

/** The same token with other claims under its old signature. */
export const tampered = (token: string, claims: object): string => {
  const [header = '', , signature = ''] = token.split('.');
  return `${header}.${encoded({ ...claimsOf(token), ...claims })}.${signature}`;
};
