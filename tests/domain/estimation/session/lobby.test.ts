import t from 'tap';
import {
  changeParticipantRole,
  createSession,
  joinSession,
  leaveSession,
  removeParticipant,
  session,
  transferFacilitator,
  updateSessionSettings,
  withdrawParticipant,
} from '../../../../src/domain/estimation/session/index.ts';
import { DEFAULTS } from '../../../../src/domain/estimation/session/settings.ts';
import { id, newId, spec, system, user } from '../../../support/spec.ts';
import {
  archived,
  cast,
  completed,
  created,
  eve,
  fay,
  handedOver,
  joined,
  left,
  lobby,
  obi,
  peopled,
  rejoined,
  removed,
  roleChanged,
  sessionId,
  updated,
  vic,
  voting,
  wim,
} from './past.ts';

const given = spec(session);
const reserved = { code: 'ABC234' };

t.test('creating a session', async (t) => {
  const creation = { ...created().data, sessionId: newId('session') };
  const joining = { sessionId: newId('session'), participantId: fay.id, accountId: fay.id };

  t.test('puts its creator into the lobby as facilitator', async () =>
    given()
      .when(createSession, { name: ' Sprint 12 ' }, fay, reserved)
      .then(
        { type: 'SessionCreated', data: creation },
        { type: 'ParticipantJoined', data: { ...joining, role: 'facilitator' } },
      ),
  );
  t.test('takes settings and a name for the creator', async () => {
    const settings = { deck: 'custom' as const, customDeck: ['1', '2'], roundTimerSeconds: 15 };
    given()
      .when(createSession, { name: 'Sprint 12', settings, displayName: 'Fay' }, fay, reserved)
      .then(
        { type: 'SessionCreated', data: { ...creation, settings: { ...DEFAULTS, ...settings } } },
        { type: 'ParticipantJoined', data: { ...joining, displayName: 'Fay', role: 'facilitator' } },
      );
  });
  t.test('needs a name of 1 to 100 characters', async () => {
    for (const name of ['', '   ', 'x'.repeat(101)])
      given().when(createSession, { name }, fay, reserved).rejected('input-invalid', 'name');
  });
  t.test('needs own cards for the custom deck, and for that alone', async () => {
    const name = 'Sprint 12';
    for (const settings of [{ deck: 'custom' }, { deck: 't_shirt', customDeck: ['1', '2'] }] as const)
      given()
        .when(createSession, { name, settings: { ...settings } as never }, fay, reserved)
        .rejected('input-invalid', 'settings.customDeck');
    given()
      .when(createSession, { name, settings: { deck: 'custom', customDeck: ['1', '1'] } }, fay, reserved)
      .rejected('input-invalid', 'settings.customDeck');
  });
  t.test('knows timers of 0 and of 15 to 900 seconds', async () => {
    for (const roundTimerSeconds of [-1, 1, 14, 901, 1.5])
      given()
        .when(createSession, { name: 'Sprint 12', settings: { roundTimerSeconds } }, fay, reserved)
        .rejected('input-invalid', 'settings.roundTimerSeconds');
  });
  t.test('is refused without a code, and twice', async () => {
    given().when(createSession, { name: 'Sprint 12' }, fay, {}).rejected('code-not-reserved');
    given(...lobby())
      .when(createSession, { name: 'Sprint 12' }, fay, reserved)
      .rejected('session-exists');
  });
});

