import type { z } from 'zod';
import { statusOf } from '../../../src/http/problem.ts';
import { FUTURE_POSITION } from './requests.ts';
import type { Reply, Sent } from './wire.ts';

/** Stands on every answer, whatever it is. The reference page alone lets its own styles in. */
const ALWAYS: Readonly<Record<string, RegExp>> = {
  'content-security-policy': /^default-src 'self'/,
  'x-frame-options': /^SAMEORIGIN$/,
  'x-content-type-options': /^nosniff$/,
  'strict-transport-security': /^max-age=31536000$/,
  'x-xss-protection': /^1; mode=block$/,
  // Where a code stands in the address, nothing of it may be passed on.
  'referrer-policy': /^(?:strict-origin-when-cross-origin|no-referrer)$/,
};

/** What only the inside of a program says. */
const INSIDES: readonly RegExp[] = [
  /(?:\n|\\n)\s+at \S/,
  /node_modules|node:internal|file:\/\//,
  /\/(?:work|root|home|tmp|usr|src)\/[\w.-]+/,
  /\.[cm]?[jt]s:\d+/,
  /\b(?:select|insert into|update|delete from)\b.{1,60}\b(?:from|where|set|values)\b/i,
  /(?:relation|column|constraint|operator|function) "?\w+"? (?:does not exist|of relation)/i,
  /violates \w+ constraint|duplicate key|syntax error at or near|invalid input syntax/i,
  /\b(?:TypeError|RangeError|SyntaxError|ReferenceError|ZodError|PostgresError|ECONNREFUSED|FST_ERR|ERR_[A-Z_]{4,})\b/,
  /Cannot (?:read|set|convert) .{0,40}(?:propert|undefined|BigInt)|is not a function|\[object Object\]/,
  /convene\.(?:events|checkpoints|streams)|\$\d+::/,
];

