import type { FastifyRequest } from 'fastify';
import { uuid7 } from '../uuid.ts';
import type { Deps } from './deps.ts';
import { Problem } from './problem.ts';
import { actorOf, traceparentOf } from './request.ts';

/** What somebody is about to be shown of other people. */
export type SensitiveRead = {
  readonly targetType: string;
  /** Undefined where a list is searched. */
  readonly targetId?: string;
  /** Names of fields or filters, never values. */
  readonly fields: readonly string[];
};

/**
 * Notes that somebody reads personal data of others. To be awaited before the answer leaves: throws
 * SERVICE_UNAVAILABLE when it cannot be stored, so that nothing is read without a trace.
 */
export const noteSensitiveRead = async (
  { codec, store, log }: Pick<Deps, 'codec' | 'store' | 'log'>,
  request: FastifyRequest,
  { targetType, targetId, fields }: SensitiveRead,
): Promise<void> => {
  const actor = actorOf(request);
  const traceparent = traceparentOf(request);
  const id = uuid7();
  const data = { actorId: actor.id, targetType, targetId: targetId ?? null, fields: [...fields] };
  try {
    const events = await codec.encode([{ id, type: 'SensitiveDataRead', data }], {
      commandId: id,
      command: 'RecordSensitiveRead',
      correlationId: request.correlationId,
      actor: { id: actor.id, kind: actor.kind },
      ...(actor.sessionId === undefined ? {} : { sessionId: actor.sessionId }),
      ...(traceparent === undefined ? {} : { traceparent }),
    });
    await store.append(`sensitiveRead-${id}`, 'noStream', events);
  } catch (err) {
    log.warn({ err }, 'a sensitive read could not be recorded, and was refused');
    throw new Problem('SERVICE_UNAVAILABLE', 'This cannot be recorded just now, so it is not shown; please try again', {
      reason: 'read-not-recorded',
      retryAfter: 2,
    });
  }
};
