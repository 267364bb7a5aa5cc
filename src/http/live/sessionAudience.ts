import { session } from '../../domain/estimation/session/index.ts';
import type { AudienceOf, Listening } from './audience.ts';
import { sessionTopic } from './sessionTopic.ts';

/** Whoever listens to a session is present in it, and everybody there is told who comes and goes without a word. */
export const sessionAudience: AudienceOf = ({ presence, commands: { reads }, log }, tell) => {
  const announce = async (sessionId: string, participantId: string, present: boolean): Promise<void> => {
    const { state } = await reads.load(session, sessionId);
    if (state.participants[participantId]?.membership !== 'in') return;
    tell(`${sessionTopic.name}:${sessionId}`, { event: 'session:presence', data: { participantId, present } });
  };
  presence.onChange(({ sessionId, accountId }, present) => {
    announce(sessionId, accountId, present).catch((err: unknown) =>
      log.warn({ err }, 'nobody was told who is present'),
    );
  });
  const seen = ({ kind, id: sessionId, accountId }: Listening): void => {
    if (kind === sessionTopic.name) void presence.seen({ sessionId, accountId });
  };
  return { joined: seen, alive: seen, left: () => {} };
};
