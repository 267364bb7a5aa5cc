import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyContextConfig, FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AnyBinding } from '../../../src/commands/binding.ts';
import { startHere } from '../../support/here.ts';

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

/** All routes of a service, and how many its router itself lists. */
export type RouteTable = { readonly rows: readonly Row[]; readonly inRouter: number };

/**
 * Every route that a service with these variables as its environment has, those of plugins included: the framework
 * announces each app before anything is registered on it. The service is started in this process and stopped again; the
 * requests go to another one, whose process does not have the test runner's hooks.
 */
export const routeTable = async (variables: Readonly<Record<string, string>>): Promise<RouteTable> => {
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
  const { stop } = await startHere(variables).finally(() => unsubscribe(CREATED, announced));
  const largest = apps.toSorted((a, b) => b.rows.length - a.rows.length)[0];
  if (largest === undefined) throw new Error('No app came about');
  const inRouter = methodsIn(largest.app.printRoutes({ commonPrefix: false }));
  await stop();
  return { rows: largest.rows, inRouter };
};

/** How many pairs of method and address the router itself lists. */
const methodsIn = (printed: string): number =>
  [...printed.matchAll(/\(([A-Z, ]+)\)$/gm)].reduce((sum, [, methods = '']) => sum + methods.split(',').length, 0);

/** The name under which the tables of expectations know a route: its command, or its method and address. */
export const nameOf = ({ method, url, binding }: Row): string =>
  binding?.command.name ?? `${method === 'HEAD' ? 'GET' : method} ${url}`;