/** Where an address is spelled so that a server may take it for another, or for none. */
const isOddAddress = ({ path, operation, method }: Sent): boolean => {
  if (operation === undefined || method !== operation.method) return true;
  const [bare = ''] = path.split(/[?#]/);
  const parts = bare.split('/');
  const wanted = operation.path.split('/');
  if (parts.length !== wanted.length) return true;
  return wanted.some((part, index) =>
    part.startsWith('{')
      ? /%(?![0-9a-f]{2})|%2f|%5c|%(?:c0|ff|fe|e[0-9a-f]%(?![89ab]))|^$|^\.{1,2}$|^(?:%2e){1,2}$|.{1000}/i.test(
          parts[index] ?? '',
        )
      : part !== parts[index],
  );
};

const hasHeader = ({ headers }: Sent, name: string, test: RegExp = /^/): boolean =>
  headers.some(([each, value]) => each === name && test.test(value));

const asksForTheFuture = (sent: Sent): boolean => hasHeader(sent, 'consistency-token', new RegExp(FUTURE_POSITION));

/** Whether the service asks to come back because its read models are behind, as they are on a busy machine for a while. */
export const isTooEarly = (sent: Sent, { status, json }: Reply): boolean =>
  status === 503 &&
  (sent.method === 'HEAD' || (json as Envelope | undefined)?.error?.code === 'READ_MODEL_BEHIND') &&
  !asksForTheFuture(sent);

const headerBytes = ({ headers, path }: Sent): number =>
  headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, path.length);
/** Bytes of head that Node takes, with some to spare for what the client adds by itself. */
const HEAD_BYTES = 15_500;

const schemaProblem = (schema: z.ZodType, value: unknown): string | undefined => {
  const issue = schema.safeParse(value).error?.issues[0];
  return issue === undefined ? undefined : `${issue.path.map(String).join('.')}: ${issue.message}`;
};

type Envelope = {
  readonly error?: { readonly code?: string; readonly reason?: string; readonly details?: readonly unknown[] };
};

/** Statuses that a request may have for what it is, whatever route it was aimed at. */
const mayBe = (sent: Sent, { status, json }: Reply): boolean => {
  const { operation, method } = sent;
  if (status === 503) {
    const { code, reason } = (json as Envelope | undefined)?.error ?? {};
    // Of the providers to sign in with one alone is configured in the play.
    if (reason === 'provider-not-configured') return true;
    // Answers to HEAD do not say which.
    return (code === 'READ_MODEL_BEHIND' || method === 'HEAD') && asksForTheFuture(sent);
  }
  if (status === 431) return headerBytes(sent) > HEAD_BYTES;
  if (operation?.responses.has(status) && status < 500) return true;
  // A plain connection offers no protocol, and odd answers to other methods are those of another route or of none.
  if (isOddAddress(sent)) return [200, 204, 302, 304, 308, 400, 401, 403, 404, 413, 415, 422].includes(status);
  return method === 'HEAD' && status < 500;
};

const unknownStatus = (sent: Sent, reply: Reply): string | undefined =>
  mayBe(sent, reply) ? undefined : `status ${reply.status} is not documented for ${sent.operation?.id ?? 'no route'}`;

const badError = (sent: Sent, { status, headers, json, text }: Reply, envelope: z.ZodType): string | undefined => {
  if (status < 400 || sent.method === 'HEAD') return undefined;
  if (!String(headers['content-type']).startsWith('application/json'))
    return `an error of type ${headers['content-type']}`;
  const problem = schemaProblem(envelope, json);
  if (problem !== undefined) return `an error outside the envelope: ${problem} in ${text.slice(0, 200)}`;
  const { code = '' } = (json as Envelope).error ?? {};
  const wanted = statusOf[code as keyof typeof statusOf];
  if (wanted !== status && ![408, 431].includes(status)) return `code ${code} with status ${status}`;
  const { reason, details = [] } = (json as Envelope).error ?? {};
  if (reason === 'input-invalid' && details.length === 0) return 'refuses input without saying which field';
  if (status === 401 && headers['www-authenticate'] === undefined) return '401 without WWW-Authenticate';
  return (status === 503 || status === 429) && headers['retry-after'] === undefined
    ? `${status} without Retry-After`
    : undefined;
};

const badSuccess = (sent: Sent, { status, headers, json }: Reply): string | undefined => {
  const { operation, method } = sent;
  if (operation === undefined || status >= 300 || method === 'HEAD' || isOddAddress(sent)) return undefined;
  const content = operation.responses.get(status);
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
  if (content === undefined) return `${status} is no documented success`;
  if (content.size === 0) return undefined;
  if (!content.has(type)) return `answers ${type} instead of ${[...content.keys()].join()}`;
  const schema = content.get(type);
  const problem = schema === undefined ? undefined : schemaProblem(schema, json);
  return problem === undefined ? undefined : `the answer is not as documented: ${problem}`;
};

const badHeaders = (sent: Sent, { headers, status }: Reply): string | undefined => {
  for (const [name, test] of Object.entries(ALWAYS))
    if (!test.test(String(headers[name] ?? ''))) return `header ${name} is ${headers[name]}`;
  const reference = /^\/+docs/i.test(sent.path);
  if (!reference && headers['cache-control'] !== 'no-store')
    return `header cache-control is ${headers['cache-control']}`;
  if (headers['x-powered-by'] !== undefined || headers.server !== undefined) return 'says what it runs on';
  if (headers['x-injected'] !== undefined) return 'a header came in through the address';
  const correlation = String(headers['x-correlation-id'] ?? '');
  if (status !== 431 && status !== 408 && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(correlation))
    return `header x-correlation-id is ${correlation}`;
  const origin = headers['access-control-allow-origin'];
  return origin !== undefined && !/^https:\/\/app\.example\.org$|^http:\/\/localhost(?::\d+)?$/.test(String(origin))
    ? `lets pages of ${origin} in`
    : undefined;
};

/** What the request itself said comes back in some answers, and is then no sign of anything. */
const saidBy = ({ path, headers, body }: Sent, text: string): boolean => {
  const plain = text.toLowerCase();
  const parts = [path, ...headers.map(([, value]) => value), body?.toString('utf8') ?? ''];
  return parts.some((part) => {
    let decoded = part;
    try {
      decoded = decodeURIComponent(part);
    } catch {
      // It decodes to nothing: it stands as it is.
    }
    return [part, decoded].some((each) => each.toLowerCase().includes(plain));
  });
};

const showsInsides = (sent: Sent, { text }: Reply): string | undefined => {
  if (/^\/+(?:docs|metrics)/i.test(sent.path)) return undefined;
  for (const pattern of INSIDES) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined && !saidBy(sent, found)) return `shows its insides: ${found.slice(0, 120)}`;
  }
  return undefined;
};

/** What is wrong with an answer, in words; undefined: nothing. `envelope` is the documented shape of errors. */
export const faultOf = (sent: Sent, reply: Reply, envelope: z.ZodType): string | undefined =>
  (reply.status >= 500 && reply.status !== 503 ? `status ${reply.status}` : undefined) ??
  unknownStatus(sent, reply) ??
  badError(sent, reply, envelope) ??
  badSuccess(sent, reply) ??
  badHeaders(sent, reply) ??
  showsInsides(sent, reply);
