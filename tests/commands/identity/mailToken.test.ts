import { createHmac } from 'node:crypto';
import t from 'tap';
import { type MailPurpose, mailToken, readMailToken } from '../../../src/commands/identity/mailToken.ts';

const hash = (purpose: string, value: string): string =>
  createHmac('sha256', 'key').update(`${purpose}\0${value}`).digest('hex');
const named = {
  accountId: '0192f0c1-2a3b-7c4d-8e5f-0123456789ab',
  requestId: '5b1f6a52-94f3-5d0e-a6c1-ba9876543210',
};
const purposes: readonly MailPurpose[] = ['email-verification', 'email-change', 'password-reset'];

t.test('the token of a mail', async (t) => {
  t.test('names its request, for its own purpose alone', async (t) => {
    for (const made of purposes)
      for (const read of purposes)
        t.strictSame(
          readMailToken(hash, read, mailToken(hash, made, named)),
          made === read ? named : undefined,
          `${made} read as ${read}`,
        );
  });
  t.test('is worth nothing once any character of it is changed', async (t) => {
    const token = mailToken(hash, 'password-reset', named);
    for (const at of token.split('').keys()) {
      const other = token[at] === '0' ? '1' : '0';
      t.equal(readMailToken(hash, 'password-reset', `${token.slice(0, at)}${other}${token.slice(at + 1)}`), undefined);
    }
  });
  t.test('cannot be made with another key', async (t) => {
    const foreign = mailToken((purpose, value) => hash(`${purpose}!`, value), 'password-reset', named);
    t.equal(readMailToken(hash, 'password-reset', foreign), undefined);
  });
  t.test('is no other text', async (t) => {
    const token = mailToken(hash, 'email-change', named);
    for (const text of ['', token.slice(1), `${token}0`, token.toUpperCase(), ` ${token.slice(1)}`, 'é'.repeat(128)])
      t.equal(readMailToken(hash, 'email-change', text), undefined);
  });
});
