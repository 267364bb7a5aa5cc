import { randomUUID } from 'node:crypto';
import type { Attempt, End } from '../ledger.ts';

/** What is sent to the service, below /api/v1. */
export type Request = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly token?: string | undefined;
  readonly key?: string | undefined;
  readonly body?: unknown;
  /** Position that a query must have reached. */
  readonly after?: bigint | undefined;
};

/** No request may take longer: a service that says nothing counts as one that gave no answer. */
const PATIENCE_MS = 30_000;

type Envelope = {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly error?: { readonly code?: string; readonly reason?: string };
};

const envelopeOf = (text: string): Envelope => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
};

/** 5xx answers leave open what was stored; all else is the service's word. */
const endOf = (status: number): End => (status < 300 ? 'acknowledged' : status < 500 ? 'refused' : 'unknown');

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);
const codeOf = (error: unknown): string => {
  for (let cause = error; cause !== undefined && cause !== null; cause = causeOf(cause))
    if (typeof cause === 'object' && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error instanceof Error ? error.name : 'Error';
};

const numberIn = (text: string | null): bigint | undefined => {
  const digits = /\d+/.exec(text ?? '')?.[0];
  return digits === undefined ? undefined : BigInt(digits);
};

/** Sends one request and tells how it ended. Never throws. */
export const send = async (url: string, { method, path, token, key, body, after }: Request): Promise<Attempt> => {
  const correlationId = randomUUID();
  const silent = { correlationId, status: undefined, replayed: false, token: undefined, version: undefined, data: {} };
  try {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        'x-correlation-id': correlationId,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(after === undefined ? {} : { 'consistency-token': String(after) }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const { data, error } = envelopeOf(await response.text());
    const version = numberIn(response.headers.get('etag'));
    return {
      correlationId,
      end: endOf(response.status),
      status: response.status,
      reason: error?.reason ?? error?.code,
      replayed: response.headers.get('idempotency-replayed') === 'true',
      token: numberIn(response.headers.get('consistency-token')),
      version: version === undefined ? undefined : Number(version),
      data: data ?? {},
    };
  } catch (error) {
    const reason = codeOf(error);
    return { ...silent, end: reason === 'ECONNREFUSED' ? 'notSent' : 'unknown', reason };
  }
};
