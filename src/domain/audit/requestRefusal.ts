import { z } from 'zod';
import { decider, type EventOf, pii, secret } from '../decider.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  RequestRefused: z.object({
    accountId: z.string().optional().describe('Who was refused; absent for unknown callers'),
    code: z.string().nullable().describe('The code of the answer; null when the event stands for several codes'),
    reason: z
      .string()
      .optional()
      .describe('The reason of the answer; absent when the event stands for several requests'),
    method: z.string().nullable(),
    path: z.string().nullable().describe('The pattern of the route; null when the event stands for several routes'),
    count: z.int().describe('How many refusals this stands for'),
    minute: z.string().describe('Begin of the calendar minute that was counted'),
    ip: pii('ipKey', z.string().nullable()).describe('Null when the event stands for several addresses'),
    ipKey: z.string().describe('Under whose key the address lies: the account, or the month for unknown callers'),
    ipHash: secret(z.string().nullable()).describe('Keyed hash of the address, to search by'),
  }),
};
export type RequestRefusalEvent = EventOf<typeof events>;

/**
 * Requests that were refused before anything was decided: without a valid login, to a locked account, over a limit, with
 * a bad signature. Facts that nobody decides about. A stream holds those that one process met in one minute.
 */
export const requestRefusal = decider<{ readonly refusals: number }, RequestRefusalEvent>({
  category: 'requestRefusal',
  events,
  initial: { refusals: 0 },
  evolve: ({ refusals }, { type, data }) => {
    switch (type) {
      case 'RequestRefused':
        return { refusals: refusals + data.count };
    }
  },
});
