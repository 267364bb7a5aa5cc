import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';

const Held = z.object({ code: z.string(), sessionId: z.uuid() });

/** Stored facts of the reservation of one session code. */
export const events = {
  SessionCodeTaken: Held.extend({ takenAt: z.iso.datetime() }),
  SessionCodeFreed: Held,
};
export type SessionCodeEvent = EventOf<typeof events>;
/** The session that the code leads to, and since when it is reserved; null: the code is free. */
export type SessionCode = { readonly sessionId: string; readonly takenAt: string } | null;

/** The reservation of one code (stream `sessionCode-<CODE>`): no two sessions share a code. */
export const sessionCode = decider<SessionCode, SessionCodeEvent>({
  category: 'sessionCode',
  events,
  initial: null,
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'SessionCodeTaken':
        return { sessionId: data.sessionId, takenAt: data.takenAt };
      case 'SessionCodeFreed':
        return state?.sessionId === data.sessionId ? null : state;
    }
  },
});
const command = commandsOf(sessionCode);

const Input = z.object({ code: z.string(), sessionId: z.uuid() });

/**
 * Reserves the code for a session. Refused while another session holds it, unless that is the one known never to have
 * come about.
 */
export const takeSessionCode = command(
  'TakeSessionCode',
  Input.extend({ abandoned: z.uuid().optional() }),
  ({ code, sessionId, abandoned }, state, { now }) => {
    if (state?.sessionId === sessionId) return [];
    if (state !== null && state.sessionId !== abandoned)
      return reject('CONFLICT', 'code-taken', 'The code leads to another session');
    return [{ type: 'SessionCodeTaken', data: { code, sessionId, takenAt: now.toISOString() } }];
  },
);

/** Gives the code back, if it is still the session's. */
export const freeSessionCode = command('FreeSessionCode', Input, ({ code, sessionId }, state) =>
  state?.sessionId === sessionId ? [{ type: 'SessionCodeFreed', data: { code, sessionId } }] : [],
);

/** The letters and digits of session codes: none that is easily taken for another. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const LENGTH = 6;

/** A code from random bits in hexadecimal, at least 128 of them: every code is as likely as any other. */
export const codeFrom = (entropy: string): string => {
  let rest = BigInt(`0x${entropy}`);
  const base = BigInt(ALPHABET.length);
  return Array.from({ length: LENGTH }, () => {
    const letter = ALPHABET.charAt(Number(rest % base));
    rest /= base;
    return letter;
  }).join('');
};
