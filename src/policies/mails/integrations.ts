import { z } from 'zod';
import { newest } from '../../commands/reads.ts';
import { integration } from '../../domain/messaging/integration/index.ts';
import { offers } from '../../domain/messaging/offers.ts';
import { template, time } from './template.ts';

/** Every mail about connections to outside accounts, by its name. */
export const integrationTemplates = {
  'integration-reconnect': template(
    z.object({ integrationId: z.string(), at: z.string() }),
    async ({ integrationId, at }, { reads, person, publicUrl }) => {
      const { status, provider } = await newest(reads, integration, integrationId);
      // Connected anew or given up meanwhile.
      if (status !== 'needs_reconnect' || provider === undefined) return undefined;
      const { name } = offers[provider];
      return {
        subject: `Please connect ${name} again`,
        name: person.displayName,
        paragraphs: [
          `since ${time(at, person)} ${name} no longer accepts the connection to your account there. Nothing is written to your calendar until you connect it again; your appointments stand as they are.`,
        ],
        link: {
          text: `Connect ${name} again`,
          url: `${publicUrl}/integrations?connect=${provider}&capability=calendar`,
        },
      };
    },
  ),
} as const;
