import { type Actor, commandsOf, decider, reject } from '../../decider.ts';
import { type Capability, capabilitiesIn, type Provider } from '../offers.ts';
import { events, type IntegrationEvent } from './events.ts';

/** A connection of an account to an outside account, as rules see it. */
export type Integration = {
  /** `ending`: given up, but what was written by it is still being removed. */
  readonly status: 'none' | 'active' | 'needs_reconnect' | 'ending' | 'revoked';
  readonly accountId?: string;
  readonly provider?: Provider;
  readonly scopes: readonly string[];
  /** Names the key that the newest tokens lie under. */
  readonly tokenKey?: string;
  /** Of the event that holds the newest tokens. */
  readonly tokensAt: number;
  readonly refreshable: boolean;
  /** Of the access token; null: it ends with the connection. */
  readonly expiresAt: string | null;
  /** What was written to its calendar is being removed. */
  readonly removing?: true;
  /** Who asks for fresh tokens, and until when nobody else does. */
  readonly claim?: { readonly id: string; readonly until: string };
  /** Of the newest event. */
  readonly revision: number;
};

const without = ({ claim: _over, ...state }: Integration): Integration => state;
const keeping = ({ removing: _over, ...state }: Integration): Integration => state;

const fold = (state: Integration, { type, data }: IntegrationEvent): Integration => {
  switch (type) {
    case 'IntegrationConnected':
    case 'IntegrationTokenRefreshed': {
      const { tokenKey, refreshToken, expiresAt } = data;
      const tokens = { tokenKey, tokensAt: state.revision, refreshable: refreshToken !== null, expiresAt };
      if (type === 'IntegrationTokenRefreshed') return { ...without(state), ...tokens };
      const { accountId, provider, scopes } = data;
      return { ...keeping(without(state)), ...tokens, status: 'active', accountId, provider, scopes };
    }
    case 'IntegrationScopesExtended':
      return { ...keeping(state), scopes: data.scopes };
    case 'IntegrationRefreshStarted':
      return { ...state, claim: { id: data.claimId, until: data.until } };
    case 'IntegrationRefreshFailed':
      return without(state);
    case 'IntegrationNeedsReconnect':
      return { ...without(state), status: 'needs_reconnect' };
    case 'CalendarDisconnected': {
      const left = data.removeEvents ? { ...state, removing: true as const } : state;
      return { ...left, scopes: data.scopes, status: data.scopes.length === 0 ? 'ending' : state.status };
    }
    case 'IntegrationRevoked':
      return { ...without(state), status: 'revoked', scopes: [] };
    case 'IntegrationRevokedAtProvider':
      return state;
  }
};

export const integration = decider<Integration, IntegrationEvent>({
  category: 'integration',
  events,
  initial: { status: 'none', scopes: [], tokensAt: -1, refreshable: false, expiresAt: null, revision: -1 },
  evolve: (state, event) => fold({ ...state, revision: state.revision + 1 }, event),
});
export const command = commandsOf(integration);

/** Whether it can be used for something just now. */
export const isUsable = ({ status, provider, scopes }: Integration, capability: Capability): boolean =>
  status === 'active' && provider !== undefined && capabilitiesIn(provider, scopes).includes(capability);

/** Whether it is the actor's own, or the service itself acts. */
export const isOwn = ({ accountId }: Integration, actor: Actor): boolean =>
  accountId !== undefined && (actor.kind === 'system' || actor.id === accountId);

export const INTEGRATION_UNKNOWN = reject('NOT_FOUND', 'integration-unknown', 'No such integration');
export const REVOKED = reject('CONFLICT', 'revoked', 'This integration has ended; connect it anew');
