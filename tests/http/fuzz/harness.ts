import type { z } from 'zod';
import { faultOf, isTooEarly } from './checks.ts';
import type { Operation } from './document.ts';
import type { Group, Leaks } from './leaks.ts';
import { shrunk } from './shrink.ts';
import type { Target } from './target.ts';
import { curlOf, type Reply, type Sent, send } from './wire.ts';
import type { Call, Person } from './world.ts';

/** A case that failed, with how to see it again. */
export type Failure = { readonly what: string; readonly index: number; readonly reproduce: string };

/** Milliseconds that a request is repeated because read models are behind. */
const BEHIND_MS = 30_000;

/** The answer to a request, made again as long as it comes too early. */
const answerTo = async (base: string, sent: Sent): Promise<Reply> => {
  const end = performance.now() + BEHIND_MS;
  for (;;) {
    const reply = await send(base, sent);
    if (!isTooEarly(sent, reply) || performance.now() > end) return reply;
  }
};

/** Failures beyond this many are counted no more: the first ones tell enough. */
const MOST_FAILURES = 40;

/** What a success of the caller's shows him from then on: who books for the victim in his own calendar knows his client. */
const gains = ({ path, body }: Sent, victim: string): readonly Group[] =>
  /\/(?:appointments|commands\/BookAppointment)(?:\?|$)/.test(path) && body?.toString().includes(victim)
    ? ['identity', 'name', 'accountId']
    : [];

const dataOf = (json: unknown): Record<string, unknown> => {
  const data = typeof json === 'object' && json !== null && 'data' in json ? json.data : undefined;
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
};

const fixedLength = ({ path }: Operation): number => path.replace(/\{\w+\}/g, '').length;

/** Sends requests and looks at every answer, whoever asked for it and why. */
export const createHarness = (target: Target, operations: readonly Operation[], envelope: z.ZodType, leaks: Leaks) => {
  const people = new Map<string, Person>();
  const failures: Failure[] = [];
  const statuses: Record<string, number> = {};
  const callers: Record<string, number> = {};
  const succeeded = new Set<string>();
  let requests = 0;

  const fail = (what: string, index: number, sent: Sent): void => {
    const where = `${sent.method} ${sent.operation?.path ?? sent.path.slice(0, 80)}`;
    failures.push({ what: `${where} as ${sent.as}: ${what}`, index, reproduce: curlOf(target.url, sent) });
  };
  const faultIn = (sent: Sent, reply: Reply): string | undefined =>
    faultOf(sent, reply, envelope) ?? leaks.in(sent, reply);

  /** The answer; undefined when there was none, which is a failure already noted. `index` is the case of the run. */
  const exchange = async (sent: Sent, index: number): Promise<Reply | undefined> => {
    requests += 1;
    callers[sent.as] = (callers[sent.as] ?? 0) + 1;
    let reply: Reply;
    try {
      reply = await answerTo(target.url, sent);
    } catch (error) {
      if (!target.running())
        throw new Error(`The service ended:\n${target.complaints()}\n${curlOf(target.url, sent)}`, { cause: error });
      fail(`no answer: ${error instanceof Error ? error.message : String(error)}`, index, sent);
      return undefined;
    }
    statuses[reply.status] = (statuses[reply.status] ?? 0) + 1;
    if (reply.status < 300 || reply.status === 302) {
      if (sent.method === sent.operation?.method) succeeded.add(sent.operation.id);
      leaks.entitle(sent.as, gains(sent, people.get('victim')?.accountId ?? 'nobody'));
    }
    const fault = faultIn(sent, reply);
    if (fault === undefined || failures.length >= MOST_FAILURES) return reply;
    const alike = async (candidate: Sent): Promise<boolean> => {
      const again = await send(target.url, candidate).catch(() => undefined);
      return again !== undefined && faultIn(candidate, again)?.slice(0, 20) === fault.slice(0, 20);
    };
    fail(fault, index, await shrunk(sent, alike));
    return reply;
  };

  const addresses = operations
    .map((operation) => ({ operation, pattern: new RegExp(`^${operation.path.replace(/\{\w+\}/g, '[^/]+')}$`) }))
    .toSorted((a, b) => fixedLength(b.operation) - fixedLength(a.operation));

  const call: Call = async (as, method, path, body, headers = {}) => {
    const full = /^\/(?:api|health|metrics|docs|\.well-known)\b/.test(path) ? path : `/api/v1${path}`;
    const [bare = ''] = full.split('?');
    const token = people.get(as)?.token;
    const sent: Sent = {
      as,
      method,
      path: full,
      headers: [
        ...(token === undefined || token === '' ? [] : [['authorization', `Bearer ${token}`] as const]),
        ...(body === undefined ? [] : [['content-type', 'application/json'] as const]),
        ...Object.entries(headers),
      ],
      operation: addresses.find(({ operation, pattern }) => operation.method === method && pattern.test(bare))
        ?.operation,
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    };
    const reply = await exchange(sent, -1);
    if (reply === undefined) throw new Error(`No answer to ${method} ${full}`);
    return { status: reply.status, data: dataOf(reply.json), reply };
  };

  return {
    people,
    failures,
    succeeded,
    exchange,
    call,
    dataOf: ({ json }: Reply) => dataOf(json),
    tally: () => ({ requests, statuses, callers }),
  };
};
export type Harness = ReturnType<typeof createHarness>;
