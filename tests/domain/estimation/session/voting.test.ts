import t from 'tap';
import {
  castVote,
  endRound,
  openVoting,
  restartVoting,
  retractVote,
  revealVotes,
  revealWhenComplete,
  session,
} from '../../../../src/domain/estimation/session/index.ts';
import { spec, system } from '../../../support/spec.ts';
import {
  accepted,
  added,
  alpha,
  beta,
  cast,
  changed,
  completed,
  eve,
  fay,
  joined,
  left,
  lobby,
  obi,
  opened,
  peopled,
  played,
  removed,
  restarted,
  retracted,
  revealed,
  sessionId,
  skipped,
  updated,
  vic,
  voting,
  wim,
} from './past.ts';

const given = spec(session);
const story = { sessionId, storyId: alpha };
const card = (value: string) => ({ ...story, value });
const unknownStory = { sessionId, storyId: beta };

t.test('opening a round', async (t) => {
  t.test('starts the first one of a story', async () =>
    given(...peopled())
      .when(openVoting, story, fay)
      .then(opened(alpha)),
  );
  t.test('sets the timer and fixes whether the round is anonymous', async () =>
    given(...peopled({ roundTimerSeconds: 90, anonymousVotes: true }))
      .when(openVoting, story, fay)
      .then(opened(alpha, 1, { anonymous: true, deadline: '2026-03-02T10:01:30.000Z' })),
  );
  t.test('starts the next one of a story revealed, estimated or skipped', async () => {
    const shown = [...voting(), cast(vic, '5'), revealed([played(vic, '5')])];
    given(...shown)
      .when(openVoting, story, fay)
      .then(opened(alpha, 2));
    given(...shown, accepted(alpha, '5'))
      .when(openVoting, story, fay)
      .then(opened(alpha, 2));
    given(...voting(), skipped(alpha))
      .when(openVoting, story, fay)
      .then(opened(alpha, 2));
  });
  t.test('is possible for a facilitator alone', async () =>
    given(...lobby(), added(alpha))
      .when(openVoting, story, fay)
      .then(opened(alpha)),
  );
  t.test('is refused while another round is open', async () => {
    given(...voting())
      .when(openVoting, story, fay)
      .rejected('round-open');
    given(...voting(), added(beta, 2))
      .when(openVoting, unknownStory, fay)
      .rejected('round-open');
  });
  t.test('is the facilitator’s while the session is open', async () => {
    given(...peopled())
      .when(openVoting, story, vic)
      .rejected('not-facilitator');
    given(...peopled())
      .when(openVoting, story, eve)
      .rejected('session-unknown');
    given(...peopled())
      .when(openVoting, unknownStory, fay)
      .rejected('story-unknown');
    given(...peopled(), completed())
      .when(openVoting, story, fay)
      .rejected('session-closed');
    given().when(openVoting, story, fay).rejected('session-unknown');
  });
});

