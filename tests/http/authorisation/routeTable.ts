import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyContextConfig, FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AnyBinding } from '../../../src/commands/binding.ts';

/** A route of the running app, with what its own registration says about who may call it. */
export type Row = {
  readonly method: string;
  /** As a pattern, such as `/api/v1/sessions/:sessionId`. */
  readonly url: string;
  readonly config: FastifyContextConfig;
  readonly binding: AnyBinding | undefined;
  /** What a route of its own takes as a body. */
  readonly body: z.ZodType | undefined;
};

const CREATED = 'fastify.initialization';

const hasInstance = (message: unknown): message is { readonly fastify: FastifyInstance } =>
  typeof message === 'object' && message !== null && 'fastify' in message;

/**
 * Sees every route of the apps that come about while `start` runs, those of plugins included: the framework announces
 * each app before anything is registered on it.
 */
export const withRoutes = async <Started>(start: () => Promise<Started>) => {
  const apps: { readonly app: FastifyInstance; readonly rows: Row[] }[] = [];
  const announced = (message: unknown): void => {
    if (!hasInstance(message)) return;
    const rows: Row[] = [];
    const app = message.fastify;
    app.addHook('onRoute', ({ method, url, config = {}, schema }) => {
      const body = schema?.body instanceof z.ZodType ? schema.body : undefined;
      for (const each of [method].flat()) rows.push({ method: each, url, config, binding: config.binding, body });
    });
    apps.push({ app, rows });
  };
  subscribe(CREATED, announced);
  const started = await start().finally(() => unsubscribe(CREATED, announced));
  const largest = apps.toSorted((a, b) => b.rows.length - a.rows.length)[0];
  if (largest === undefined) throw new Error('No app came about');
  return { started, rows: largest.rows, inRouter: methodsIn(largest.app.printRoutes({ commonPrefix: false })) };
};

/** How many pairs of method and address the router itself lists. */
const methodsIn = (printed: string): number =>
  [...printed.matchAll(/\(([A-Z, ]+)\)$/gm)].reduce((sum, [, methods = '']) => sum + methods.split(',').length, 0);

/** The name under which the tables of expectations know a route: its command, or its method and address. */
export const nameOf = ({ method, url, binding }: Row): string =>
  binding?.command.name ?? `${method === 'HEAD' ? 'GET' : method} ${url}`;
