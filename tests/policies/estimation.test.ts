import t from 'tap';
import { autoReveal, releaseSession, roundTimer } from '../../src/policies/estimation.ts';
import { alpha, archived, cast, completed, fay, opened, sessionId, vic } from '../domain/estimation/session/past.ts';
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
const story = { sessionId, storyId: alpha };

t.test('each card asks for the reveal', async (t) =>
  t.match(autoReveal.on.VoteCast({ ...envelope, ...cast(vic, '5') }), [{ command: 'RevealVotes', input: story }]),
);

t.test('a round with a timer is revealed or skipped at its deadline', async (t) => {
  const deadline = '2026-03-02T10:01:00.000Z';
  const at = new Date(deadline);
  t.match(roundTimer.on.VotingOpened({ ...envelope, ...opened(alpha, 1, { deadline }) }), [
    { command: 'RevealVotes', input: story, at },
    { command: 'SkipStory', input: story, at },
  ]);
  t.strictSame(roundTimer.on.VotingOpened({ ...envelope, ...opened(alpha) }), [], 'not without one');
});

t.test('a closed session gives back what it held', async (t) => {
  t.match(releaseSession.on.SessionCompleted({ ...envelope, ...completed() }), [
    { command: 'FreeSessionPlace', input: { accountId: fay.id, sessionId } },
  ]);
  t.match(releaseSession.on.SessionArchived({ ...envelope, ...archived }), [
    { command: 'FreeSessionCode', input: { code: 'ABC234', sessionId } },
  ]);
});
