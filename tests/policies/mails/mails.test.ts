import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type MailPurpose, readMailToken } from '../../../src/commands/identity/mailToken.ts';
import { otpCode } from '../../../src/commands/identity/otpCode.ts';
import { ERASED } from '../../../src/domain/decider.ts';
import type { AccountEvent } from '../../../src/domain/identity/account/events.ts';
import { bookingTemplates } from '../../../src/policies/mails/booking/index.ts';
import type { identityTemplates } from '../../../src/policies/mails/identity.ts';
import { type MailOrder, writeMail } from '../../../src/policies/mails/index.ts';
import { integrationTemplates } from '../../../src/policies/mails/integrations.ts';
import { TEMPLATES } from '../../../src/policies/mails/templates.ts';
import {
  accountId,
  at,
  bookingStreams,
  expiresAt,
  hash,
  logOf,
  publicUrl,
  registered,
  requestId,
  sender,
} from './log.ts';

const request = { accountId, requestId, expiresAt };
const asked: Readonly<Record<MailPurpose, AccountEvent>> = {
  'email-verification': { type: 'EmailVerificationRequested', data: request },
  'password-reset': { type: 'PasswordResetRequested', data: request },
  'email-change': {
    type: 'EmailChangeRequested',
    data: { ...request, newEmail: 'lovelace@example.org', newEmailHash: 'hash of lovelace@example.org' },
  },
};
const session = {
  type: 'LoginSessionStarted',
  data: {
    sessionId: 's1',
    accountId,
    method: 'password',
    refreshTokenHash: 'x',
    expiresAt,
    deviceInfo: "Ada's <phone>",
    ip: '203.0.113.77',
    userAgent: 'Browser/1.0',
  },
} as const;

const write = (
  order: MailOrder,
  history: readonly AccountEvent[] = [registered()],
  sessions: readonly unknown[] = [session],
) =>
  writeMail(order, {
    reads: logOf({ ...bookingStreams(), [`account-${accountId}`]: history, 'loginSession-s1': sessions }),
    publicUrl,
    sender,
  });

type IdentityTemplate = keyof typeof identityTemplates;

/** One order for each template, and a past that it belongs to. */
const orders: {
  readonly [Name in IdentityTemplate]: readonly [MailOrder & { template: Name }, readonly AccountEvent[]];
} = {
  'email-verification': [{ template: 'email-verification', ...request }, [registered(), asked['email-verification']]],
  'account-locked': [{ template: 'account-locked', accountId, until: expiresAt }, [registered()]],
  'password-reset': [{ template: 'password-reset', ...request }, [registered(), asked['password-reset']]],
  'password-changed': [{ template: 'password-changed', accountId, at }, [registered()]],
  'email-change': [{ template: 'email-change', ...request }, [registered(), asked['email-change']]],
  'email-change-notice': [
    { template: 'email-change-notice', accountId, requestId, at },
    [registered(), asked['email-change']],
  ],
  'new-sign-in': [{ template: 'new-sign-in', accountId, sessionId: 's1', at }, [registered()]],
  'account-deactivated': [{ template: 'account-deactivated', accountId, at, by: 'owner' }, [registered()]],
  'otp-code': [{ template: 'otp-code', accountId, challengeId: 'c1', expiresAt }, [registered()]],
};

