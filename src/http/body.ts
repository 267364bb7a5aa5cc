import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import type { App } from './app.ts';
import { Problem } from './problem.ts';

/** Bytes of a body, files excepted. */
export const BODY_BYTES = 1_048_576;
/** Levels of objects and arrays within each other that a body may have. */
export const BODY_LEVELS = 32;

type JsonParser = (request: FastifyRequest, text: string, done: (error: Error | null, value?: unknown) => void) => void;

const unreadable = (message: string) => new Problem('BAD_REQUEST', message, { reason: 'unreadable' });

/** Whether a JSON value is nested deeper than that many levels. */
const deeper = (value: unknown, levels: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const key in value) if (deeper(Reflect.get(value, key), levels - 1)) return true;
  return false;
};

const raw = new WeakMap<FastifyRequest, string>();

/** The body as it came, to the byte; kept for routes whose callers sign it (`webhook`). */
export const rawBodyOf = (request: FastifyRequest): string => raw.get(request) ?? '';

/**
 * JSON is the one format of bodies. An empty body counts as none, whatever its Content-Type. Keys that would reach
 * into prototypes are dropped like any unknown field.
 */
export const registerBody = (app: App): void => {
  const parse = app.getDefaultJsonParser('remove', 'remove') as JsonParser;
  app.removeAllContentTypeParsers();
  const read = (request: FastifyRequest, bytes: Buffer, done: (error: Error | null, value?: unknown) => void) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
      return done(
        new Problem('UNSUPPORTED_MEDIA_TYPE', 'The body must not be compressed', { reason: 'body-compressed' }),
      );
    if (bytes.length === 0) return done(null, undefined);
    if (!isUtf8(bytes)) return done(unreadable('The body is not valid UTF-8'));
    const text = bytes.toString('utf8');
    if (request.routeOptions.config.webhook) raw.set(request, text);
    parse(request, text, (error, value) => {
      if (error) return done(unreadable('The body is not valid JSON'));
      if (deeper(value, BODY_LEVELS)) return done(unreadable(`The body is nested deeper than ${BODY_LEVELS} levels`));
      done(null, value);
    });
  };
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, read);
  app.addContentTypeParser(/^application\/[\w.-]+\+json/i, { parseAs: 'buffer' }, read);
};
