import t from 'tap';
import {
  type BlockedAddressEvent,
  blockAddress,
  blockedAddress,
  unblockAddress,
} from '../../../src/domain/messaging/blockedAddress.ts';
import { id, spec } from '../../support/spec.ts';

const given = spec(blockedAddress);
const addressHash = 'a'.repeat(64);
const ids = { addressHash, accountId: id('ada') };
const block = { ...ids, emailId: id('mail'), reason: 'hard' as const };
const blocked: BlockedAddressEvent = { type: 'AddressBlocked', data: block };
const unblocked: BlockedAddressEvent = { type: 'AddressUnblocked', data: ids };
const release = { email: 'ada@example.org' };

t.test('an address that takes no mail is blocked, once', async () => {
  given().when(blockAddress, block).then(blocked);
  given(blocked).when(blockAddress, block).nothing();
  given(blocked, unblocked).when(blockAddress, block).then(blocked);
});

t.test('an address whose mailbox works again is released', async (t) => {
  t.test('and can be released twice', async () => {
    given(blocked).when(unblockAddress, release, undefined, { addressHash }).then(unblocked);
    given(blocked, unblocked).when(unblockAddress, release, undefined, { addressHash }).nothing();
  });
  t.test('but not when it was never blocked', async () =>
    given().when(unblockAddress, release, undefined, { addressHash }).rejected('address-not-blocked'),
  );
});
