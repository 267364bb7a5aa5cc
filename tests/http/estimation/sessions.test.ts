import { parse } from 'csv-parse/sync';
import t from 'tap';
import { type Client, eventually, sharedService } from '../../support/service.ts';
import { after, done, latest, room, story, voting } from './room.ts';

t.test('estimation sessions', async (t) => {
  const { user, admin, anonymous } = await sharedService();
  const [fay, vic, wim, eve] = await Promise.all([user('Fay'), user('Vic'), user('Wim'), user('Eve')]);

  t.test('play with a deck of their choice', async (t) => {
    const created = async (settings: object) => fay.post('/sessions', { name: 'Decks', settings });
    t.strictSame(done(await created({})).settings, {
      deck: 'fibonacci',
      autoReveal: false,
      allowObservers: true,
      roundTimerSeconds: 0,
      anonymousVotes: false,
      whoCanAddStories: 'facilitator',
    });
    const cards: Readonly<Record<string, readonly string[]>> = {
      fibonacci: ['0', '89', '?', 'coffee'],
      modified_fibonacci: ['0.5', '100', 'coffee'],
      t_shirt: ['XS', 'XXL', '?'],
      powers_of_two: ['64', '?'],
      custom: ['tiny', 'huge'],
    };
    const { at, on } = await voting(fay, [vic]);
    for (const [deck, playable] of Object.entries(cards)) {
      done(await fay.post(`${on}/skip`));
      const own = deck === 'custom' ? { customDeck: cards.custom } : {};
      t.match(done(await fay.patch(at, { settings: { deck, ...own } })).settings, { deck, ...own });
      done(await fay.post(`${on}/open`));
      for (const value of playable) t.equal((await vic.put(`${on}/vote`, { value })).status, 200, `${deck} ${value}`);
      t.equal((await vic.put(`${on}/vote`, { value: '7' })).status, 422, deck);
    }
    t.match(await fay.patch(at, { settings: { deck: 't_shirt' } }), {
      status: 409,
      body: { error: { reason: 'round-open' } },
    });
    t.equal((await fay.patch(at, { settings: { autoReveal: true } })).status, 200, 'what is not the deck may change');
  });

  t.test('take settings that are any, and merge them', async (t) => {
    const { at } = await room(fay, [vic]);
    const refused: readonly (readonly [object, string])[] = [
      [{ deck: 'custom' }, 'settings.customDeck'],
      [{ customDeck: ['1', '2'] }, 'settings.customDeck'],
      [{ deck: 'custom', customDeck: ['1'] }, 'settings.customDeck'],
      [{ deck: 'custom', customDeck: ['1', '1'] }, 'settings.customDeck'],
      [{ deck: 'custom', customDeck: ['1', '123456789'] }, 'settings.customDeck.1'],
      [{ deck: 'custom', customDeck: Array.from({ length: 21 }, (_, index) => `${index}`) }, 'settings.customDeck'],
      [{ deck: 'tarot' }, 'settings.deck'],
      [{ roundTimerSeconds: 14 }, 'settings.roundTimerSeconds'],
      [{ roundTimerSeconds: 901 }, 'settings.roundTimerSeconds'],
      [{ whoCanAddStories: 'nobody' }, 'settings.whoCanAddStories'],
    ];
    for (const [settings, field] of refused) {
      t.match(await fay.patch(at, { settings }), { status: 422, body: { error: { details: [{ field }] } } }, field);
      t.match(await fay.post('/sessions', { name: 'x', settings }), {
        status: 422,
        body: { error: { details: [{ field }] } },
      });
    }
    t.equal((await vic.patch(at, { name: 'Mine' })).status, 403);
    const own = { deck: 'custom', customDeck: ['S', 'M'] };
    done(await fay.patch(at, { settings: own }));
    t.match(done(await fay.patch(at, { name: 'Sprint 13', settings: { roundTimerSeconds: 900 } })), {
      name: 'Sprint 13',
      settings: { ...own, roundTimerSeconds: 900 },
    });
    const back = done(await fay.patch(at, { settings: { deck: 'fibonacci' } }));
    t.notOk('customDeck' in back.settings);
  });

  t.test('admit observers where they are set to, with the same answers on joining and on changing role', async (t) => {
    const { at } = await room(fay, [vic], { allowObservers: false });
    const refusal = { status: 403, body: { error: { code: 'FORBIDDEN', reason: 'observers-not-allowed' } } };
    t.match(await wim.post(`${at}/join`, { asObserver: true }), refusal);
    t.match(await vic.patch(`${at}/participants/${vic.accountId}`, { role: 'observer' }), refusal);
    done(await fay.patch(at, { settings: { allowObservers: true } }));
    t.equal(done(await wim.post(`${at}/join`, { asObserver: true })).role, 'observer');
    t.match(done(await vic.patch(`${at}/participants/${vic.accountId}`, { role: 'observer' })), {
      id: vic.accountId,
      role: 'observer',
      displayName: 'Vic',
    });
    done(await fay.patch(at, { settings: { allowObservers: false } }));
    t.equal((await wim.post(`${at}/join`, { asObserver: true })).status, 200, 'who is in it already stays');
    t.equal((await vic.patch(`${at}/participants/${vic.accountId}`, { role: 'observer' })).status, 200);
    done(await fay.post(`${at}/complete`));
    for (const late of [
      await eve.post(`${at}/join`, { asObserver: true }),
      await vic.patch(`${at}/participants/${vic.accountId}`, { role: 'voter' }),
    ])
      t.match(late, { status: 409, body: { error: { reason: 'session-closed' } } });
  });

  t.test('hand over as facilitators come and go', async (t) => {
    const { at } = await room(fay, [vic, wim]);
    const roles = async (by: Client) =>
      Object.fromEntries(
        done(await by.get(`${at}/status`)).participants.map(({ displayName, role }: Record<string, string>) => [
          displayName,
          role,
        ]),
      );
    t.equal((await vic.patch(`${at}/participants/${vic.accountId}`, { role: 'facilitator' })).status, 403);
    done(await fay.patch(`${at}/participants/${vic.accountId}`, { role: 'facilitator' }));
    t.strictSame(await roles(fay), { Fay: 'voter', Vic: 'facilitator', Wim: 'voter' });
    const left = await vic.post(`${at}/leave`);
    t.strictSame(
      (await fay.get(`${at}/status`, after(left))).body.data.facilitatorId,
      fay.accountId,
      'the longest there',
    );
    t.equal(done(await vic.post(`${at}/join`)).role, 'voter', 'who comes back is a voter');
    done(await wim.patch(`${at}/participants/${wim.accountId}`, { role: 'observer' }));
    done(await vic.post(`${at}/leave`));
    done(await fay.post(`${at}/leave`));
    t.strictSame(await roles(wim), { Wim: 'facilitator' }, 'else an observer');
    done(await wim.post(`${at}/leave`));
    t.match(done(await wim.get(`${at}/status`)), { facilitatorId: null, participants: [] }, 'the last one out');
    t.equal(done(await eve.post(`${at}/join`, { asObserver: true })).role, 'observer');
    t.equal(done(await vic.post(`${at}/join`)).role, 'facilitator', 'the first who is no observer');
  });

  t.test('are read-only for who left, and unknown to who was removed', async (t) => {
    const { at, on } = await voting(fay, [vic, wim]);
    done(await vic.put(`${on}/vote`, { value: '5' }));
    done(await vic.post(`${at}/leave`));
    t.equal(done(await fay.get(`${at}/status`)).votesCast, 0, 'the open vote is dropped');
    t.match(await vic.put(`${on}/vote`, { value: '5' }), { status: 403, body: { error: { reason: 'left-session' } } });
    t.equal((await vic.post(`${at}/leave`)).status, 409);
    for (const path of ['', '/status', '/stories', '/history', '/summary', '/summary?format=csv'])
      t.equal((await vic.get(`${at}${path}`)).status, 200, path);
    const removed = await fay.delete(`${at}/participants/${wim.accountId}`);
    t.equal(removed.status, 200);
    t.equal((await fay.delete(`${at}/participants/${fay.accountId}`)).status, 409);
    t.equal((await fay.delete(`${at}/participants/${eve.accountId}`)).status, 404);
    for (const outsider of [wim, eve]) {
      for (const path of ['', '/status', '/stories', '/history', '/summary', '/summary?format=csv'])
        t.equal((await outsider.get(`${at}${path}`, after(removed))).status, 404, path);
      for (const [method, path, body] of [
        ['PUT', `${on}/vote`, { value: '5' }],
        ['DELETE', `${on}/vote`, undefined],
        ['POST', `${on}/reveal`, undefined],
        ['PATCH', at, { name: 'Mine' }],
        ['POST', `${at}/leave`, undefined],
        ['POST', `${at}/complete`, undefined],
        ['PUT', `${at}/stories/order`, { storyIds: [] }],
      ] as const)
        t.equal((await outsider.call(method, path, body)).status, 404, `${method} ${path}`);
    }
    t.equal((await wim.post(`${at}/join`)).status, 403);
    const all = await admin();
    t.equal((await all.get(`${at}/status`)).status, 200, 'administrators read');
    t.equal((await all.post(`${on}/reveal`)).status, 404, 'and do nothing else');
  });

  t.test('take fifty people, however fast they come', async (t) => {
    const { at } = await room(fay, []);
    const people = await Promise.all(Array.from({ length: 50 }, (_, index) => user(`Person ${index}`)));
    const joined = await Promise.all(people.map((person) => person.post(`${at}/join`)));
    t.equal(joined.filter(({ status }) => status === 200).length, 49);
    t.match(
      joined.find(({ status }) => status !== 200),
      { status: 409, body: { error: { reason: 'session-full' } } },
    );
    t.equal(done(await fay.get(`${at}/status`)).participants.length, 50);
    const inside = people.filter((_, index) => joined[index]?.status === 200);
    const on = await story(fay, { id: '', code: '', at });
    done(await fay.post(`${on}/open`));
    const votes = await Promise.all(inside.map((person) => person.put(`${on}/vote`, { value: '8' })));
    t.ok(
      votes.every(({ status }) => status === 200),
      'and all of their votes',
    );
    const counted = await fay.get(`${at}/status`, latest(votes));
    t.match(done(counted), { votesCast: 49, votersExpected: 49 });
    done(await (inside[0] as Client).post(`${at}/leave`));
    t.equal((await vic.post(`${at}/join`)).status, 200, 'a place that is free again');
  });

  t.test('are listed by what they are to the caller', async (t) => {
    const host = await user('Host');
    const guest = await user('Guest');
    const make = async (name: string) => done(await host.post('/sessions', { name }));
    const [alpha, beta, gamma] = [await make('Alpha 100%'), await make('Beta'), await make('Gamma')];
    for (const { id } of [alpha, beta]) done(await guest.post(`/sessions/${id}/join`));
    done(await guest.post(`/sessions/${beta.id}/leave`));
    done(await host.post(`/sessions/${gamma.id}/complete`));
    const names = async (by: Client, query = '') =>
      done(await by.get(`/sessions?${query}`)).sessions.map(({ name }: { name: string }) => name);
    t.strictSame(await names(host), ['Gamma', 'Beta', 'Alpha 100%'], 'what happened last comes first');
    t.strictSame(await names(host, 'sort=name&order=asc'), ['Alpha 100%', 'Beta', 'Gamma']);
    t.strictSame(await names(host, 'sort=createdAt&order=asc&limit=1&page=2'), ['Beta']);
    t.strictSame(await names(host, 'q=100%25'), ['Alpha 100%']);
    t.strictSame(await names(host, 'q=_eta'), []);
    t.strictSame(await names(host, `q=${beta.code.toLowerCase()}`), ['Beta']);
    t.strictSame(await names(host, 'status=completed'), ['Gamma']);
    t.strictSame(await names(guest, 'role=voter'), ['Beta', 'Alpha 100%'], 'left ones too');
    t.strictSame(await names(guest, 'role=facilitator'), []);
    done(await host.post(`/sessions/${gamma.id}/archive`));
    t.strictSame(await names(host), ['Beta', 'Alpha 100%']);
    t.strictSame(await names(host, 'archived=true'), ['Gamma']);
    for (const query of ['status=unknown', 'sort=code', 'archived=maybe', 'limit=51', 'page=0', 'role=host'])
      t.equal((await host.get(`/sessions?${query}`)).status, 422, query);
    t.equal((await anonymous.get('/sessions')).status, 401);
  });

  t.test('are left by who closes the account', async (t) => {
    const host = await user('Host');
    const session = await room(host, [vic]);
    const on = await story(host, session);
    done(await host.post(`${on}/open`));
    done(await host.put(`${on}/vote`, { value: '5' }));
    done(await host.delete('/users/me', { password: 'Correct-horse-7' }));
    const status = await eventually(
      async () => done(await vic.get(`${session.at}/status`)),
      ({ facilitatorId }) => facilitatorId === vic.accountId,
    );
    t.match(status, { votesCast: 0, participants: [{ id: vic.accountId, role: 'facilitator' }] });

    const other = await user('Other');
    const second = await room(vic, [other]);
    done(await other.delete('/users/me/personal-data', { confirm: other.email, password: 'Correct-horse-7' }));
    await eventually(
      async () => done(await vic.get(`${second.at}/status`)),
      ({ participants }) => participants.length === 1,
    );
  });

  t.test('come to results that spreadsheets read, and none that they run', async (t) => {
    const session = await room(fay, [vic, wim]);
    const { at } = session;
    const named = await story(fay, session, '=HYPERLINK("https://evil.example")');
    const secret = await story(fay, session, 'Quotes "and", commas; Ünïcode');
    const untouched = await story(fay, session, '-- not voted on');
    done(await fay.patch(named, { externalRef: '@SUM(1)', url: 'https://example.org/1' }));
    const play = async (on: string, cards: readonly (readonly [Client, string])[], estimate: string) => {
      done(await fay.post(`${on}/open`));
      for (const [person, value] of cards) done(await person.put(`${on}/vote`, { value }));
      done(await fay.post(`${on}/reveal`));
      done(await fay.put(`${on}/estimate`, { value: estimate }));
    };
    await play(
      named,
      [
        [vic, '13'],
        [wim, '13'],
      ],
      '13',
    );
    done(await fay.post(`${named}/open`));
    done(await vic.put(`${named}/vote`, { value: '3' }));
    done(await wim.put(`${named}/vote`, { value: '5' }));
    done(await fay.post(`${named}/reveal`));
    done(await fay.put(`${named}/estimate`, { value: '+5' }));
    done(await fay.patch(at, { settings: { anonymousVotes: true } }));
    await play(
      secret,
      [
        [wim, '8'],
        [vic, '1'],
        [fay, '?'],
      ],
      '5',
    );
    done(await fay.patch(at, { settings: { anonymousVotes: false } }));
    const file = await vic.get(`${at}/summary?format=csv`);
    t.match(file.headers.get('content-type'), /^text\/csv/);
    t.match(file.headers.get('content-disposition'), `attachment; filename="session-${session.code}.csv"`);
    t.match(file.body, /\r\n$/);
    const rows = parse(file.body, { bom: true, columns: true }) as Record<string, string>[];
    t.match(rows, [
      {
        order: '1',
        title: `'=HYPERLINK("https://evil.example")`,
        externalRef: `'@SUM(1)`,
        url: 'https://example.org/1',
        status: 'estimated',
        estimate: `'+5`,
        rounds: '2',
        votes: '2',
        average: '4',
        median: '4',
        min: '3',
        max: '5',
        mode: '3; 5',
        consensus: 'false',
        cards: 'Vic: 3; Wim: 5',
      },
      { order: '2', title: 'Quotes "and", commas; Ünïcode', average: '4.5', votes: '3', cards: '1; 8; ?' },
      { order: '3', title: `'-- not voted on`, status: 'pending', estimate: '', votes: '', cards: '' },
    ]);
    t.equal(untouched.startsWith(at), true);
    t.equal((await vic.get(`${at}/summary?format=pdf`)).status, 422);
    t.match(done(await vic.get(`${at}/summary`)), {
      totals: { stories: 3, estimated: 2, points: 5 },
      stories: [{ spread: { min: 3, max: 5, average: 4 }, rounds: 2 }, {}, { spread: null }],
      participants: [{ displayName: 'Fay' }, { displayName: 'Vic' }, { displayName: 'Wim' }],
    });
  });

  t.test('have a history that can be asked for a time and a type', async (t) => {
    const { at, on } = await voting(fay, [vic]);
    done(await vic.put(`${on}/vote`, { value: '5' }));
    done(await fay.post(`${on}/reveal`));
    const items = async (query: string) => done(await vic.get(`${at}/history?${query}`)).items;
    const all = await items('limit=50');
    t.strictSame(
      all.map(({ type }: { type: string }) => type),
      [
        'SessionCreated',
        'ParticipantJoined',
        'ParticipantJoined',
        'StoryAdded',
        'VotingOpened',
        'VoteCast',
        'VotesRevealed',
      ],
    );
    t.match(await items('type=VoteCast'), [{ actor: { displayName: 'Vic' }, summary: /^voted in round 1 of/ }]);
    const from = all[4].at;
    t.equal((await items(`limit=50&from=${from}`)).length, 3);
    t.equal((await items(`limit=50&to=${from}`)).length, 4);
    t.strictSame(await items('page=9'), []);
    for (const query of ['type=Nothing', 'from=yesterday', 'limit=51'])
      t.equal((await vic.get(`${at}/history?${query}`)).status, 422, query);
  });
});
