import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { recordEmailDelivery } from '../../../domain/messaging/email.ts';
import { isSigned, noticeIn } from '../../../integrations/resendNotices.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { rawBodyOf } from '../../body.ts';
import { Problem } from '../../problem.ts';

/** What notices are recorded as. */
const RESEND = { id: 'webhook:resend', kind: 'system', permissions: [], verified: true } as const;

const headerOf = ({ headers }: FastifyRequest, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
};

/** Takes what Resend tells of the mails that it was given. */
export const resendRoutes = (app: App, { config, commands }: Deps): void => {
  const binding = bindingOf(recordEmailDelivery);

  app.post(
    '/webhooks/resend',
    {
      config: { access: 'anyone', webhook: true, refuses: [401] },
      preValidation: async (request) => {
        const [id, timestamp, signature] = ['svix-id', 'svix-timestamp', 'svix-signature'].map((name) =>
          headerOf(request, name),
        );
        const headers = { id: id ?? '', timestamp: timestamp ?? '', signature: signature ?? '' };
        if (await isSigned(config.resendWebhookSecrets, rawBodyOf(request), headers)) return;
        throw new Problem('UNAUTHORIZED', 'The notice is not signed by a known secret, or too old', {
          reason: 'signature-invalid',
        });
      },
      schema: {
        summary: 'Notices of Resend about mails: delivered, opened, bounced, complained of',
        description:
          'Called by Resend and signed by it (Svix: `svix-id`, `svix-timestamp`, `svix-signature`). Notices about unknown mails, of other kinds, and those told before are taken and change nothing.',
        body: z.unknown(),
        response: { 200: answer(z.null()) },
      },
    },
    async ({ body, correlationId }) => {
      const told = noticeIn(body);
      if (told === undefined) return ok(null);
      const input = { ...told, at: told.at ?? commands.reads.now().toISOString() };
      const outcome = await commands.execute(binding, { input, actor: RESEND, correlationId });
      if (outcome.ok || outcome.reason === 'email-unknown') return ok(null);
      throw new Problem(outcome.code, outcome.message, outcome);
    },
  );
};
