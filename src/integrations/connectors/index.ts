import type { Connector, Connectors, Grant, Tokens, Wish } from '../../domain/messaging/connector.ts';
import type { Provider } from '../../domain/messaging/offers.ts';
import type { Callback, FlowSecrets } from '../../domain/oauth.ts';
import type { Circuit } from '../circuit.ts';
import { asking } from '../oauth/asking.ts';
import type { OpenIdClient } from '../oauth/codeFlow.ts';

/** An adapter as it is written: it throws, and {@link guarded} makes answers of that. */
type Adapter = {
  readonly authorizationUrl: (secrets: FlowSecrets, wish: Wish) => Promise<{ readonly url: string }>;
  readonly exchange: (callback: Callback, secrets: FlowSecrets) => Promise<Grant>;
  readonly refresh: (refreshToken: string) => Promise<Tokens>;
  readonly revoke: (token: string) => Promise<void>;
};

const guarded = (adapter: Adapter, ask: ReturnType<typeof asking>['ask']): Connector => ({
  authorizationUrl: (secrets, wish) => ask(() => adapter.authorizationUrl(secrets, wish)),
  exchange: (callback, secrets) => ask(() => adapter.exchange(callback, secrets)),
  refresh: (refreshToken) => ask(() => adapter.refresh(refreshToken)),
  revoke: async (token) => (await ask(() => adapter.revoke(token).then(() => 'done' as const))) === 'done',
});

/** What is configured. */
export type ConnectorSettings = {
  readonly google: OpenIdClient | undefined;
};

/**
 * The providers that accounts can be connected to, as far as they are configured: they send browsers back to the service
 * at `publicUrl`, which go on to an address there or of an origin that is `allowed`. `timeoutMs` is what each call may take.
 */
export const openConnectors = async (
  { google }: ConnectorSettings,
  { publicUrl, allowed, timeoutMs }: { publicUrl: string; allowed: (origin: string) => boolean; timeoutMs?: number },
): Promise<Connectors & { readonly circuits: readonly Circuit[] }> => {
  const circuits: Circuit[] = [];
  const providers: Partial<Record<Provider, Connector>> = {};
  const callbackUrl = `${publicUrl}/api/v1/oauth/callback`;
  if (google !== undefined) {
    const { googleConnector } = await import('./google.ts');
    const { circuit, ask } = asking('integration-google', timeoutMs);
    circuits.push(circuit);
    providers.google = guarded(googleConnector({ ...google, callbackUrl }), ask);
  }
  const own = new URL(publicUrl).origin;
  return { providers, mayReturnTo: (origin) => origin === own || allowed(origin), circuits };
};
