import { z } from 'zod';
import { account } from '../../domain/identity/account/index.ts';
import { blockAddress, blockedAddress, unblockAddress } from '../../domain/messaging/blockedAddress.ts';
import { email, queueEmail, recordEmailAttempt, recordEmailDelivery } from '../../domain/messaging/email.ts';
import { bind, internal } from '../binding.ts';
import { emailHash } from '../identity/emailAddress.ts';
import { personOf } from '../identity/person.ts';
import { newest, type Reads } from '../reads.ts';

/** Whether mail may go to an address, as the log says now. */
export const mayReceive = async (reads: Pick<Reads, 'history' | 'hash'>, address: string): Promise<boolean> =>
  !(await newest(reads, blockedAddress, emailHash(reads.hash, address))).blocked;

/** Where a mail went, or was to go while it is not known to have been taken. */
const destinationOf = async (reads: Pick<Reads, 'history'>, emailId: string): Promise<string> => {
  const history = await reads.history(email, emailId);
  const known = history.findLast(({ type }) => type === 'EmailSent' || type === 'EmailQueued');
  return known?.type === 'EmailSent' || known?.type === 'EmailQueued' ? known.data.to : '';
};

/** The life of mails, and the list of addresses that take none. */
export const emailBindings = [
  internal(queueEmail, ({ emailId }) => emailId, {
    facts: async ({ accountId, to }, reads) => ({
      to: to ?? personOf(await reads.history(account, accountId))?.email,
    }),
  }),
  internal(recordEmailAttempt, ({ emailId }) => emailId),
  internal(recordEmailDelivery, ({ emailId }) => emailId, {
    facts: async ({ emailId }, reads) => {
      const to = await destinationOf(reads, emailId);
      return { to, addressHash: emailHash(reads.hash, to) };
    },
  }),
  internal(blockAddress, ({ addressHash }) => addressHash),
  bind(unblockAddress, {
    path: 'POST /ops/blocked-addresses/release',
    access: 'manage:operations',
    summary: 'Take an address off the bounce list, once its mailbox works again',
    example: { email: 'ada@example.org' },
    stream: ({ email }, { hash }) => emailHash(hash, email),
    version: () => undefined,
    facts: async ({ email }, reads) => ({ addressHash: emailHash(reads.hash, email) }),
    answer: { schema: z.object({ blocked: z.boolean() }), of: ({ state }) => ({ blocked: state.blocked }) },
  }),
];
