import { z } from 'zod';
import { reject } from '../../decider.ts';
import { DAY_MS } from '../../durations.ts';
import { line, uuid } from '../../fields.ts';
import { type Account, command } from './state.ts';

/** Milliseconds that a device is trusted, and how many are at a time. */
export const TRUST_LIFE = 30 * DAY_MS;
const DEVICES = 10;

/** Whether the second factor need not be asked for on the device. */
export const trustsDevice = ({ trustedDevices }: Account, deviceId: string, now: Date): boolean => {
  const until = Object.hasOwn(trustedDevices, deviceId) ? trustedDevices[deviceId] : undefined;
  return until !== undefined && Date.parse(until) > now.getTime();
};

/** Trusts a device on which the second factor has been proved. The one whose trust ends first makes room for an eleventh. */
export const trustDevice = command(
  'TrustDevice',
  z.object({ accountId: uuid, deviceId: line(1, 100), deviceInfo: line(0, 200) }),
  ({ accountId, deviceId, deviceInfo }, { mfa, trustedDevices }, { now }) => {
    if (mfa === undefined) return [];
    const others = Object.entries(trustedDevices)
      .filter(([id]) => id !== deviceId)
      .sort(([, a], [, b]) => (a < b ? -1 : 1));
    const crowded = others.slice(0, Math.max(0, others.length - DEVICES + 1));
    const expiresAt = new Date(now.getTime() + TRUST_LIFE).toISOString();
    return [
      ...crowded.map(([id]) => ({ type: 'DeviceTrustRevoked' as const, data: { accountId, deviceId: id } })),
      { type: 'DeviceTrusted', data: { accountId, deviceId, deviceInfo, expiresAt } },
    ];
  },
);

/** Asks for the second factor on the device again. */
export const revokeTrustedDevice = command(
  'RevokeTrustedDevice',
  z.object({ deviceId: line(1, 100) }),
  ({ deviceId }, state, { actor, now }) =>
    trustsDevice(state, deviceId, now)
      ? [{ type: 'DeviceTrustRevoked', data: { accountId: actor.id, deviceId } }]
      : reject('NOT_FOUND', 'device-unknown', 'No such device is trusted'),
);
