import { z } from 'zod';
import { decider, type EventOf } from '../decider.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  SensitiveDataRead: z
    .object({
      actorId: z.string(),
      targetType: z.string(),
      targetId: z.string().nullable().describe('Null where a list was searched'),
      fields: z.array(z.string()).describe('Names of the fields given out, or of the filters used; never values'),
    })
    .describe('Somebody read personal data of others; stored before the answer left'),
};
export type SensitiveReadEvent = EventOf<typeof events>;

/** Reads of other people's personal data. Facts that nobody decides about: each has a stream of its own. */
export const sensitiveRead = decider<{ readonly reads: number }, SensitiveReadEvent>({
  category: 'sensitiveRead',
  events,
  initial: { reads: 0 },
  evolve: ({ reads }, { type }) => {
    switch (type) {
      case 'SensitiveDataRead':
        return { reads: reads + 1 };
    }
  },
});
