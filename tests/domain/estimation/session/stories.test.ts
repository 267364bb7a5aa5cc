import t from 'tap';
import {
  acceptEstimate,
  session,
  skipStory,
  statusOf,
  storyOf,
} from '../../../../src/domain/estimation/session/index.ts';
import { spec } from '../../../support/spec.ts';
import {
  accepted,
  added,
  alpha,
  beta,
  cast,
  completed,
  fay,
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
  t.test('is the facilitator’s', async () => {
    given(...peopled())
      .when(skipStory, story, vic)
      .rejected('not-facilitator');
    given(...peopled(), completed({ stories: 1 }))
      .when(skipStory, story, fay)
      .rejected('session-closed');
  });
});
