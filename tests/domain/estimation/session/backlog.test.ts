import t from 'tap';
import {
  addStory,
  importStories,
  removeStory,
  reorderStories,
  resultOf,
  session,
  statusOf,
  storyOf,
  updateStory,
} from '../../../../src/domain/estimation/session/index.ts';
import { id, newId, spec } from '../../../support/spec.ts';
import {
  accepted,
  added,
  alpha,
  beta,
  cast,
  completed,
  eve,
  fay,
  lobby,
  opened,
  peopled,
  played,
  reordered,
  revealed,
  rewritten,
  sessionId,
  takenOff,
  vic,
  voting,
} from './past.ts';

const given = spec(session);
const story = { sessionId, storyId: alpha };
const many = (count: number) => Array.from({ length: count }, (_, index) => added(id(`story ${index}`), index + 1));
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

t.test('importing stories', async (t) => {
  const stories = (count: number) => Array.from({ length: count }, (_, index) => ({ title: `Story ${index}` }));
  const imported = (index: number, order: number) => ({
    type: 'StoryAdded' as const,
    data: { sessionId, storyId: newId(`story ${index}`), title: `Story ${index}`, order },
  });
  t.test('puts them at the end in their order', async () =>
    given(...peopled())
      .when(importStories, { sessionId, stories: stories(2) }, fay)
      .then(imported(0, 2), imported(1, 3)),
  );
  t.test('takes a hundred at once and two hundred in all, or none', async (t) => {
    const { state } = given(...lobby(), ...many(100)).when(importStories, { sessionId, stories: stories(100) }, fay);
    t.equal(state.stories.length, 200);
    given(...lobby(), ...many(101))
      .when(importStories, { sessionId, stories: stories(100) }, fay)
      .rejected('too-many-stories');
    for (const count of [0, 101])
      given(...lobby())
        .when(importStories, { sessionId, stories: stories(count) }, fay)
        .rejected('input-invalid', 'stories');
    given(...lobby())
      .when(importStories, { sessionId, stories: [...stories(3), { title: '' }] }, fay)
      .rejected('input-invalid', 'stories.3.title');
  });
  t.test('is the facilitator’s, even where everyone may add one', async () => {
    const input = { sessionId, stories: stories(1) };
    given(...peopled({ whoCanAddStories: 'everyone' }))
      .when(importStories, input, vic)
      .rejected('not-facilitator');
    given(...peopled())
      .when(importStories, input, eve)
      .rejected('session-unknown');
    given(...lobby(), completed())
      .when(importStories, input, fay)
      .rejected('session-closed');
  });
});

t.test('rewriting a story', async (t) => {
  t.test('keeps what is left out, and takes away what is null', async (t) => {
    const url = 'https://example.org/12';
    given(...peopled())
      .when(updateStory, { ...story, title: 'Log in', url }, fay)
      .then(rewritten(alpha, { title: 'Log in', url }));
    const { then, state } = given(...peopled(), rewritten(alpha, { description: 'Long', url })).when(
      updateStory,
      { ...story, url: null },
      fay,
    );
    then(rewritten(alpha, { url: null }));
    t.match(storyOf(state, alpha), { title: 'Log in by e-mail', description: 'Long', url: null, version: 2 });
  });
  t.test('changes nothing when it reads the same', async () =>
    given(...peopled())
      .when(updateStory, { ...story, title: 'Log in by e-mail', description: null }, fay)
      .nothing(),
  );
  t.test('may be done before and after a round, not while it is open', async (t) => {
    const input = { ...story, title: 'Log in' };
    given(...voting())
      .when(updateStory, input, fay)
      .rejected('round-open');
    given(...peopled(), added(beta, 2), opened(beta))
      .when(updateStory, input, fay)
      .then(rewritten(alpha, { title: 'Log in' }));
    const { state } = given(...shown).when(updateStory, input, fay);
    t.equal(statusOf(state), 'revealed');
  });
  t.test('is the facilitator’s while the session is open', async () => {
    const input = { ...story, title: 'Log in' };
    given(...peopled())
      .when(updateStory, input, vic)
      .rejected('not-facilitator');
    given(...peopled())
      .when(updateStory, input, eve)
      .rejected('session-unknown');
    given(...peopled())
      .when(updateStory, { ...input, storyId: beta }, fay)
      .rejected('story-unknown');
    given(...peopled(), completed())
      .when(updateStory, input, fay)
      .rejected('session-closed');
    given(...peopled())
      .when(updateStory, { ...input, title: '' }, fay)
      .rejected('input-invalid', 'title');
  });
});

t.test('removing a story', async (t) => {
  t.test('takes it off the list, and off the table', async (t) => {
    const { then, state } = given(...shown, accepted(alpha, '5'), added(beta, 2)).when(removeStory, story, fay);
    then(takenOff(alpha));
    t.strictSame(
      state.stories.map(({ id }) => id),
      [beta],
    );
    t.equal(statusOf(state), 'lobby');
    t.equal(resultOf(state), null);
  });
  t.test('leaves another story on the table', async (t) => {
    const { state } = given(...shown, added(beta, 2)).when(removeStory, { sessionId, storyId: beta }, fay);
    t.equal(statusOf(state), 'revealed');
  });
  t.test('is refused while its round is open, and once it is gone', async () => {
    given(...voting())
      .when(removeStory, story, fay)
      .rejected('round-open');
    given(...peopled(), takenOff(alpha))
      .when(removeStory, story, fay)
      .rejected('story-unknown');
  });
  t.test('is the facilitator’s while the session is open', async () => {
    given(...peopled())
      .when(removeStory, story, vic)
      .rejected('not-facilitator');
    given(...peopled())
      .when(removeStory, story, eve)
      .rejected('session-unknown');
    given(...peopled(), completed())
      .when(removeStory, story, fay)
      .rejected('session-closed');
  });
});

t.test('putting the stories in another order', async (t) => {
  const two = [...peopled(), added(beta, 2)];
  t.test('names all of them', async (t) => {
    const { then, state } = given(...two).when(reorderStories, { sessionId, storyIds: [beta, alpha] }, fay);
    then(reordered(beta, alpha));
    t.strictSame(
      state.stories.map(({ id, version }) => [id, version]),
      [
        [beta, 0],
        [alpha, 0],
      ],
    );
    given(...two, opened(alpha))
      .when(reorderStories, { sessionId, storyIds: [beta, alpha] }, fay)
      .then(reordered(beta, alpha));
  });
  t.test('changes nothing when it is theirs', async () =>
    given(...two)
      .when(reorderStories, { sessionId, storyIds: [alpha, beta] }, fay)
      .nothing(),
  );
  t.test('takes no other list', async () => {
    for (const storyIds of [[], [alpha], [alpha, alpha], [alpha, beta, beta], [alpha, id('another')]])
      given(...two)
        .when(reorderStories, { sessionId, storyIds }, fay)
        .rejected('stories-differ', 'storyIds');
    given(...two, takenOff(beta))
      .when(reorderStories, { sessionId, storyIds: [alpha, beta] }, fay)
      .rejected('stories-differ');
  });
  t.test('is the facilitator’s while the session is open', async () => {
    const input = { sessionId, storyIds: [beta, alpha] };
    given(...two)
      .when(reorderStories, input, vic)
      .rejected('not-facilitator');
    given(...two)
      .when(reorderStories, input, eve)
      .rejected('session-unknown');
    given(...two, completed())
      .when(reorderStories, input, fay)
      .rejected('session-closed');
  });
});