t.test('joining a session', async (t) => {
  t.test('makes a voter', async () =>
    given(...lobby())
      .when(joinSession, { sessionId }, vic)
      .then(joined(vic)),
  );
  t.test('makes an observer of who asks for it', async () =>
    given(...lobby())
      .when(joinSession, { sessionId, asObserver: true }, obi)
      .then(joined(obi, 'observer')),
  );
  t.test('keeps the name chosen for the session out of the state', async () => {
    const named = { ...joined(vic), data: { ...joined(vic).data, displayName: 'Vic of the team' } };
    given(...lobby())
      .when(joinSession, { sessionId, displayName: 'Vic of the team' }, vic)
      .then(named);
  });
  t.test('changes nothing for who is in it', async () =>
    given(...peopled())
      .when(joinSession, { sessionId, asObserver: true }, vic)
      .nothing(),
  );
  t.test('brings back who left, as a voter', async () =>
    given(...peopled(), left(vic))
      .when(joinSession, { sessionId }, vic)
      .then(rejoined(vic)),
  );
  t.test('makes the first non-observer facilitator when there is none', async () => {
    const idle = [...lobby(), left(fay)];
    given(...idle)
      .when(joinSession, { sessionId }, vic)
      .then(joined(vic, 'facilitator'));
    given(...idle)
      .when(joinSession, { sessionId }, fay)
      .then(rejoined(fay, 'facilitator'));
    given(...idle, joined(obi, 'observer'))
      .when(joinSession, { sessionId }, vic)
      .then(joined(vic, 'facilitator'));
  });
  t.test('is refused to who was removed', async () =>
    given(...peopled(), removed(vic))
      .when(joinSession, { sessionId }, vic)
      .rejected('removed'),
  );
  t.test('is refused to observers where none are allowed', async () =>
    given(...lobby({ allowObservers: false }))
      .when(joinSession, { sessionId, asObserver: true }, obi)
      .rejected('observers-not-allowed'),
  );
  t.test('is refused to the fifty-first', async () => {
    const crowd = Array.from({ length: 49 }, (_, index) => joined(user(id(`guest ${index}`))));
    given(...lobby(), ...crowd)
      .when(joinSession, { sessionId }, eve)
      .rejected('session-full');
    given(...lobby(), ...crowd.slice(1))
      .when(joinSession, { sessionId }, eve)
      .then(joined(eve));
  });
  t.test('is refused once the session is closed', async () => {
    given(...peopled(), completed())
      .when(joinSession, { sessionId }, eve)
      .rejected('session-closed');
    given(...peopled(), completed())
      .when(joinSession, { sessionId }, vic)
      .rejected('session-closed');
    given(...peopled(), completed(), archived)
      .when(joinSession, { sessionId }, vic)
      .rejected('session-closed');
  });
  t.test('needs a session and an id or code', async () => {
    given().when(joinSession, { sessionId }, vic).rejected('session-unknown');
    given().when(joinSession, {}, vic).rejected('input-invalid', 'code');
    given().when(joinSession, { sessionId: 'no-uuid' }, vic).rejected('input-invalid', 'sessionId');
  });
});

t.test('being withdrawn, because the account was closed', async (t) => {
  const of = ({ id: participantId }: { readonly id: string }) => ({ sessionId, participantId });
  t.test('is like leaving, for whoever is there', async () => {
    given(...peopled())
      .when(withdrawParticipant, of(vic), system)
      .then(left(vic));
    given(...peopled())
      .when(withdrawParticipant, of(fay), system)
      .then(left(fay), handedOver(fay, vic, 'left'));
  });
  t.test('changes nothing for outsiders, those who left, and in closed sessions', async () => {
    for (const [past, somebody] of [
      [[], vic],
      [peopled(), eve],
      [[...peopled(), left(vic)], vic],
      [[...peopled(), removed(vic)], vic],
      [[...peopled(), completed()], vic],
    ] as const)
      given(...past)
        .when(withdrawParticipant, of(somebody), system)
        .nothing();
  });
});

t.test('leaving a session', async (t) => {
  t.test('works once', async () => {
    given(...peopled())
      .when(leaveSession, { sessionId }, vic)
      .then(left(vic));
    given(...peopled(), left(vic))
      .when(leaveSession, { sessionId }, vic)
      .rejected('not-in-session');
  });
  t.test('drops the unrevealed card', async (t) => {
    const { state } = given(...voting(), cast(vic, '5')).when(leaveSession, { sessionId }, vic);
    t.strictSame(state.round?.votes, {});
  });
  t.test('hands over to the voter longest there', async (t) => {
    const { then, state } = given(...peopled()).when(leaveSession, { sessionId }, fay);
    then(left(fay), handedOver(fay, vic, 'left'));
    t.equal(state.facilitatorId, vic.id);
    given(...peopled(), left(vic), rejoined(vic))
      .when(leaveSession, { sessionId }, fay)
      .then(left(fay), handedOver(fay, wim, 'left'));
  });
  t.test('hands over to an observer when no voter is there', async () =>
    given(...lobby(), joined(obi, 'observer'))
      .when(leaveSession, { sessionId }, fay)
      .then(left(fay), handedOver(fay, obi, 'left')),
  );
  t.test('leaves the session idle when the last one goes', async (t) => {
    const { then, state } = given(...lobby()).when(leaveSession, { sessionId }, fay);
    then(left(fay));
    t.equal(state.facilitatorId, null);
  });
  t.test('is refused to outsiders, to removed people, and when closed', async () => {
    given().when(leaveSession, { sessionId }, vic).rejected('session-unknown');
    given(...peopled())
      .when(leaveSession, { sessionId }, eve)
      .rejected('session-unknown');
    given(...peopled(), removed(vic))
      .when(leaveSession, { sessionId }, vic)
      .rejected('session-unknown');
    given(...peopled(), completed())
      .when(leaveSession, { sessionId }, vic)
      .rejected('session-closed');
  });
});

