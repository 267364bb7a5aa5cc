import { type Actor, reject } from '../../domain/decider.ts';
import { HOUR_MS } from '../../domain/durations.ts';
import { session } from '../../domain/estimation/session/index.ts';
import { codeFrom, freeSessionCode, sessionCode, takeSessionCode } from '../../domain/estimation/sessionCode.ts';
import {
  freeSessionPlace,
  isFull,
  type SessionHost,
  sessionHost,
  takeSessionPlace,
} from '../../domain/estimation/sessionHost.ts';
import type { Outcome, Refused, Step } from '../binding.ts';
import type { Reads } from '../reads.ts';

/** A reservation of which nothing came within this time, in milliseconds, belongs to a session that never will be. */
const ABANDONED_AFTER = HOUR_MS;
/** Codes tried before the service gives up; with a million sessions open, one in 900 codes is taken. */
const TRIES = 8;

/** Reserves a code that no other session has. */
const reserveCode = async (
  sessionId: string,
  entropy: () => string,
  reads: Reads,
  step: Step,
): Promise<string | Refused> => {
  let refused: Refused | undefined;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const code = codeFrom(entropy());
    const taken = await step(takeSessionCode, code, { code, sessionId });
    if (taken.ok) return code;
    refused = taken;
    const { state: holder } = await reads.load(sessionCode, code);
    if (holder === null || !(await neverCame(holder, reads))) continue;
    const takenOver = await step(takeSessionCode, code, { code, sessionId, abandoned: holder.sessionId });
    if (takenOver.ok) return code;
  }
  return refused ?? { ok: false, ...reject('CONFLICT', 'no-code', 'No session code is free'), details: [] };
};

const neverCame = async (
  { sessionId, takenAt }: { readonly sessionId: string; readonly takenAt: string },
  reads: Reads,
): Promise<boolean> =>
  reads.now().getTime() - Date.parse(takenAt) > ABANDONED_AFTER &&
  (await reads.load(session, sessionId)).revision === undefined;

/** The sessions that hold a place although they are closed or never came about. */
const goneOf = async ({ open }: SessionHost, reads: Reads): Promise<readonly string[]> => {
  const gone: string[] = [];
  for (const [sessionId, { takenAt }] of Object.entries(open)) {
    const { state } = await reads.load(session, sessionId);
    if (state.closed !== null || (await neverCame({ sessionId, takenAt }, reads))) gone.push(sessionId);
  }
  return gone;
};

/**
 * Reserves a code and one of the creator's places, then judges, then gives both back if nothing came of it. A repeat
 * finds its session, or its place with the code in it.
 */
export const create = async (run: {
  readonly actor: Actor;
  readonly newId: (label: string) => string;
  readonly entropy: () => string;
  readonly reads: Reads;
  readonly step: Step;
  readonly judge: () => Promise<Outcome>;
}): Promise<Outcome> => {
  const { actor, newId, entropy, reads, step, judge } = run;
  const sessionId = newId('session');
  if ((await reads.load(session, sessionId)).revision !== undefined) return judge();
  const { state: host } = await reads.load(sessionHost, actor.id);
  if (host.open[sessionId] === undefined) {
    const gone = isFull(host) ? await goneOf(host, reads) : [];
    const code = await reserveCode(sessionId, entropy, reads, step);
    if (typeof code !== 'string') return code;
    const place = { accountId: actor.id, sessionId, code, gone: [...gone] };
    const placed = await step(takeSessionPlace, actor.id, place);
    if (!placed.ok) {
      await step(freeSessionCode, code, { code, sessionId });
      return placed;
    }
  }
  const outcome = await judge();
  if (!outcome.ok && (await reads.load(session, sessionId)).revision === undefined) {
    const code = (await reads.load(sessionHost, actor.id)).state.open[sessionId]?.code;
    await step(freeSessionPlace, actor.id, { accountId: actor.id, sessionId });
    if (code !== undefined) await step(freeSessionCode, code, { code, sessionId });
  }
  return outcome;
};
