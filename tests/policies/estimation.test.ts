import t from 'tap';
import { autoReveal, releaseSession, roundTimer } from '../../src/policies/estimation.ts';
import {
  alpha,
  archived,
  cast,
  completed,
  expired,
  fay,
  left,
  opened,
  removed,
  roleChanged,
  sessionId,
  vic,
} from '../domain/estimation/session/past.ts';
import { id } from '../support/spec.ts';

const envelope = {
  id: id('event'),
  stream: `estimationSession-${sessionId}`,
  revision: 0,
  position: 1n,
  recordedAt: '2026-03-02T10:00:00.000Z',
  schemaVersion: 1,
  metadata: {
    commandId: id('command'),
    command: 'Test',
    correlationId: id('correlation'),
    actor: { id: fay.id, kind: 'user' as const },
  },
};
t.test('each card, and everybody who is no longer waited for, asks for the reveal', async (t) => {
  const asked = [{ command: 'RevealWhenComplete', input: { sessionId } }];
  t.match(autoReveal.on.VoteCast({ ...envelope, ...cast(vic, '5') }), asked);
  t.match(autoReveal.on.ParticipantLeft({ ...envelope, ...left(vic) }), asked);
  t.match(autoReveal.on.ParticipantRemoved({ ...envelope, ...removed(vic) }), asked);
  t.match(autoReveal.on.ParticipantRoleChanged({ ...envelope, ...roleChanged(vic, 'observer') }), asked);
});

t.test('a round with a timer ends at its deadline', async (t) => {
  const deadline = '2026-03-02T10:01:00.000Z';
  const at = new Date(deadline);
  t.match(roundTimer.on.VotingOpened({ ...envelope, ...opened(alpha, 1, { deadline }) }), [
    { command: 'EndRound', input: { sessionId, storyId: alpha, round: 1 }, at },
  ]);
  t.strictSame(roundTimer.on.VotingOpened({ ...envelope, ...opened(alpha) }), [], 'not without one');
});

t.test('a closed session gives back what it held', async (t) => {
  t.match(releaseSession.on.SessionCompleted({ ...envelope, ...completed() }), [
    { command: 'FreeSessionPlace', input: { accountId: fay.id, sessionId } },
  ]);
  t.match(releaseSession.on.SessionExpired({ ...envelope, ...expired() }), [
    { command: 'FreeSessionPlace', input: { accountId: fay.id, sessionId } },
  ]);
  t.match(releaseSession.on.SessionArchived({ ...envelope, ...archived }), [
    { command: 'FreeSessionCode', input: { code: 'ABC234', sessionId } },
  ]);
});