t.test('removing a participant', async (t) => {
  const remove = (who: typeof vic) => ({ sessionId, participantId: who.id });
  t.test('turns out and drops the card', async (t) => {
    const { then, state } = given(...voting(), cast(vic, '5')).when(removeParticipant, remove(vic), fay);
    then(removed(vic));
    t.strictSame(state.round?.votes, {});
  });
  t.test('bars who has left from coming back', async () =>
    given(...peopled(), left(vic))
      .when(removeParticipant, remove(vic), fay)
      .then(removed(vic)),
  );
  t.test('changes nothing the second time', async () =>
    given(...peopled(), removed(vic))
      .when(removeParticipant, remove(vic), fay)
      .nothing(),
  );
  t.test('is the facilitator’s, and not about himself', async () => {
    given(...peopled())
      .when(removeParticipant, remove(wim), vic)
      .rejected('not-facilitator');
    given(...peopled())
      .when(removeParticipant, remove(fay), fay)
      .rejected('own-removal');
    given(...peopled())
      .when(removeParticipant, remove(eve), fay)
      .rejected('participant-unknown');
    given(...peopled())
      .when(removeParticipant, remove(vic), eve)
      .rejected('session-unknown');
    given(...peopled(), completed())
      .when(removeParticipant, remove(vic), fay)
      .rejected('session-closed');
  });
});

t.test('transferring the session', async (t) => {
  const to = (who: typeof vic) => ({ sessionId, participantId: who.id });
  t.test('makes the former facilitator a voter', async (t) => {
    const { then, state } = given(...peopled()).when(transferFacilitator, to(obi), fay);
    then(handedOver(fay, obi, 'transfer'));
    t.match(state.participants, { [fay.id]: { role: 'voter' }, [obi.id]: { role: 'facilitator' } });
  });
  t.test('changes nothing when it is his already', async () =>
    given(...peopled())
      .when(transferFacilitator, to(fay), fay)
      .nothing(),
  );
  t.test('is refused to others and towards who is not there', async () => {
    given(...peopled())
      .when(transferFacilitator, to(vic), vic)
      .rejected('not-facilitator');
    given(...peopled())
      .when(transferFacilitator, to(eve), fay)
      .rejected('participant-unknown');
    given(...peopled(), left(vic))
      .when(transferFacilitator, to(vic), fay)
      .rejected('not-in-session');
    given(...peopled(), completed())
      .when(transferFacilitator, to(vic), fay)
      .rejected('session-closed');
  });
});

