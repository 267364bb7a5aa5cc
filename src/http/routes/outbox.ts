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
  subject: z.string().nullable().describe('Content is kept where no service is configured, outside production'),
  text: z.string().nullable(),
  html: z.string().nullable(),
  status: z
    .enum(['sent', 'failed', 'suppressed'])
    .describe('Suppressed: no service is configured. Failed: so far; it may be tried again'),
  at: z.string(),
});

/** What became of the latest messages. */
export const outboxRoutes = (app: App, { pool, commands }: Deps): void => {
  app.get(
    '/ops/outbox',
    {
      config: { access: 'read:operations' },
      schema: {
        summary: 'What became of the latest mails and text messages, newest first',
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