t.test('casting a vote', async (t) => {
  t.test('plays a card in the open round', async () =>
    given(...voting())
      .when(castVote, card('3'), vic)
      .then(cast(vic, '3')),
  );
  t.test('is for the facilitator too', async () =>
    given(...voting())
      .when(castVote, card('3'), fay)
      .then(cast(fay, '3')),
  );
  t.test('replaces the card until the reveal', async () =>
    given(...voting(), cast(vic, '3'))
      .when(castVote, card('5'), vic)
      .then(changed(vic, '5')),
  );
  t.test('changes nothing when it is the same card', async () =>
    given(...voting(), cast(vic, '3'))
      .when(castVote, card('3'), vic)
      .nothing(),
  );
  t.test('starts afresh in the next round', async () =>
    given(...voting(), cast(vic, '3'), restarted(alpha, 2))
      .when(castVote, card('3'), vic)
      .then(cast(vic, '3', 2)),
  );
  t.test('takes cards of the deck only', async () => {
    for (const value of ['4', 'Coffee', '05', 'XS'])
      given(...voting())
        .when(castVote, card(value), vic)
        .rejected('not-in-deck', 'value');
    for (const value of ['', '123456789'])
      given(...voting())
        .when(castVote, card(value), vic)
        .rejected('input-invalid');
    given(...voting({ deck: 'custom', customDeck: ['½', 'ok'] }))
      .when(castVote, card('½'), vic)
      .then(cast(vic, '½'));
  });
  t.test('is refused to observers', async () =>
    given(...voting())
      .when(castVote, card('3'), obi)
      .rejected('observer'),
  );
  t.test('is refused to someone outside the session', async () => {
    given(...voting())
      .when(castVote, card('3'), eve)
      .rejected('session-unknown');
    given(...voting(), removed(vic))
      .when(castVote, card('3'), vic)
      .rejected('session-unknown');
    given(...voting(), left(vic))
      .when(castVote, card('3'), vic)
      .rejected('left-session');
    given().when(castVote, card('3'), vic).rejected('session-unknown');
  });
  t.test('is refused when no round of the story is open', async () => {
    given(...peopled())
      .when(castVote, card('3'), vic)
      .rejected('round-not-open');
    given(...voting(), cast(wim, '3'), revealed([played(wim, '3')]))
      .when(castVote, card('3'), vic)
      .rejected('round-not-open');
    given(...voting())
      .when(castVote, { ...card('3'), storyId: beta }, vic)
      .rejected('story-unknown');
    given(...voting(), completed({ stories: 1 }))
      .when(castVote, card('3'), vic)
      .rejected('session-closed');
  });
});

t.test('taking a vote back', async (t) => {
  t.test('removes the card', async () =>
    given(...voting(), cast(vic, '3'))
      .when(retractVote, story, vic)
      .then(retracted(vic)),
  );
  t.test('is refused without one, and after the reveal', async () => {
    given(...voting())
      .when(retractVote, story, vic)
      .rejected('no-vote');
    given(...voting(), cast(vic, '3'), retracted(vic))
      .when(retractVote, story, vic)
      .rejected('no-vote');
    given(...voting(), cast(vic, '3'), revealed([played(vic, '3')]))
      .when(retractVote, story, vic)
      .rejected('round-not-open');
    given(...voting())
      .when(retractVote, story, eve)
      .rejected('session-unknown');
  });
});

t.test('revealing the votes', async (t) => {
  t.test('shows the last card of everybody in the order of arrival', async () =>
    given(...voting(), cast(wim, '?'), cast(vic, '5'), changed(vic, '8'), cast(fay, '3'))
      .when(revealVotes, story, fay)
      .then(revealed([played(fay, '3'), played(vic, '8'), played(wim, '?')])),
  );
  t.test('names nobody in an anonymous round, in deck order, though the setting has changed since', async () =>
    given(...voting({ anonymousVotes: true }), cast(wim, '?'), cast(vic, '8'), cast(fay, '3'), updated({}))
      .when(revealVotes, story, fay)
      .then(revealed([{ value: '3' }, { value: '8' }, { value: '?' }], 1, true)),
  );
  t.test('names people in a round opened before votes became anonymous', async () =>
    given(...voting(), cast(vic, '8'), updated({ anonymousVotes: true }))
      .when(revealVotes, story, fay)
      .then(revealed([played(vic, '8')])),
  );
  t.test('leaves out who has left', async () =>
    given(...voting(), cast(vic, '5'), cast(wim, '3'), left(vic))
      .when(revealVotes, story, fay)
      .then(revealed([played(wim, '3')])),
  );
  t.test('needs a vote and an open round', async () => {
    given(...voting())
      .when(revealVotes, story, fay)
      .rejected('no-votes');
    given(...peopled())
      .when(revealVotes, story, fay)
      .rejected('round-not-open');
    given(...voting(), cast(vic, '5'), revealed([played(vic, '5')]))
      .when(revealVotes, story, fay)
      .rejected('round-not-open');
  });
  t.test('is the facilitator’s', async () => {
    given(...voting(), cast(vic, '5'))
      .when(revealVotes, story, vic)
      .rejected('not-facilitator');
    given(...voting(), cast(vic, '5'))
      .when(revealVotes, story, eve)
      .rejected('session-unknown');
  });
});

