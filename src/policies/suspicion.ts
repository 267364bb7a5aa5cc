import { noteDevice } from '../domain/identity/knownDevices.ts';
import { flagSuspiciousActivity } from '../domain/identity/suspicion.ts';
import { mail } from './mails/index.ts';
import { issue, policy } from './policy.ts';

/** Takes note of where accounts are used, and tells their holders and the log of each new device but the first. */
export const devices = policy('identity-devices', {
  LoginSucceeded: ({ data: { accountId, sessionId, deviceId, userAgent, ip }, recordedAt: at }) => [
    issue(noteDevice, { accountId, device: deviceId ?? userAgent, sessionId, ip, at }),
  ],
  DeviceSeen: ({ data: { accountId, sessionId, ip, first, at } }) =>
    first
      ? []
      : [
          issue(flagSuspiciousActivity, { pattern: 'new_device', accountId, ip, at, evidence: { sessionId } }),
          mail({ template: 'new-sign-in', accountId, sessionId, at }),
        ],
});

/** Looks after each sign of an attack whether there are enough of them. */
export const suspicions = policy('identity-suspicions', {
  RefreshTokenReuseDetected: ({ data: { accountId, sessionId, ip }, recordedAt: at }) => [
    issue(flagSuspiciousActivity, { pattern: 'refresh_reuse', accountId, ip, at, evidence: { sessionId } }),
  ],
  AccessDenied: ({ data: { accountId, ip }, recordedAt: at }) =>
    accountId === undefined ? [] : [issue(flagSuspiciousActivity, { pattern: 'access_probing', accountId, ip, at })],
  LoginFailed: ({ data: { ip }, recordedAt: at }) => [
    issue(flagSuspiciousActivity, { pattern: 'password_spray', ip, at }),
  ],
  AccountLocked: ({ data: { accountId, reason }, recordedAt: at }) =>
    reason === 'failed_logins'
      ? [issue(flagSuspiciousActivity, { pattern: 'many_lockouts', accountId, ip: null, at })]
      : [],
});

/** Every policy about what looks like an attack. */
export const suspicionPolicies = [devices, suspicions] as const;
