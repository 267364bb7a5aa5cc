import type { Kysely } from 'kysely';
import { boolean, instant, integer, json, nullable, projection, type RowOf, uuid } from '../projection.ts';

/** A device on which the second factor is not asked for. */
export type TrustedDevice = {
  readonly deviceId: string;
  readonly deviceInfo: string;
  readonly lastAccess: string;
  readonly expiresAt: string;
};

const columns = {
  account_id: uuid,
  enabled: boolean,
  codes_total: integer,
  codes_remaining: integer,
  codes_generated_at: nullable(instant),
  devices: json<readonly TrustedDevice[]>(),
};
export type SecondFactorRow = RowOf<typeof columns>;

const none = (accountId: string): SecondFactorRow => ({
  account_id: accountId,
  enabled: false,
  codes_total: 0,
  codes_remaining: 0,
  codes_generated_at: null,
  devices: [],
});

const codes = (count: number, at: string) => ({ codes_total: count, codes_remaining: count, codes_generated_at: at });
const without = (devices: readonly TrustedDevice[], deviceId: string) =>
  devices.filter((device) => device.deviceId !== deviceId);

/** The second factor of each account that was ever offered one: how many backup codes are left, and which devices are trusted. */
export const secondFactors = projection({
  name: 'second_factors',
  version: 1,
  columns,
  key: { column: 'account_id', of: ({ data }) => data.accountId },
  fold: {
    MfaSetupStarted: (row: SecondFactorRow | undefined, { data, recordedAt }): SecondFactorRow => ({
      ...(row ?? none(data.accountId)),
      ...codes(data.backupCodeHashes.length, recordedAt),
    }),
    MfaEnabled: (row: SecondFactorRow | undefined) => row && { ...row, enabled: true },
    MfaDisabled: (_row, { data }): SecondFactorRow => none(data.accountId),
    UnprovedAccessDropped: (row: SecondFactorRow | undefined, { data }) => row && none(data.accountId),
    BackupCodeConsumed: (row: SecondFactorRow | undefined, { data }) =>
      row && { ...row, codes_remaining: data.remaining },
    BackupCodesRegenerated: (row: SecondFactorRow | undefined, { data, recordedAt }) =>
      row && { ...row, ...codes(data.backupCodeHashes.length, recordedAt) },
    DeviceTrusted: (row: SecondFactorRow | undefined, { data, recordedAt }) => {
      const { deviceId, deviceInfo, expiresAt } = data;
      const trusted = { deviceId, deviceInfo, lastAccess: recordedAt, expiresAt };
      return row && { ...row, devices: [...without(row.devices, deviceId), trusted] };
    },
    DeviceTrustRevoked: (row: SecondFactorRow | undefined, { data }) =>
      row && { ...row, devices: without(row.devices, data.deviceId) },
    LoginSucceeded: (row: SecondFactorRow | undefined, { data, recordedAt }) =>
      row && {
        ...row,
        devices: row.devices.map((device) =>
          device.deviceId === data.deviceId ? { ...device, lastAccess: recordedAt } : device,
        ),
      },
    AccountErased: () => undefined,
  },
});

/** The second factor of an account; undefined when it was never offered one. */
export const secondFactorOf = (
  db: Kysely<{ second_factors: SecondFactorRow }>,
  accountId: string,
): Promise<SecondFactorRow | undefined> =>
  db.selectFrom('second_factors').selectAll().where('account_id', '=', accountId).executeTakeFirst();
