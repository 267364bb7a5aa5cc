import { z } from 'zod';
import { CAPABILITIES, PROVIDERS } from '../../domain/messaging/offers.ts';

/** How a connection stands. */
export const INTEGRATION_STATUS = ['active', 'expired', 'needs_reconnect', 'revoked'] as const;

/** A connection to an outside account. */
export const IntegrationAnswer = z.object({
  id: z.string(),
  provider: z.enum(PROVIDERS),
  externalAccount: z.string().nullable(),
  scopes: z.array(z.string()),
  capabilities: z.array(z.enum(CAPABILITIES)),
  status: z.enum(INTEGRATION_STATUS),
  connectedAt: z.string(),
  expiresAt: z.string().nullable().describe('Of the access token, which is refreshed by itself where that is possible'),
  lastUsedAt: z.string().nullable(),
});
