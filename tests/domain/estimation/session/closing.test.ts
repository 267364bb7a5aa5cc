import t from 'tap';
import {
  archiveSession,
  completeSession,
  expireSession,
  IDLE_MS,
  session,
  statusOf,
  storyOf,
} from '../../../../src/domain/estimation/session/index.ts';
import { id, now, spec, system } from '../../../support/spec.ts';
import {
  accepted,
  added,
  alpha,
  archived,
  beta,
  cast,
  completed,
  eve,
  expired,
  fay,
  lobby,
  opened,
  peopled,
  played,
  revealed,
  sessionId,
  skipped,
  vic,
  voting,
} from './past.ts';

const given = spec(session);
const shown = [...voting(), cast(vic, '5'), revealed([played(vic, '5')])];

t.test('completing a session', async (t) => {
  t.test('adds up what came of it', async () =>
    given(
      ...shown,
      accepted(alpha, '0.5'),
      added(beta, 2),
      opened(beta),
      cast(vic, '5', 1, beta),
      added(id('story gamma'), 3),
      skipped(id('story gamma')),
    )
      .when(completeSession, { sessionId }, fay)
      .then(completed({ stories: 3, estimated: 1, skipped: 1, points: 0.5 })),
  );
  t.test('ends an open round without result', async (t) => {
    const { state } = given(...voting(), cast(vic, '5')).when(completeSession, { sessionId }, fay);
    t.equal(state.round, null);
    t.match(storyOf(state, alpha), { status: 'pending', estimate: null });
  });
  t.test('is the facilitator’s, once', async () => {
    given(...peopled())
      .when(completeSession, { sessionId }, vic)
      .rejected('not-facilitator');
    given(...peopled())
      .when(completeSession, { sessionId }, eve)
      .rejected('session-unknown');
    given(...peopled(), completed({ stories: 1 }))
      .when(completeSession, { sessionId }, fay)
      .rejected('session-closed');
  });
});

t.test('archiving a session', async (t) => {
  t.test('follows its completion', async () => {
    given(...lobby(), completed())
      .when(archiveSession, { sessionId }, fay)
      .then(archived);
    given(...lobby())
      .when(archiveSession, { sessionId }, fay)
      .rejected('session-open');
    given(...lobby(), completed(), archived)
      .when(archiveSession, { sessionId }, fay)
      .nothing();
  });
  t.test('is the facilitator’s', async () => {
    given(...peopled(), completed({ stories: 1 }))
      .when(archiveSession, { sessionId }, vic)
      .rejected('not-facilitator');
    given().when(archiveSession, { sessionId }, fay).rejected('session-unknown');
  });
  t.test('follows its expiry, and is done by the service too', async () => {
    given(...lobby(), expired())
      .when(archiveSession, { sessionId }, fay)
      .then(archived);
    given(...lobby(), expired())
      .when(archiveSession, { sessionId }, system)
      .then({ ...archived, data: { ...archived.data, by: system.id } });
  });
});

t.test('the expiry of a session', async (t) => {
  const last = (changes: number, ago: number) => ({ changes, at: new Date(now.getTime() - ago).toISOString() });
  const expire = (past: ReturnType<typeof voting>, facts: ReturnType<typeof last> | undefined) =>
    given(...past).when(expireSession, { sessionId }, system, facts);
  t.test('comes after 8 hours without an event, and ends an open round without result', async (t) => {
    const past = [...voting(), cast(vic, '5')];
    const { then, state } = expire(past, last(past.length, IDLE_MS));
    then(expired({ stories: 1 }));
    t.equal(state.round, null);
    t.equal(statusOf(state), 'expired');
  });
  t.test('does not come before, and not when something has happened since', async () => {
    const past = voting();
    expire(past, last(past.length, IDLE_MS - 1)).nothing();
    expire(past, last(past.length - 1, IDLE_MS)).nothing();
    expire(past, undefined).nothing();
  });
  t.test('comes once, and to no session that is closed or is not there', async () => {
    for (const end of [completed(), expired(), archived]) {
      const past = [...lobby(), end];
      expire(past, last(past.length, IDLE_MS)).nothing();
    }
    expire([], last(0, IDLE_MS)).nothing();
  });
  t.test('closes the session to everybody', async () =>
    given(...lobby(), expired())
      .when(completeSession, { sessionId }, fay)
      .rejected('session-closed'),
  );
});