t.test('every mail', async (t) => {
  const all = [orders, bookingTemplates, integrationTemplates].flatMap((of) => Object.keys(of));
  t.strictSame(all.sort(), [...TEMPLATES].sort(), 'has an order here or in the tests of its own');
  for (const [name, [order, history]] of Object.entries(orders))
    t.test(name, async (t) => {
      const mail = await write(order, history);
      if (mail === undefined) throw new Error('The mail is not written');
      t.match(mail, {
        template: name,
        accountId,
        to: name === 'email-change' ? 'lovelace@example.org' : 'ada@example.org',
      });
      t.ok(mail.dedupeKey.startsWith(`${name}/`) && mail.dedupeKey.length > name.length + 1);
      t.notMatch(mail.dedupeKey, /@|Ada/, 'is known by no personal data');
      t.match(mail.text, /^Hello/);
      t.match(mail.html, /<meta name="viewport"[\s\S]*max-width/);
      t.notMatch(mail.html, /<Lovelace>|<phone>|"Co"/, 'escapes what people entered');
      t.notMatch(mail.text + mail.html, /undefined|\[object|UTC/);
      const words = (text: string) => text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
      for (const line of mail.text.split('\n\n').map((text) => text.trim()))
        t.ok(words(mail.html).includes(line), `says the same in both parts: ${line}`);
      t.strictSame(await write(order, history), mail, 'is the same when written again');
    });
  t.test('is not written for an account that is erased, abandoned or was never opened', async (t) => {
    const ends: readonly (readonly AccountEvent[])[] = [
      [{ type: 'AccountErased', data: { accountId, by: 'owner', emailHash: 'x', at } }],
      [{ type: 'RegistrationAbandoned', data: { accountId } }],
    ];
    for (const [order, history] of Object.values(orders)) {
      for (const end of ends) t.equal(await write(order, [...history, ...end]), undefined);
      t.equal(await write(order, []), undefined);
      const [, ...rest] = history;
      t.equal(await write(order, [registered({ email: ERASED, displayName: ERASED }), ...rest]), undefined);
    }
  });
  t.test('is not written once what it holds has expired', async (t) => {
    const past = Object.values(orders).filter(([order]) => 'expiresAt' in order);
    t.equal(past.length, 4);
    for (const [order, history] of past)
      t.equal(await write({ ...order, expiresAt: at } as MailOrder, history), undefined);
  });
  t.test('goes to the address, name and time zone of now', async (t) => {
    const [order, history] = orders['account-locked'];
    const mail = await write(order, [
      ...history,
      { type: 'ProfileUpdated', data: { accountId, changed: { displayName: 'Augusta', timezone: 'Asia/Tokyo' } } },
      {
        type: 'EmailChanged',
        data: {
          accountId,
          oldEmail: 'ada@example.org',
          oldEmailHash: 'a',
          email: 'new@example.org',
          emailHash: 'b',
          at,
        },
      },
    ]);
    t.match(mail, { to: 'new@example.org', text: /^Hello Augusta,[\s\S]*22:00:00/ });
  });
  t.test('is refused when its order is none', async (t) => {
    await t.rejects(writeMail({ template: 'nonsense', accountId }, { reads: logOf({}), publicUrl, sender }));
    await t.rejects(write({ template: 'password-changed', accountId } as never));
  });
});

t.test('a mail with a token', async (t) => {
  for (const purpose of ['email-verification', 'password-reset', 'email-change'] as const)
    t.test(purpose, async (t) => {
      const [order, history] = orders[purpose];
      const mail = await write(order, history);
      const [, token = ''] = /token=([0-9a-f]+)/.exec(mail?.text ?? '') ?? [];
      t.strictSame(readMailToken(hash, purpose, token), { accountId, requestId });
      t.match(mail?.html, new RegExp(`href="https://convene\\.example\\.org/[a-z-]+\\?token=${token}"`));
      t.match(mail?.text, `Your token: ${token}`);
      t.match(mail?.text, /1 March 2026 at 14:00:00/, 'tells until when it counts, in the zone of the person');
      const later = { ...asked[purpose], data: { ...asked[purpose].data, requestId: randomUUID() } } as AccountEvent;
      t.equal(await write(order, [...history, later]), undefined, 'is not sent once another has replaced it');
      t.equal(await write(order, [registered()]), undefined, 'is not sent for a request that nobody made');
    });
  t.test('greets nobody by name at an address that may be a stranger\u2019s', async (t) => {
    for (const template of ['email-verification', 'email-change'] as const) {
      const [order, history] = orders[template];
      t.notMatch(JSON.stringify(await write(order, history)), /Lovelace/);
    }
  });
});

t.test('the notice of another address goes to the one before, even when that is gone', async (t) => {
  const [order, history] = orders['email-change-notice'];
  const changed: AccountEvent = {
    type: 'EmailChanged',
    data: {
      accountId,
      oldEmail: 'ada@example.org',
      oldEmailHash: 'a',
      email: 'lovelace@example.org',
      emailHash: 'b',
      at,
    },
  };
  const mail = await write(order, [...history, changed]);
  t.match(mail, { to: 'ada@example.org' });
  t.notMatch(JSON.stringify(mail), /lovelace@/, 'and does not tell the new one');
});

t.test('the mail about a new sign-in tells device, time and half an address', async (t) => {
  const [order] = orders['new-sign-in'];
  const mail = await write(order);
  t.match(mail?.text, /Ada's <phone>/);
  t.match(mail?.text, /1 March 2026 at 12:00:00/);
  t.match(mail?.text, '203.0.…');
  t.notMatch(mail?.text, /203\.0\.113/);
  const six = { ...session, data: { ...session.data, ip: '2001:db8:1:2:3:4:5:6', deviceInfo: undefined } };
  t.match((await write(order, [registered()], [six]))?.text, /Browser\/1\.0[\s\S]*2001:db8:1:…/);
  t.equal(await write(order, [registered()], []), undefined);
});

t.test('the mail about a lock says why', async (t) => {
  const lock = (reason?: 'failed_logins' | 'admin' | 'breach') =>
    write({ template: 'account-locked', accountId, until: expiresAt, ...(reason === undefined ? {} : { reason }) });
  t.match((await lock())?.text, /too many attempts/);
  t.match((await lock('failed_logins'))?.text, /too many attempts/);
  t.match((await lock('admin'))?.text, /an administrator has locked/);
  t.notMatch((await lock('admin'))?.text, /too many/);
  t.match((await lock('breach'))?.text, /known to others/);
});

t.test('the mail with a one-time code holds that of its challenge', async (t) => {
  const [order] = orders['otp-code'];
  const mail = await write(order);
  t.match(mail?.text, otpCode(hash, 'c1'));
  t.match(mail?.html, otpCode(hash, 'c1'));
  t.notMatch(mail?.subject, /\d/);
});
