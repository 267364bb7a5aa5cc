import { z } from 'zod';
import { line } from '../../domain/fields.ts';
import { outboxMessages } from '../../integrations/outbox.ts';
import { listAnswer, offsetOf, page, paginated } from '../answers.ts';
import type { App, Deps } from '../app.ts';

const Message = z.object({
  id: z.string(),
  channel: z.enum(['email', 'sms', 'push']),
  recipient: z.string().describe('Masked in production'),
  template: z.string(),
  subject: z.string().nullable(),
  text: z.string().nullable(),
  html: z.string().nullable(),
  status: z.string(),
  at: z.string(),
});

/** Messages that no outside service took because none is configured; with content only outside production. */
export const outboxRoutes = (app: App, { pool, commands }: Deps): void => {
  app.get(
    '/ops/outbox',
    {
      config: { access: 'read:operations' },
      schema: {
        summary: 'Messages kept because no mail or SMS service is configured, newest first',
        querystring: z.object({
          ...page(),
          channel: z.enum(['email', 'sms', 'push']).optional(),
          recipient: line(1, 254).optional().describe('The exact address'),
        }),
        response: { 200: listAnswer('items', Message) },
      },
    },
    async ({ query }) => {
      const { channel, recipient, limit } = query;
      const { hash } = commands.reads;
      const { items, total } = await outboxMessages(pool, { channel, recipient, hash, limit, offset: offsetOf(query) });
      return paginated('items', [...items], total, query);
    },
  );
};
