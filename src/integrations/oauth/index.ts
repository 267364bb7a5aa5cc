import type { SignInProvider } from '../../domain/identity/account/events.ts';
import type { IdentityProvider, ProvenIdentity, SignIn } from '../../domain/identity/signIn.ts';
import type { Callback, FlowSecrets } from '../../domain/oauth.ts';
import type { Circuit } from '../circuit.ts';
import { asking } from './asking.ts';
import type { OpenIdClient } from './codeFlow.ts';

/** An adapter as it is written: it throws, and {@link guarded} makes answers of that. */
type Adapter = {
  readonly authorizationUrl: (secrets: FlowSecrets) => Promise<{ readonly url: string }>;
  readonly identify: (callback: Callback, secrets: FlowSecrets) => Promise<ProvenIdentity>;
  readonly verifyIdToken?: (idToken: string, nonce: string | undefined) => Promise<ProvenIdentity>;
};

const guarded = (
  { authorizationUrl, identify, verifyIdToken }: Adapter,
  ask: ReturnType<typeof asking>['ask'],
): IdentityProvider => ({
  authorizationUrl: (secrets) => ask(() => authorizationUrl(secrets)),
  identify: (callback, secrets) => ask(() => identify(callback, secrets)),
  ...(verifyIdToken === undefined
    ? {}
    : { verifyIdToken: (idToken, nonce) => ask(() => verifyIdToken(idToken, nonce)) }),
});

/** What is configured. */
export type SignInSettings = {
  readonly google: OpenIdClient | undefined;
  readonly github: (Omit<OpenIdClient, 'issuer'> & { readonly url: string; readonly apiUrl: string }) | undefined;
  readonly microsoft: OpenIdClient | undefined;
  readonly redirectUris: readonly string[];
};

/**
 * The providers that the configuration names, which send browsers back to the service at `publicUrl`. Their library is
 * loaded only where one is configured. `timeoutMs` is what each call may take.
 */
export const openSignIn = async (
  { google, github, microsoft, redirectUris }: SignInSettings,
  publicUrl: string,
  timeoutMs?: number,
): Promise<SignIn & { readonly circuits: readonly Circuit[] }> => {
  const circuits: Circuit[] = [];
  const providers: Partial<Record<SignInProvider, IdentityProvider>> = {};
  const add = (name: SignInProvider, open: (callbackUrl: string) => Adapter): void => {
    const { circuit, ask } = asking(`oauth-${name}`, timeoutMs);
    circuits.push(circuit);
    providers[name] = guarded(open(`${publicUrl}/api/v1/auth/oauth/${name}/callback`), ask);
  };
  if (google !== undefined || microsoft !== undefined) {
    const { openIdProvider, saysYes } = await import('./openId.ts');
    if (google !== undefined)
      add('google', (callbackUrl) =>
        openIdProvider({ ...google, callbackUrl, isVerified: ({ email_verified: yes }) => saysYes(yes) }),
      );
    if (microsoft !== undefined)
      add('microsoft', (callbackUrl) => {
        // Tenants write what they like into `email`; only an address whose domain they have proved to own counts.
        const { verifyIdToken: _ofGoogleAlone, ...provider } = openIdProvider({
          ...microsoft,
          callbackUrl,
          isVerified: ({ xms_edov, email_verified }) => saysYes(xms_edov) || saysYes(email_verified),
        });
        return provider;
      });
  }
  if (github !== undefined) {
    const { githubProvider } = await import('./github.ts');
    add('github', (callbackUrl) => githubProvider({ ...github, callbackUrl }));
  }
  return { providers, redirectUris, circuits };
};
