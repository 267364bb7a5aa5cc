import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ok } from './answers.ts';
import { Problem } from './problem.ts';

/** The entity tag of a version. */
export const etagOf = (version: number): string => `"${version}"`;

/** The version that `If-Match` names. Throws 400 when the header is anything but `"<number>"`. */
export const ifMatchOf = ({ headers }: FastifyRequest): number | undefined => {
  const value = headers['if-match'];
  if (value === undefined) return undefined;
  const version = /^"(\d{1,9})"$/.exec(value)?.[1];
  if (version === undefined)
    throw new Problem('BAD_REQUEST', 'If-Match must be a version in double quotes, such as "3"', {
      reason: 'if-match-malformed',
      details: [{ field: 'If-Match', message: 'Must be a version in double quotes' }],
    });
  return Number(version);
};

const unchanged = (header: string, etag: string): boolean =>
  header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);

/** Whether the caller has seen this very answer: `If-None-Match` names its entity tag. */
export const isUnchanged = ({ headers }: FastifyRequest, etag: string): boolean => {
  const seen = headers['if-none-match'];
  return seen !== undefined && unchanged(seen, etag);
};

/** The query parameter `fields` of a single read: names of top-level fields of the answer, with commas. */
export const fieldsOf = (schema: z.ZodObject) => ({
  fields: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(Object.keys(schema.shape) as [string, ...string[]], 'No such field')))
    .optional()
    .describe('Only these top-level fields, with commas'),
});

/** Among the responses of a route that answers by {@link single}: what callers get who have seen the version. */
export const unchangedSince = {
  304: { description: 'Not changed since the version that `If-None-Match` names', content: {} },
} as const;

/**
 * The answer to a read that shows more than the object whose version it names, such as the roles of an account: it can
 * change while the version does not, so it is never answered with 304.
 */
export const versioned = <Data extends object>(reply: FastifyReply, data: Data, version: number | string) => {
  reply.header('etag', etagOf(Number(version)));
  return ok(data);
};

/**
 * The answer to a single read: `ETag` from the version, 304 when `If-None-Match` names it, and only the `fields` that
 * the query asks for.
 */
export const single = <Data extends object>(
  request: FastifyRequest,
  reply: FastifyReply,
  data: Data,
  version?: number | string,
) => {
  if (version !== undefined) {
    const etag = etagOf(Number(version));
    reply.header('etag', etag);
    if (isUnchanged(request, etag)) {
      reply.code(304);
      return undefined as never;
    }
  }
  // Where the route does not know the parameter, it is whatever the caller wrote, and ignored like every unknown one.
  const { querystring } = request.routeOptions.schema ?? {};
  const known = querystring instanceof z.ZodObject && 'fields' in querystring.shape;
  const { fields } = request.query as { readonly fields?: readonly string[] };
  if (fields === undefined || !known) return ok(data);
  const chosen = Object.fromEntries(Object.entries(data).filter(([name]) => fields.includes(name)));
  return ok(chosen as Data);
};
