import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Access } from '../commands/binding.ts';
import type { AnyProjection } from '../projections/projection.ts';
import type { Deps } from './deps.ts';

export type { ApiKey, ApiKeys, Deps, Progress, Rights, RightsOf, Sessions } from './deps.ts';

/** A Fastify instance whose routes take their types from zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call: a permission, `loggedIn` (when omitted) or `anyone`. */
    access?: Access;
    /** Open to accounts without a verified address. */
    unverified?: boolean;
    /** Open to API keys that hold the permission. */
    apiKey?: boolean;
    /** Takes a secret: counted strictly by address and route, before the secret is looked at. */
    credential?: boolean;
    /** Counts in the limit per minute alone: polled by clients. */
    polled?: boolean;
    /** Counts in no limit. */
    unlimited?: boolean;
    /** Read models that the answer is made of: the route waits until they show what its caller did before. */
    reads?: readonly AnyProjection[];
  }
}

/** The HTTP server with all its routes, not yet listening. */
export const createApp = async (deps: Deps): Promise<App> => {
  const app = Fastify({ logger: false }).withTypeProvider<ZodTypeProvider>();
  app.decorate('deps', deps);
  return app;
};
