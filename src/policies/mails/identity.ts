import { z } from 'zod';
import { type MailPurpose, mailToken } from '../../commands/identity/mailToken.ts';
import { otpCode } from '../../commands/identity/otpCode.ts';
import { personOf } from '../../commands/identity/person.ts';
import { loginSession } from '../../domain/identity/loginSession.ts';
import { type About, template, time } from './template.ts';

const Request = z.object({ requestId: z.string(), expiresAt: z.string() });
const Moment = z.object({ at: z.string() });

const tokenOf = ({ reads, accountId }: About, purpose: MailPurpose, requestId: string): string =>
  mailToken(reads.hash, purpose, { accountId, requestId });

/** Enough to recognise one's own network, too little to find anybody by. */
const shortened = (ip: string): string =>
  ip.includes(':') ? `${ip.split(':').slice(0, 3).join(':')}:…` : ip.replace(/\.\d+\.\d+$/, '.…');

const SOMEBODY_ELSE = 'If this was not you, choose another password at once and look at your log-in sessions.';

const LOCKED_BECAUSE = {
  failed_logins: 'too many attempts to log in to your account have failed, so it is locked',
  admin: 'an administrator has locked your account',
  breach: 'your account is locked, because its password may be known to others',
} as const;

/** Every mail of identity, by its name. A token or code that counts no more is not sent. */
export const identityTemplates = {
  'email-verification': template(Request, ({ requestId, expiresAt }, about) => {
    if (about.state.verification?.requestId !== requestId) return undefined;
    const token = tokenOf(about, 'email-verification', requestId);
    return {
      subject: 'Please verify your e-mail address',
      paragraphs: [
        `please confirm that this is your address, until ${time(expiresAt, about.person)}. If you have not opened an account, ignore this mail.`,
        `Your token: ${token}`,
      ],
      link: { text: 'Verify the address', url: `${about.publicUrl}/verify-email?token=${token}` },
    };
  }),

  'account-locked': template(
    z.object({ until: z.string(), reason: z.enum(['failed_logins', 'admin', 'breach']).default('failed_logins') }),
    ({ until, reason }, { person }) => ({
      subject: 'Your account is locked for a while',
      name: person.displayName,
      paragraphs: [
        `${LOCKED_BECAUSE[reason]} until ${time(until, person)}.`,
        ...(reason === 'admin' ? [] : ['If it was not you who tried, please choose another password after that.']),
      ],
    }),
  ),

  'password-reset': template(Request, ({ requestId, expiresAt }, about) => {
    if (about.state.reset?.requestId !== requestId) return undefined;
    const token = tokenOf(about, 'password-reset', requestId);
    return {
      subject: 'Choose another password',
      name: about.person.displayName,
      paragraphs: [
        `somebody, probably you, has asked for another password. Choose it until ${time(expiresAt, about.person)}. If it was not you, ignore this mail: nothing has changed.`,
        `Your token: ${token}`,
      ],
      link: { text: 'Choose another password', url: `${about.publicUrl}/reset-password?token=${token}` },
    };
  }),

  'password-changed': template(Moment, ({ at }, { person }) => ({
    subject: 'Your password was changed',
    name: person.displayName,
    paragraphs: [
      `the password of your account was changed on ${time(at, person)}, and other devices were logged out.`,
      'If this was not you, ask for another password at once.',
    ],
  })),

  'email-change': template(Request, ({ requestId, expiresAt }, about) => {
    if (about.state.emailChange?.requestId !== requestId) return undefined;
    const asked = about.history.findLast(({ type }) => type === 'EmailChangeRequested');
    if (asked?.type !== 'EmailChangeRequested' || asked.data.requestId !== requestId) return undefined;
    const token = tokenOf(about, 'email-change', requestId);
    return {
      to: asked.data.newEmail,
      subject: 'Please confirm your new e-mail address',
      paragraphs: [
        `please confirm that this is to be the address of your account, until ${time(expiresAt, about.person)}. If you have not asked for that, ignore this mail.`,
        `Your token: ${token}`,
      ],
      link: { text: 'Confirm the address', url: `${about.publicUrl}/verify-email?token=${token}` },
    };
  }),

  'email-change-notice': template(z.object({ requestId: z.string(), at: z.string() }), (order, { history, person }) => {
    const asked = history.findIndex(
      ({ type, data }) => type === 'EmailChangeRequested' && data.requestId === order.requestId,
    );
    const before = personOf(history.slice(0, asked));
    if (asked < 0 || before === undefined) return undefined;
    return {
      to: before.email,
      subject: 'Another e-mail address was asked for',
      name: person.displayName,
      paragraphs: [
        `on ${time(order.at, person)} your account was asked to use another e-mail address. This one stays valid until the other is confirmed.`,
        SOMEBODY_ELSE,
      ],
    };
  }),

  'new-sign-in': template(
    z.object({ sessionId: z.string(), at: z.string() }),
    async ({ sessionId, at }, { reads, person }) => {
      const begun = (await reads.history(loginSession, sessionId)).find(({ type }) => type === 'LoginSessionStarted');
      if (begun?.type !== 'LoginSessionStarted') return undefined;
      const { deviceInfo, userAgent, ip } = begun.data;
      return {
        subject: 'Your account was used on a new device',
        name: person.displayName,
        paragraphs: [
          `on ${time(at, person)} somebody logged in to your account from a device that we had not seen before.`,
          `Device: ${(deviceInfo ?? userAgent) || 'unknown'}. Network address: ${ip === '' ? 'unknown' : shortened(ip)}.`,
          SOMEBODY_ELSE,
        ],
      };
    },
  ),

  'account-deactivated': template(Moment.extend({ by: z.enum(['owner', 'admin']) }), ({ at, by }, { person }) => ({
    subject: 'Your account is closed',
    name: person.displayName,
    paragraphs: [
      `on ${time(at, person)} your account was closed ${by === 'owner' ? 'as you asked' : 'by an administrator'}. Nobody can log in to it any more.`,
      'If this is a mistake, write to whoever runs this service: an administrator can open it again.',
    ],
  })),

  'otp-code': template(
    z.object({ challengeId: z.string(), expiresAt: z.string() }),
    ({ challengeId, expiresAt }, { reads, person }) => ({
      subject: 'Your one-time code',
      name: person.displayName,
      paragraphs: [
        `this is your one-time code. It counts once, until ${time(expiresAt, person)}. Tell it to nobody; if you have not asked for it, ignore this mail.`,
      ],
      code: otpCode(reads.hash, challengeId),
    }),
  ),
} as const;
