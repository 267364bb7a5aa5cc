import type { FastifyRequest } from 'fastify';
import { sessionIdOf } from '../../../commands/estimation/references.ts';
import { session, sessionRef } from '../../../domain/estimation/session/index.ts';
import type { Seat } from '../../../projections/estimation/presence.ts';
import type { App, Deps } from '../../app.ts';

const SESSIONS = '/api/v1/sessions/';

/** What a request calls the session that it is for: by its path, or as a command by its body. */
const refOf = ({ routeOptions, params, body }: FastifyRequest): string | undefined => {
  const { url = '', config } = routeOptions;
  if (!url.startsWith(SESSIONS) && config.binding?.command.decider.category !== session.category) return undefined;
  const given: Readonly<Record<string, unknown>> = { ...(body as object | undefined), ...(params as object) };
  const ref = sessionRef.safeParse(given.sessionId ?? given.code);
  return ref.success ? ref.data : undefined;
};

/** Takes every request of somebody in a session for a sign of life there, whatever it is answered. */
export const noticeRequests = (app: App, { commands: { reads }, presence, log }: Deps): void => {
  const seatOf = async (request: FastifyRequest): Promise<Seat | undefined> => {
    const accountId = request.caller?.accountId;
    const ref = accountId === undefined ? undefined : refOf(request);
    const sessionId = ref === undefined ? undefined : await sessionIdOf(ref, reads);
    if (accountId === undefined || sessionId === undefined) return undefined;
    const { state } = await reads.load(session, sessionId);
    return state.participants[accountId]?.membership === 'in' ? { sessionId, accountId } : undefined;
  };
  app.addHook('onResponse', async (request) => {
    try {
      const seat = await seatOf(request);
      if (seat !== undefined) await presence.seen(seat);
    } catch (err) {
      log.warn({ err }, 'a sign of life was not noted');
    }
  });
};
