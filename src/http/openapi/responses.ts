import { type ErrorCode, errorAnswer } from '../problem.ts';

/** Answers that many operations share, by the name under which they refer to them. */
type Shared = {
  readonly status: number;
  readonly code: ErrorCode;
  readonly description: string;
  readonly message: string;
  readonly reason?: string;
};

const shared = {
  BadRequest: {
    status: 400,
    code: 'BAD_REQUEST',
    description: 'The request cannot be read',
    message: 'The body is not valid JSON',
    reason: 'unreadable',
  },
  Unauthorized: {
    status: 401,
    code: 'UNAUTHORIZED',
    description: 'No valid login',
    message: 'Please log in',
    reason: 'login-required',
  },
  Forbidden: {
    status: 403,
    code: 'FORBIDDEN',
    description: 'The caller may not do this',
    message: 'This needs another permission',
    reason: 'permission-missing',
  },
  NotFound: {
    status: 404,
    code: 'NOT_FOUND',
    description: 'There is no such object, or the caller may not see it',
    message: 'No such object',
    reason: 'not-found',
  },
  Conflict: {
    status: 409,
    code: 'CONFLICT',
    description: 'The state of the object does not allow it',
    message: 'Somebody else was faster',
    reason: 'contended',
  },
  PreconditionFailed: {
    status: 412,
    code: 'PRECONDITION_FAILED',
    description: '`If-Match` names another version than the current one',
    message: 'It has changed since the version that If-Match names',
    reason: 'stale',
  },
  PayloadTooLarge: {
    status: 413,
    code: 'PAYLOAD_TOO_LARGE',
    description: 'The body is too large',
    message: 'The body is larger than 1 MiB',
    reason: 'unreadable',
  },
  UnsupportedMediaType: {
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    description: 'The body is not JSON',
    message: 'The body must be JSON, with Content-Type application/json',
    reason: 'unreadable',
  },
  Invalid: {
    status: 422,
    code: 'VALIDATION_ERROR',
    description: 'Some fields are not acceptable; `details` names them',
    message: 'Some fields are not acceptable',
    reason: 'input-invalid',
  },
  Locked: {
    status: 423,
    code: 'ACCOUNT_LOCKED',
    description: 'The account is locked for a while',
    message: 'Too many failed attempts; please try again later',
    reason: 'locked',
  },
  TooManyRequests: {
    status: 429,
    code: 'RATE_LIMIT_EXCEEDED',
    description: 'Too many requests; `Retry-After` tells when to try again',
    message: 'Too many requests; please try again in 60 seconds',
    reason: 'rate-limit',
  },
  InternalError: {
    status: 500,
    code: 'INTERNAL_ERROR',
    description: 'A defect of the service',
    message: 'Something went wrong on our side',
  },
  Unavailable: {
    status: 503,
    code: 'SERVICE_UNAVAILABLE',
    description:
      'Something that the service needs is away, or a read model is behind; `Retry-After` tells when to try again',
    message: 'The service cannot reach its data just now; please try again',
    reason: 'store-unavailable',
  },
} as const satisfies Record<string, Shared>;

export type SharedResponse = keyof typeof shared;

/** Entries of an operation's `responses` that refer to shared answers. */
export const refer = (...names: readonly SharedResponse[]): Record<string, object> =>
  Object.fromEntries(names.map((name) => [String(shared[name].status), { $ref: `#/components/responses/${name}` }]));

const seconds = { schema: { type: 'integer' } };

/** `components.responses` of the document. */
export const sharedResponses = (): Record<string, object> =>
  Object.fromEntries(
    Object.entries<Shared>(shared).map(([name, { status, code, description, message, reason }]) => [
      name,
      {
        description,
        ...(status === 429 || status === 503
          ? { headers: { 'Retry-After': { ...seconds, description: 'Seconds after which to try again' } } }
          : {}),
        content: {
          'application/json': {
            schema: { $ref: '#/components/schemas/Error' },
            example: errorAnswer(code, message, {
              reason,
              details: status === 422 ? [{ field: 'startTime', message: 'Must be an instant in UTC' }] : [],
            }),
          },
        },
      },
    ]),
  );
