import { z } from 'zod';
import type { App } from './app.ts';

/** GET /.well-known/jwks.json: the keys that other services check access tokens with (RFC 7517). */
export const publicKeysRoute = (app: App): void => {
  app.get(
    '/.well-known/jwks.json',
    {
      config: { access: 'anyone', unlimited: true },
      schema: {
        tags: ['operations'],
        summary: 'The public keys of access tokens; none where a shared secret signs them',
        response: { 200: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }) },
      },
    },
    async () => ({ keys: [...app.auth.publicKeys] }),
  );
};