t.test('changing a role', async (t) => {
  const make = (who: typeof vic, role: 'facilitator' | 'voter' | 'observer') => ({
    sessionId,
    participantId: who.id,
    role,
  });
  t.test('is for oneself and for the facilitator', async () => {
    given(...peopled())
      .when(changeParticipantRole, make(vic, 'observer'), vic)
      .then(roleChanged(vic, 'observer'));
    given(...peopled())
      .when(changeParticipantRole, make(vic, 'observer'), fay)
      .then(roleChanged(vic, 'observer'));
    given(...peopled())
      .when(changeParticipantRole, make(vic, 'observer'), wim)
      .rejected('not-facilitator');
  });
  t.test('drops the card of a voter who turns observer', async (t) => {
    const { state } = given(...voting(), cast(vic, '5')).when(changeParticipantRole, make(vic, 'observer'), vic);
    t.strictSame(state.round?.votes, {});
  });
  t.test('changes nothing when it is the same', async () =>
    given(...peopled())
      .when(changeParticipantRole, make(vic, 'voter'), vic)
      .nothing(),
  );
  t.test('hands over with the role of facilitator', async () =>
    given(...peopled())
      .when(changeParticipantRole, make(vic, 'facilitator'), fay)
      .then(handedOver(fay, vic, 'transfer')),
  );
  t.test('gives an idle session its facilitator', async () =>
    given(...lobby(), left(fay), joined(obi, 'observer'))
      .when(changeParticipantRole, make(obi, 'voter'), obi)
      .then(roleChanged(obi, 'facilitator')),
  );
  t.test('is refused where it cannot be', async () => {
    given(...peopled())
      .when(changeParticipantRole, make(fay, 'observer'), fay)
      .rejected('facilitator-needed');
    given(...peopled())
      .when(changeParticipantRole, make(eve, 'observer'), fay)
      .rejected('participant-unknown');
    given(...peopled())
      .when(changeParticipantRole, make(vic, 'observer'), eve)
      .rejected('session-unknown');
    given(...peopled(), left(vic))
      .when(changeParticipantRole, make(vic, 'observer'), fay)
      .rejected('not-in-session');
    given(...peopled(), completed())
      .when(changeParticipantRole, make(vic, 'observer'), vic)
      .rejected('session-closed');
    given(...peopled({ allowObservers: false }))
      .when(changeParticipantRole, make(vic, 'observer'), vic)
      .rejected('observers-not-allowed');
  });
  t.test('hears the same refusals in the same order as who joins', async () => {
    const strict = peopled({ allowObservers: false });
    given(...strict, completed())
      .when(changeParticipantRole, make(vic, 'observer'), vic)
      .rejected('session-closed');
    given(...strict, completed())
      .when(joinSession, { sessionId, asObserver: true }, eve)
      .rejected('session-closed');
    given(...strict)
      .when(changeParticipantRole, make(obi, 'observer'), obi)
      .nothing();
    given(...strict)
      .when(joinSession, { sessionId, asObserver: true }, obi)
      .nothing();
  });
});

t.test('changing settings', async (t) => {
  t.test('merges them', async () =>
    given(...lobby({ autoReveal: true }))
      .when(updateSessionSettings, { sessionId, settings: { deck: 't_shirt' } }, fay)
      .then(updated({ autoReveal: true, deck: 't_shirt' })),
  );
  t.test('changes nothing when nothing differs', async () => {
    given(...lobby())
      .when(updateSessionSettings, { sessionId }, fay)
      .nothing();
    given(...lobby())
      .when(updateSessionSettings, { sessionId, name: 'Sprint 12', description: '', settings: DEFAULTS }, fay)
      .nothing();
  });
  t.test('drops own cards with the custom deck', async () =>
    given(...lobby({ deck: 'custom', customDeck: ['1', '2'] }))
      .when(updateSessionSettings, { sessionId, settings: { deck: 'fibonacci' } }, fay)
      .then(updated({})),
  );
  t.test('keeps the deck while a round is open', async () => {
    given(...voting())
      .when(updateSessionSettings, { sessionId, settings: { deck: 't_shirt' } }, fay)
      .rejected('round-open');
    given(...voting())
      .when(updateSessionSettings, { sessionId, settings: { anonymousVotes: true } }, fay)
      .then(updated({ anonymousVotes: true }));
  });
  t.test('needs cards for the custom deck', async () => {
    given(...lobby())
      .when(updateSessionSettings, { sessionId, settings: { deck: 'custom' } }, fay)
      .rejected('deck-unusable', 'settings.customDeck');
    given(...lobby())
      .when(updateSessionSettings, { sessionId, settings: { customDeck: ['1', '2'] } }, fay)
      .rejected('deck-unusable', 'settings.customDeck');
  });
  t.test('is the facilitator’s while the session is open', async () => {
    const change = { sessionId, name: 'Sprint 13' };
    given(...peopled())
      .when(updateSessionSettings, change, vic)
      .rejected('not-facilitator');
    given(...peopled())
      .when(updateSessionSettings, change, eve)
      .rejected('session-unknown');
    given(...peopled(), left(vic))
      .when(updateSessionSettings, change, vic)
      .rejected('left-session');
    given(...peopled(), completed())
      .when(updateSessionSettings, change, fay)
      .rejected('session-closed');
    given(...peopled(), completed())
      .when(updateSessionSettings, change, vic)
      .rejected('not-facilitator');
  });
});
