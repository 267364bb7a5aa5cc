import type { Kysely } from 'kysely';
import { capabilitiesIn, type Provider } from '../../domain/messaging/offers.ts';
import type { ReadModels } from '../index.ts';
import { boolean, instant, json, nullable, projection, type RowOf, text, uuid, word } from '../projection.ts';

const columns = {
  integration_id: uuid,
  account_id: uuid,
  provider: word<Provider>(),
  /** What its holder calls the outside account; null once it is not to be known any more. */
  external_account: nullable(text),
  scopes: json<readonly string[]>(),
  status: word<'active' | 'needs_reconnect' | 'revoked'>(),
  refreshable: boolean,
  expires_at: nullable(instant),
  connected_at: instant,
  last_used_at: nullable(instant),
};
export type IntegrationRow = RowOf<typeof columns>;

/** The connections of accounts to outside accounts. Nothing of their tokens. */
export const integrations = projection({
  name: 'integrations',
  version: 1,
  columns,
  key: { column: 'integration_id', of: ({ data }) => data.integrationId },
  erasure: { column: 'account_id', row: (row) => ({ ...row, external_account: null }) },
  indexes: [['account_id', 'connected_at']],
  fold: {
    IntegrationConnected: (row, { data, recordedAt }): IntegrationRow => ({
      integration_id: data.integrationId,
      account_id: data.accountId,
      provider: data.provider,
      external_account: data.externalAccount,
      scopes: data.scopes,
      status: 'active',
      refreshable: data.refreshToken !== null,
      expires_at: data.expiresAt,
      connected_at: recordedAt,
      last_used_at: row?.last_used_at ?? null,
    }),
    IntegrationScopesExtended: (row, { data }) => row && { ...row, scopes: data.scopes },
    IntegrationTokenRefreshed: (row, { data, recordedAt }) =>
      row && {
        ...row,
        refreshable: data.refreshToken !== null,
        expires_at: data.expiresAt,
        last_used_at: recordedAt,
      },
    IntegrationNeedsReconnect: (row): IntegrationRow | undefined => row && { ...row, status: 'needs_reconnect' },
    CalendarDisconnected: (row, { data }): IntegrationRow | undefined =>
      row && { ...row, scopes: data.scopes, status: data.scopes.length === 0 ? 'revoked' : row.status },
    IntegrationRevoked: (row): IntegrationRow | undefined =>
      row && { ...row, status: 'revoked', scopes: [], expires_at: null },
    CalendarEventSynced: (row, { recordedAt }) => row && { ...row, last_used_at: recordedAt },
  },
});

/** Every connection of an account, those that have ended too; oldest first. */
export const integrationsOf = async (db: Kysely<ReadModels>, accountId: string): Promise<readonly IntegrationRow[]> =>
  db
    .selectFrom('integrations')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('connected_at')
    .orderBy('integration_id')
    .execute();

/** As commands see it. */
export const known = ({ integration_id, provider, status, scopes }: IntegrationRow) => ({
  integrationId: integration_id,
  provider,
  status,
  scopes,
  capabilities: status === 'revoked' ? [] : capabilitiesIn(provider, scopes),
});

/** One connection, whoever it belongs to. */
export const integrationOf = (db: Kysely<ReadModels>, integrationId: string): Promise<IntegrationRow | undefined> =>
  db.selectFrom('integrations').selectAll().where('integration_id', '=', integrationId).executeTakeFirst();
