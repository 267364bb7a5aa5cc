import { z } from 'zod';
import { decider, type EventOf, pii, secret } from '../decider.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AccessDenied: z.object({
    accountId: z.string().optional().describe('Who was refused; absent for callers without an account'),
    permission: z.string().optional().describe('The permission that was missing; absent where the reason is another'),
    reason: z.string().describe('The reason of the answer'),
    method: z.string(),
    path: z.string().describe('The pattern of the route'),
    resourceId: z.string().optional().describe('What the path named, where all refusals counted named the same'),
    count: z.int().describe('How many refusals this stands for'),
    minute: z.string().describe('Begin of the calendar minute that was counted'),
    continues: z
      .string()
      .optional()
      .describe('Id of the first event about the same account, permission, path and minute'),
    ip: pii('ipKey', z.string().nullable()).describe('Of the first of them'),
    ipKey: z.string().describe('Under whose key the address lies: the account, or the month for unknown callers'),
    ipHash: secret(z.string().nullable()).describe('Keyed hash of the address, to search by'),
  }),
};
export type AccessDenialEvent = EventOf<typeof events>;

/**
 * Refusals for want of a right, as they were answered: facts that nobody decides about. A stream holds those that one
 * process met in one minute.
 */
export const accessDenial = decider<{ readonly refusals: number }, AccessDenialEvent>({
  category: 'accessDenial',
  events,
  initial: { refusals: 0 },
  evolve: ({ refusals }, { type, data }) => {
    switch (type) {
      case 'AccessDenied':
        return { refusals: refusals + data.count };
    }
  },
});