t.test('the service reveals the votes', async (t) => {
  const auto = { autoReveal: true };
  const complete = (past: ReturnType<typeof voting>, ...absent: readonly string[]) =>
    given(...past).when(revealWhenComplete, { sessionId }, system, { absent });
  t.test('once everybody awaited has voted', async () => {
    complete([...voting(auto), cast(vic, '5')]).nothing();
    complete([...voting(auto), cast(vic, '5'), cast(wim, '3')]).then(revealed([played(vic, '5'), played(wim, '3')]));
  });
  t.test('without waiting for who is absent', async () => {
    complete([...voting(auto), cast(vic, '5')], wim.id).then(revealed([played(vic, '5')]));
    complete([...voting(auto)], vic.id, wim.id).nothing();
  });
  t.test('not when the session does without', async () =>
    complete([...voting(), cast(vic, '5'), cast(wim, '3')]).nothing(),
  );
  t.test('when the facilitator alone has voted', async () =>
    complete([...lobby(auto), added(alpha), opened(alpha), cast(fay, '5')]).then(revealed([played(fay, '5')])),
  );
  t.test('without waiting for a facilitator beside voters', async () =>
    complete([...lobby(auto), joined(vic), added(alpha), opened(alpha), cast(vic, '5')]).then(
      revealed([played(vic, '5')]),
    ),
  );
  t.test('once the last who had not voted leaves', async () =>
    complete([...voting(auto), cast(vic, '5'), left(wim)]).then(revealed([played(vic, '5')])),
  );
  t.test('never without an open round', async () => {
    complete([...peopled(auto)]).nothing();
    complete([...voting(auto), cast(vic, '5'), cast(wim, '3'), completed()]).nothing();
    complete([]).nothing();
  });
});

t.test('the end of a round by its timer', async (t) => {
  const end = { sessionId, storyId: alpha, round: 1 };
  t.test('reveals the cards there are', async () =>
    given(...voting(), cast(vic, '5'))
      .when(endRound, end, system)
      .then(revealed([played(vic, '5')])),
  );
  t.test('skips the story where there are none', async () => {
    given(...voting())
      .when(endRound, end, system)
      .then(skipped(alpha));
    given(...voting(), cast(vic, '5'), retracted(vic))
      .when(endRound, end, system)
      .then(skipped(alpha));
  });
  t.test('changes nothing once the round has ended by itself, whatever came after it', async () => {
    for (const after of [
      [cast(vic, '5'), revealed([played(vic, '5')])],
      [skipped(alpha)],
      [restarted(alpha, 2), cast(vic, '5', 2)],
      [skipped(alpha), added(beta, 2), opened(beta)],
      [completed()],
    ])
      given(...voting(), ...after)
        .when(endRound, end, system)
        .nothing();
    given().when(endRound, end, system).nothing();
  });
});

t.test('restarting a vote', async (t) => {
  t.test('clears the cards of a round that is open or revealed', async (t) => {
    const { then, state } = given(...voting(), cast(vic, '5')).when(restartVoting, story, fay);
    then(restarted(alpha, 2));
    t.strictSame(state.round?.votes, {});
    given(...voting(), cast(vic, '5'), revealed([played(vic, '5')]))
      .when(restartVoting, story, fay)
      .then(restarted(alpha, 2));
  });
  t.test('needs such a round', async () => {
    given(...peopled())
      .when(restartVoting, story, fay)
      .rejected('nothing-to-restart');
    given(...voting(), cast(vic, '5'), revealed([played(vic, '5')]), accepted(alpha, '5'))
      .when(restartVoting, story, fay)
      .rejected('nothing-to-restart');
  });
  t.test('is refused while another story is voted on', async () =>
    given(...voting(), cast(vic, '5'), revealed([played(vic, '5')]), added(beta, 2), opened(beta))
      .when(restartVoting, story, fay)
      .rejected('round-open'),
  );
  t.test('is the facilitator’s', async () => {
    given(...voting())
      .when(restartVoting, story, vic)
      .rejected('not-facilitator');
    given(...voting())
      .when(restartVoting, unknownStory, fay)
      .rejected('story-unknown');
    given(...voting(), completed({ stories: 1 }))
      .when(restartVoting, story, fay)
      .rejected('session-closed');
  });
});
