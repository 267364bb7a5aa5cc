import { randomUUID } from 'node:crypto';
import t from 'tap';
import { otpCode } from '../../../src/commands/identity/otpCode.ts';
import { ERASED } from '../../../src/domain/decider.ts';
import type { AccountEvent } from '../../../src/domain/identity/account/events.ts';
import { sendCode } from '../../../src/policies/mails/code.ts';
import { accountId, at, expiresAt, hash, logOf, registered, taking } from './log.ts';

const challengeId = randomUUID();
const number = '+4930123456';
const added = (phoneNumberId: string, given = number): AccountEvent => ({
  type: 'PhoneNumberAdded',
  data: { accountId, phoneNumberId, number: given, numberHash: 'h', at },
});
const removed: AccountEvent = { type: 'PhoneNumberRemoved', data: { accountId, phoneNumberId: 'p1', numberHash: 'h' } };
const erased: AccountEvent = { type: 'AccountErased', data: { accountId, by: 'owner', emailHash: 'x', at } };

const send = async (order: object, history: readonly AccountEvent[]) => {
  const { texts, sms } = taking();
  const reads = logOf({ [`account-${accountId}`]: history });
  await sendCode({ challengeId, accountId, expiresAt, ...order }, { reads, sms });
  return texts;
};
const bySms = { phoneNumberId: 'p1' };

t.test('a one-time code', async (t) => {
  t.test('goes by SMS to the number asked for', async (t) => {
    const texts = await send(bySms, [registered(), added('p0', '+4930999999'), added('p1')]);
    t.match(texts, [{ to: number, accountId, template: 'otp-code', dedupeKey: `otp-code/${challengeId}` }]);
    const [{ text } = { text: '' }] = texts;
    t.match(text, new RegExp(`^${otpCode(hash, challengeId)} .*14:00`));
    t.ok(text.length <= 160 && [...text].every((letter) => letter.charCodeAt(0) < 128), 'fits one message');
  });
  t.test('goes nowhere when number or account are gone, or the code has expired', async (t) => {
    for (const history of [
      [registered()],
      [registered(), added('p1'), removed],
      [registered(), added('p1'), erased],
      [registered(), added('p1', ERASED)],
      [],
    ])
      t.strictSame(await send(bySms, history), []);
    t.strictSame(await send({ ...bySms, expiresAt: at }, [registered(), added('p1')]), []);
  });
});
