import { z } from 'zod';
import { type Context, commandsOf, decider, type EventOf, reject, secret } from '../decider.ts';
import { email, uuid } from '../fields.ts';

const Ids = {
  addressHash: secret(z.string()).describe('Keyed hash of the address; the stream is called after it'),
  accountId: z.string().describe('Whose mail it was'),
};

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AddressBlocked: z
    .object({ ...Ids, emailId: z.string(), reason: z.enum(['hard', 'complaint']) })
    .describe('No mail goes there any more'),
  AddressUnblocked: z.object(Ids),
};
export type BlockedAddressEvent = EventOf<typeof events>;

/** Whether mail may go to an address, and whose mail it was that did not arrive. */
export type BlockedAddress = { readonly blocked: boolean; readonly accountId?: string };

/** One address that mail was sent to, on the bounce list or off it again. */
export const blockedAddress = decider<BlockedAddress, BlockedAddressEvent>({
  category: 'blockedAddress',
  events,
  initial: { blocked: false },
  evolve: (_state, { type, data }) => ({ blocked: type === 'AddressBlocked', accountId: data.accountId }),
});
const command = commandsOf(blockedAddress);

const addressHash = z.string().regex(/^[0-9a-f]{64}$/);

/** Puts an address on the bounce list. */
export const blockAddress = command(
  'BlockAddress',
  z.object({ addressHash, accountId: uuid, emailId: uuid, reason: z.enum(['hard', 'complaint']) }),
  (data, { blocked }) => (blocked ? [] : [{ type: 'AddressBlocked', data }]),
);

/** What is kept of the address in its place. */
export type UnblockingFacts = { readonly addressHash: string };

/** Takes an address off the bounce list, once its mailbox works again. */
export const unblockAddress = command(
  'UnblockAddress',
  z.object({ email }),
  (_input, { blocked, accountId }, { facts: { addressHash } }: Pick<Context<UnblockingFacts>, 'facts'>) => {
    if (accountId === undefined) return reject('NOT_FOUND', 'address-not-blocked', 'This address is not blocked');
    return blocked ? [{ type: 'AddressUnblocked', data: { addressHash, accountId } }] : [];
  },
);
