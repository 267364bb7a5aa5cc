import { randomUUID } from 'node:crypto';
import type { Report } from './report.ts';

/** What a call came to: `data` of a success, or code and reason of a refusal. `text` is all that was received. */
export type Reply<Data> = {
  readonly status: number;
  readonly data: Data;
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly text: string;
  readonly correlationId: string;
};

export type Call = {
  readonly as?: { readonly token: string };
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type Client = {
  readonly base: string;
  /** Calls a path below /api/v1. Queries send the Consistency-Token of the last command, so they see what went before. */
  readonly call: <Data>(method: Method, path: string, call?: Call) => Promise<Reply<Data>>;
  /** Calls until the status is this one, at most 5 s: that long may a change of rights take. The last answer. */
  readonly until: <Data>(status: number, method: Method, path: string, call?: Call) => Promise<Reply<Data>>;
  /** Calls and throws when the status is another. */
  readonly expect: <Data>(status: number, method: Method, path: string, call?: Call) => Promise<Data>;
};

/** Something the demonstration cannot go on without. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}

/** The path with ids left out: what latencies are counted by. */
const patternOf = (path: string): string =>
  path
    .replace(/\?.*$/, '')
    .split('/')
    .map((part) => (/\d/.test(part) && part.length > 12 ? '{id}' : part))
    .join('/');

type Envelope = { data?: unknown; error?: { code?: string; reason?: string; message?: string } };

const parsed = (text: string): Envelope => {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return {};
  }
};

export const createClient = (base: string, report: Report): Client => {
  let newest = 0n;
  const call: Client['call'] = async <Data>(method: Method, path: string, { as, body, headers }: Call = {}) => {
    const correlationId = randomUUID();
    const started = performance.now();
    const response = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: {
        'x-correlation-id': correlationId,
        ...(as === undefined ? {} : { authorization: `Bearer ${as.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' && newest > 0n ? { 'consistency-token': String(newest) } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    report.took(`${method} ${patternOf(path)}`, performance.now() - started);
    const position = response.headers.get('consistency-token');
    if (position !== null && BigInt(position) > newest) newest = BigInt(position);
    const { data, error } = parsed(text);
    return {
      status: response.status,
      data: data as Data,
      code: error?.code,
      reason: error?.reason,
      text,
      correlationId,
    };
  };
  return {
    base,
    call,
    until: async <Data>(status: number, method: Method, path: string, with_: Call = {}) => {
      const deadline = performance.now() + 5_000;
      for (;;) {
        const reply = await call<Data>(method, path, with_);
        if (reply.status === status || performance.now() > deadline) return reply;
      }
    },
    expect: async <Data>(status: number, method: Method, path: string, with_: Call = {}): Promise<Data> => {
      const reply = await call<Data>(method, path, with_);
      if (reply.status === status) return reply.data;
      throw new DemoFailed(
        `${method} ${path} answered ${reply.status} instead of ${status}: ${reply.text.slice(0, 500)}`,
      );
    },
  };
};
