import t from 'tap';
import {
  claimPhoneNumber,
  releasePhoneNumber,
  type VerifiedPhoneEvent,
  verifiedPhone,
} from '../../../src/domain/identity/verifiedPhone.ts';
import { id, now, spec } from '../../support/spec.ts';

const given = spec(verifiedPhone);
const ada = { accountId: id('ada') };
const bob = { accountId: id('bob') };
const at = now.toISOString();
const later = new Date(now.getTime() + 60_000);
const claimed = (by: { accountId: string }, claimedAt = at): VerifiedPhoneEvent => ({
  type: 'PhoneNumberClaimed',
  data: { ...by, claimedAt },
});
const released: VerifiedPhoneEvent = { type: 'PhoneNumberReleased', data: ada };

t.test('reserving a number', async (t) => {
  t.test('gives it to the first, who may renew it', async () => {
    given().when(claimPhoneNumber, ada).then(claimed(ada));
    given(claimed(ada)).when(claimPhoneNumber, ada, { now: later }).then(claimed(ada, later.toISOString()));
  });
  t.test('is refused to another', async () => given(claimed(ada)).when(claimPhoneNumber, bob).rejected('number-taken'));
  t.test('takes the place of the reservation that was looked at, and of no later one', async () => {
    const instead = { ...bob, insteadOf: { ...ada, claimedAt: at } };
    given(claimed(ada)).when(claimPhoneNumber, instead).then(claimed(bob));
    given(claimed(ada), claimed(ada, later.toISOString())).when(claimPhoneNumber, instead).rejected('number-taken');
    given(claimed({ accountId: id('cid') }))
      .when(claimPhoneNumber, instead)
      .rejected('number-taken');
  });
});

t.test('giving a number back', async (t) => {
  const input = { ...ada, numberHash: 'hash' };
  t.test('makes it free', async () => {
    given(claimed(ada)).when(releasePhoneNumber, input, undefined, { lapsed: at }).then(released);
    given(claimed(ada), released).when(claimPhoneNumber, bob).then(claimed(bob));
  });
  t.test('comes to nothing for others, while it is needed, or when it was renewed since', async () => {
    given(claimed(bob)).when(releasePhoneNumber, input, undefined, { lapsed: at }).nothing();
    given(claimed(ada)).when(releasePhoneNumber, input, undefined, { lapsed: undefined }).nothing();
    given(claimed(ada), claimed(ada, later.toISOString()))
      .when(releasePhoneNumber, input, undefined, { lapsed: at })
      .nothing();
    given(claimed(ada), released).when(releasePhoneNumber, input, undefined, { lapsed: undefined }).nothing();
  });
});
