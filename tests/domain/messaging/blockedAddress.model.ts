import fc from 'fast-check';
import * as commands from '../../../src/domain/messaging/blockedAddress.ts';
import { blockAddress, blockedAddress, unblockAddress } from '../../../src/domain/messaging/blockedAddress.ts';
import { model, movesIn, named } from '../../support/model.ts';

const addressHash = 'b'.repeat(64);
const ids = { addressHash, accountId: named('ada'), emailId: named('mail') };

type World = { blocked: boolean; known: boolean };
const on = movesIn<World>();

/** One address, on the bounce list and off it again. */
export const blockedAddressModel = model({
  decider: blockedAddress,
  commands,
  world: (): World => ({ blocked: false, known: false }),
  moves: {
    block: on(fc.constantFrom('hard', 'complaint'), (reason, world) => ({
      command: blockAddress,
      input: { ...ids, reason },
      twice: 'nothing',
      expect: () => {
        if (world.blocked) return [];
        Object.assign(world, { blocked: true, known: true });
        return [{ type: 'AddressBlocked', data: { ...ids, reason } }];
      },
    })),
    release: on(fc.constant({ email: 'ada@example.org' }), (input, world) => ({
      command: unblockAddress,
      input,
      facts: { addressHash },
      twice: 'nothing',
      expect: () => {
        if (!world.known) return 'address-not-blocked';
        if (!world.blocked) return [];
        world.blocked = false;
        return [{ type: 'AddressUnblocked', data: { addressHash, accountId: ids.accountId } }];
      },
    })),
  },
  seen: ({ blocked }) => blocked,
  expected: ({ blocked }) => blocked,
  refusals: ['address-not-blocked'],
});
