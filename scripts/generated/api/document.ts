import Fastify from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { bindings } from '../../../src/commands/bindings.ts';
import { parseConfig } from '../../../src/config.ts';
import type { App, Deps } from '../../../src/http/app.ts';
import { commandRoutes } from '../../../src/http/commandRoutes.ts';
import { registerOpenApi } from '../../../src/http/openapi/document.ts';
import type { JsonSchema } from '../../../src/http/openapi/schemas.ts';
import { presenters, routes } from '../../../src/http/routes/index.ts';

/** A parameter of an operation: one of its own, or one that many share. */
export type Parameter = {
  readonly $ref?: string;
  readonly name?: string;
  readonly in?: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: JsonSchema;
};

type Media = { readonly content?: Readonly<Record<string, { readonly schema?: JsonSchema }>> };

/** An operation of the OpenAPI document, as far as pages are made of it. */
export type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: Media & { readonly required?: boolean };
  readonly responses: Readonly<Record<string, Media & { readonly $ref?: string; readonly description?: string }>>;
};

/** The OpenAPI document, as far as pages are made of it. */
export type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

/** What routes hold on to when they are registered and use when somebody calls them, which nobody does here. */
const uncalled = (): unknown =>
  new Proxy(() => {}, { get: (_target, name) => (name === 'then' ? undefined : uncalled()) });

/** The document of the service's own routes below /api/v1, without a service behind them. */
export const apiDocument = async (): Promise<Document> => {
  const config = parseConfig({});
  const deps = new Proxy({} as Deps, {
    get: (_target, name) => (name === 'config' ? config : name === 'bindings' ? bindings : uncalled()),
  });
  const app: App = Fastify().withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  await registerOpenApi(app, deps);
  await app.register(
    async (api) => {
      const typed: App = api.withTypeProvider<ZodTypeProvider>();
      commandRoutes(typed, deps, presenters);
      for (const register of routes) await register(typed, deps);
    },
    { prefix: '/api/v1' },
  );
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document as unknown as Document;
};
