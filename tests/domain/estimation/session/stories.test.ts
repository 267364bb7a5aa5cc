import t from 'tap';
import {
  acceptEstimate,
  addStory,
  archiveSession,
  completeSession,
  session,
  skipStory,
  statusOf,
  storyOf,
} from '../../../../src/domain/estimation/session/index.ts';
import { id, newId, now, spec, system } from '../../../support/spec.ts';
import {
  accepted,
  added,
  alpha,
  archived,
  beta,
  cast,
  completed,
  eve,
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
const story = { sessionId, storyId: alpha };
const shown = [...voting(), cast(vic, '5'), revealed([played(vic, '5')])];

t.test('adding a story', async (t) => {
  const first = added(newId('story'));
  const input = { sessionId, title: 'Log in by e-mail' };
  t.test('puts it at the end', async () => {
    given(...lobby())
      .when(addStory, input, fay)
      .then(first);
    given(...peopled())
      .when(addStory, input, fay)
      .then(added(newId('story'), 2));
  });
  t.test('takes description, key and address', async () => {
    const more = { description: 'As a user\nI log in', externalRef: 'SHOP-12', url: 'https://example.org/12' };
    given(...lobby())
      .when(addStory, { ...input, ...more }, fay)
      .then({ ...first, data: { ...first.data, ...more } });
  });
  t.test('is for everyone where the session says so', async () => {
    given(...peopled({ whoCanAddStories: 'everyone' }))
      .when(addStory, input, vic)
      .then(added(newId('story'), 2));
    given(...peopled())
      .when(addStory, input, vic)
      .rejected('not-facilitator');
    given(...peopled({ whoCanAddStories: 'everyone' }))
      .when(addStory, input, eve)
      .rejected('session-unknown');
  });
  t.test('knows limits', async () => {
    given(...lobby())
      .when(addStory, { sessionId, title: '' }, fay)
      .rejected('input-invalid', 'title');
    given(...lobby())
      .when(addStory, { ...input, url: 'http://x.org' }, fay)
      .rejected('input-invalid', 'url');
    const many = Array.from({ length: 200 }, (_, index) => added(id(`story ${index}`), index + 1));
    given(...lobby(), ...many)
      .when(addStory, input, fay)
      .rejected('too-many-stories');
  });
  t.test('is refused once the session is closed', async () =>
    given(...lobby(), completed())
      .when(addStory, input, fay)
      .rejected('session-closed'),
  );
});

t.test('accepting an estimate', async (t) => {
  const accept = (value: string) => ({ ...story, value });
  t.test('makes the story estimated, with a card or any short text', async () => {
    given(...shown)
      .when(acceptEstimate, accept('5'), fay)
      .then(accepted(alpha, '5'));
    given(...shown)
      .when(acceptEstimate, accept('4-6'), fay)
      .then(accepted(alpha, '4-6'));
  });
  t.test('may be corrected, and changes nothing when it is the same', async () => {
    const estimated = [...shown, accepted(alpha, '5')];
    given(...estimated)
      .when(acceptEstimate, accept('8'), fay)
      .then(accepted(alpha, '8'));
    given(...estimated)
      .when(acceptEstimate, accept('5'), fay)
      .nothing();
  });
  t.test('keeps the estimate of a story opened again until another is accepted', async (t) => {
    const { state } = given(...shown, accepted(alpha, '5'), opened(alpha, 2)).when(acceptEstimate, accept('8'), fay);
    t.match(storyOf(state, alpha), { status: 'voting', estimate: '5' });
  });
  t.test('needs a revealed round', async () => {
    given(...peopled())
      .when(acceptEstimate, accept('5'), fay)
      .rejected('not-revealed');
    given(...voting())
      .when(acceptEstimate, accept('5'), fay)
      .rejected('not-revealed');
    given(...shown)
      .when(acceptEstimate, accept('123456789'), fay)
      .rejected('input-invalid', 'value');
  });
  t.test('is the facilitator’s while the session is open', async () => {
    given(...shown)
      .when(acceptEstimate, accept('5'), vic)
      .rejected('not-facilitator');
    given(...shown)
      .when(acceptEstimate, { ...accept('5'), storyId: beta }, fay)
      .rejected('story-unknown');
    given(...shown, completed({ stories: 1 }))
      .when(acceptEstimate, accept('5'), fay)
      .rejected('session-closed');
  });
});

t.test('skipping a story', async (t) => {
  t.test('needs no round, and ends one without result', async (t) => {
    given(...peopled())
      .when(skipStory, story, fay)
      .then(skipped(alpha));
    const { then, state } = given(...voting(), cast(vic, '5')).when(skipStory, story, fay);
    then(skipped(alpha));
    t.equal(state.round, null);
    t.equal(statusOf(state), 'lobby');
  });
  t.test('changes nothing the second time', async () =>
    given(...peopled(), skipped(alpha))
      .when(skipStory, story, fay)
      .nothing(),
  );
  t.test('leaves the round of another story alone', async (t) => {
    const { state } = given(...voting(), added(beta, 2)).when(skipStory, { sessionId, storyId: beta }, fay);
    t.equal(state.round?.storyId, alpha);
  });
  t.test('gives a story that was estimated anew its estimate back', async (t) => {
    const { state } = given(...shown, accepted(alpha, '5'), opened(alpha, 2)).when(skipStory, story, fay);
    t.match(storyOf(state, alpha), { status: 'estimated', estimate: '5' });
  });
  t.test('is done by the service only when the timer ran out without a card', async () => {
    const due = [...peopled(), opened(alpha, 1, { deadline: now.toISOString() })];
    given(...due)
      .when(skipStory, story, system)
      .then(skipped(alpha));
    given(...due, cast(vic, '5'))
      .when(skipStory, story, system)
      .rejected('not-due');
    given(...voting())
      .when(skipStory, story, system)
      .rejected('not-due');
    given(...peopled())
      .when(skipStory, story, system)
      .rejected('not-due');
  });
  t.test('is the facilitator’s', async () => {
    given(...peopled())
      .when(skipStory, story, vic)
      .rejected('not-facilitator');
    given(...peopled(), completed({ stories: 1 }))
      .when(skipStory, story, fay)
      .rejected('session-closed');
  });
});

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
});
