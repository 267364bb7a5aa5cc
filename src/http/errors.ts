import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { Abandoned } from '../commands/outcomes.ts';
import { HashingBusy } from '../commands/passwordThreads.ts';
import { AppendTooLarge, OutcomeUnknown, StoreUnavailable } from '../eventstore/port.ts';
import { ReadModelBehind } from '../projections/caughtUp.ts';
import { type Detail, type ErrorCode, errorAnswer, Problem, statusOf } from './problem.ts';

const RETRY_SECONDS = 2;

/** What the framework says about requests that it cannot read. */
const unreadable: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_BAD_URL: ['BAD_REQUEST', 'The address is malformed'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'The body is larger than 1 MiB'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UNSUPPORTED_MEDIA_TYPE',
    'The body must be JSON, with Content-Type application/json',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['BAD_REQUEST', 'Content-Length does not match the body'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['BAD_REQUEST', 'The body is not valid JSON'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['BAD_REQUEST', 'The body is empty'],
  FST_ERR_ASYNC_CONSTRAINT: ['BAD_REQUEST', 'The request cannot be routed'],
  FST_ERR_MAX_PARAM_LENGTH_EXCEEDED: ['NOT_FOUND', 'Nothing is served at this address'],
};

/** SQLSTATEs that say that a value from outside is none of its column's type: bad text, number, date or UUID. */
const BAD_VALUE = new Set(['22021', '22P05', '22P02', '22003', '22007', '22008', '22009']);
/** SQLSTATE classes of a database that is away, starting, stopping or overloaded. */
const AWAY = /^(?:08|53|57P|25006|40001|40P01)/;
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);

const stringAt = (error: unknown, key: string): string | undefined => {
  const value = typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined;
  return typeof value === 'string' ? value : undefined;
};

const isBadValue = (error: unknown): boolean =>
  BAD_VALUE.has(stringAt(error, 'code') ?? '') && stringAt(error, 'severity') !== undefined;

const isLost = (error: unknown): boolean => {
  if (error instanceof StoreUnavailable || error instanceof OutcomeUnknown) return true;
  const code = stringAt(error, 'code') ?? '';
  return (
    UNREACHABLE.has(code) ||
    AWAY.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect|Cannot use a pool after/.test(
      stringAt(error, 'message') ?? '',
    )
  );
};

type Issue = { readonly path?: readonly PropertyKey[]; readonly instancePath?: string; readonly message?: string };

/** The details of a failed schema, field names with dots. */
export const detailsOf = (issues: readonly Issue[]): Detail[] =>
  issues.map(({ path, instancePath, message }) => ({
    field: path ? path.map(String).join('.') : (instancePath ?? '').replace(/^\//, '').replaceAll('/', '.'),
    message: message ?? 'Not valid',
  }));

/** Any thrown value as an answer; undefined when it is a defect of ours. */
export const problemOf = (error: unknown): Problem | undefined => {
  if (error instanceof Problem) return error;
  if (hasZodFastifySchemaValidationErrors(error))
    return new Problem('VALIDATION_ERROR', 'Some fields are not valid', {
      reason: 'input-invalid',
      details: detailsOf(error.validation),
    });
  if (error instanceof ReadModelBehind)
    return new Problem('READ_MODEL_BEHIND', 'What you asked for is not up to date yet; please try again', {
      reason: 'read-model-behind',
      retryAfter: 1,
    });
  if (error instanceof HashingBusy)
    return new Problem('SERVICE_UNAVAILABLE', 'Too many people are logging in just now; please try again', {
      reason: 'hashing-busy',
      retryAfter: error.retryAfter,
    });
  if (error instanceof AppendTooLarge)
    return new Problem('PAYLOAD_TOO_LARGE', 'This is more than one command may store', { reason: 'append-too-large' });
  if (error instanceof OutcomeUnknown)
    return new Problem(
      'SERVICE_UNAVAILABLE',
      'It is not known whether this was stored; repeat it with the same Idempotency-Key',
      {
        reason: 'outcome-unknown',
        retryAfter: RETRY_SECONDS,
      },
    );
  if (isLost(error))
    return new Problem('SERVICE_UNAVAILABLE', 'The service cannot reach its data just now; please try again', {
      reason: 'store-unavailable',
      retryAfter: RETRY_SECONDS,
    });
  const code = stringAt(error, 'code') ?? '';
  const known = unreadable[code];
  if (known) return new Problem(known[0], known[1], { reason: 'unreadable' });
  if (isBadValue(error))
    return new Problem('VALIDATION_ERROR', 'Some fields are not valid', { reason: 'input-invalid' });
  const status = typeof error === 'object' && error !== null ? Reflect.get(error, 'statusCode') : undefined;
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new Problem(status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST', 'The request cannot be read', {
      reason: 'unreadable',
    });
  return undefined;
};

/** Answers with a problem's envelope, status and Retry-After, which no 503 lacks. */
export const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply => {
  const { retryAfter = statusOf[problem.code] === 503 ? RETRY_SECONDS : undefined } = problem;
  if (retryAfter !== undefined) reply.header('retry-after', String(Math.ceil(retryAfter)));
  if (problem.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer');
  return reply
    .code(statusOf[problem.code])
    .type('application/json; charset=utf-8')
    .send(errorAnswer(problem.code, problem.message, problem));
};

/** Turns everything thrown into the error envelope; what is no one's fault but ours is logged once and answered without detail. */
export const errorHandler =
  (log: Logger) =>
  (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = problemOf(error);
    if (problem !== undefined) {
      request.server.refusals.note(request, problem);
      if (problem.code === 'SERVICE_UNAVAILABLE' && !(error instanceof Problem))
        log.warn({ err: error, correlationId: request.correlationId }, 'a store could not be reached');
      if (isBadValue(error))
        log.warn(
          { err: error, correlationId: request.correlationId, route: request.routeOptions.url },
          'a schema let through what the database does not take',
        );
      return sendProblem(reply, problem);
    }
    if (error instanceof Abandoned)
      return sendProblem(
        reply,
        new Problem('SERVICE_UNAVAILABLE', 'The request was given up', { reason: 'abandoned' }),
      );
    log.error(
      { err: error, correlationId: request.correlationId, method: request.method, route: request.routeOptions.url },
      'a request failed',
    );
    return sendProblem(reply, new Problem('INTERNAL_ERROR', 'Something went wrong on our side'));
  };
