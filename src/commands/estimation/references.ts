import type { Rejection } from '../../domain/decider.ts';
import { CODE, session, sessionUnknown } from '../../domain/estimation/session/index.ts';
import { sessionCode } from '../../domain/estimation/sessionCode.ts';
import { uuid } from '../../domain/fields.ts';
import type { Reads } from '../reads.ts';

/** The id that a session's code leads to; undefined: no session, or an archived one, has it. */
export const sessionIdOfCode = async (code: string, reads: Pick<Reads, 'load'>): Promise<string | undefined> => {
  const upper = code.toUpperCase();
  if (!CODE.test(upper)) return undefined;
  const { state } = await reads.load(sessionCode, upper);
  if (state === null) return undefined;
  const { state: owner } = await reads.load(session, state.sessionId);
  return owner.id === null || owner.closed === 'archived' ? undefined : owner.id;
};

/** The id that `{id}` of a path means, an id itself or a code in either case; undefined: there is no such session. */
export const sessionIdOf = async (ref: string, reads: Pick<Reads, 'load'>): Promise<string | undefined> => {
  const id = uuid.safeParse(ref);
  return id.success ? id.data : sessionIdOfCode(ref, reads);
};

/** Completes an input whose `sessionId` may be a code. */
export const resolve = async <Input extends { readonly sessionId: string }>(
  input: Input,
  reads: Reads,
): Promise<Input | Rejection> => {
  const sessionId = await sessionIdOf(input.sessionId, reads);
  return sessionId === undefined ? sessionUnknown() : { ...input, sessionId };
};

/** Completes an input that names a session by `sessionId`, id or code, or by `code`. */
export const resolveJoin = async <
  Input extends { readonly sessionId?: string | undefined; readonly code?: string | undefined },
>(
  { code, ...input }: Input,
  reads: Reads,
) => {
  const sessionId =
    input.sessionId === undefined
      ? await sessionIdOfCode(code ?? '', reads)
      : await sessionIdOf(input.sessionId, reads);
  return sessionId === undefined ? sessionUnknown() : { ...input, sessionId };
};
