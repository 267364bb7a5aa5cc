import t from 'tap';
import { sharedService } from '../../support/service.ts';
import { after, done, room, story, voting } from './room.ts';

type Listed = { readonly id: string; readonly title: string; readonly order: number };
const CSV = { 'content-type': 'text/csv' };

t.test('the stories of a session', async (t) => {
  const { user } = await sharedService();
  const [fay, vic, eve] = await Promise.all([user('Fay'), user('Vic'), user('Eve')]);
  const listed = async (at: string, query = ''): Promise<readonly Listed[]> =>
    done(await fay.get(`${at}/stories?limit=100${query}`)).stories;
  const titles = async (at: string) => (await listed(at)).map(({ title, order }) => `${order} ${title}`);

  t.test('are rewritten, and keep what is left out', async (t) => {
    const session = await room(fay, [vic]);
    const on = await story(fay, session);
    const text = { description: 'As a user\nI log in', externalRef: 'SHOP-12', url: 'https://example.org/12' };
    t.match(done(await fay.patch(on, text)), { ...text, title: 'Log in by e-mail', version: 1 });
    t.match(done(await fay.patch(on, { title: 'Log in', url: null })), { ...text, title: 'Log in', url: null });
    t.match((await listed(session.at))[0], { ...text, title: 'Log in', url: null });
    t.match(done(await vic.get(`${on}/result`)).story, { title: 'Log in', description: text.description });
    t.equal((await fay.patch(on, { title: 'Log in' })).headers.get('etag'), '"2"', 'the same again changes nothing');
    t.match(await fay.patch(on, { title: '' }), { status: 422, body: { error: { details: [{ field: 'title' }] } } });
    t.match(await fay.patch(on, { url: 'http://example.org' }), { status: 422 });
    t.equal((await vic.patch(on, { title: 'Mine' })).status, 403);
    t.equal((await eve.patch(on, { title: 'Mine' })).status, 404);
  });

  t.test('stay as they are while they are voted on', async (t) => {
    const { on } = await voting(fay, [vic]);
    t.match(await fay.patch(on, { title: 'Log in' }), { status: 409, body: { error: { reason: 'round-open' } } });
    t.equal((await fay.delete(on)).status, 409);
  });

  t.test('are removed, with what came of them', async (t) => {
    const { at, on } = await voting(fay, [vic]);
    done(await vic.put(`${on}/vote`, { value: '5' }));
    done(await fay.post(`${on}/reveal`));
    done(await fay.put(`${on}/estimate`, { value: '5' }));
    done(await fay.post(`${at}/stories`, { title: 'Log out' }));
    t.equal((await vic.delete(on)).status, 403);
    const removed = await fay.delete(on);
    t.equal(removed.status, 200);
    t.equal((await fay.delete(on)).status, 404);
    t.strictSame(await titles(at), ['1 Log out']);
    t.equal((await vic.get(`${on}/result`, after(removed))).status, 404);
    t.match(done(await vic.get(`${at}/status`)), { status: 'lobby', currentStory: null, votes: null });
    t.match(done(await vic.get(`${at}/summary`)), { totals: { stories: 1, estimated: 0, points: 0 } });
    const history = done(await vic.get(`${at}/history?limit=50`)).items.map(
      ({ summary }: { summary: string }) => summary,
    );
    t.ok(history.includes('accepted 5 for Log in by e-mail'), 'the history still calls it by its title');
    t.equal(history.at(-1), 'removed the story Log in by e-mail');
  });

  t.test('are put in another order by the list of them all', async (t) => {
    const session = await room(fay, [vic]);
    for (const title of ['one', 'two', 'three']) await story(fay, session, title);
    const ids = (await listed(session.at)).map(({ id }) => id);
    const order = { storyIds: ids.toReversed() };
    t.equal((await vic.put(`${session.at}/stories/order`, order)).status, 403);
    t.match(
      done(await fay.put(`${session.at}/stories/order`, order)).stories.map(({ title }: Listed) => title),
      ['three', 'two', 'one'],
    );
    t.strictSame(await titles(session.at), ['1 three', '2 two', '3 one']);
    t.match(done(await fay.get(session.at)).stories[0], { title: 'three', order: 1 });
    for (const storyIds of [ids.slice(1), [...ids, ids[0]], [ids[0], ids[0], ids[1]], ['nonsense']])
      t.match(await fay.put(`${session.at}/stories/order`, { storyIds }), {
        status: 422,
        body: { error: { details: [{ field: /^storyIds/ }] } },
      });
    done(await fay.delete(`${session.at}/stories/${ids[1]}`));
    await story(fay, session, 'four');
    t.strictSame(await titles(session.at), ['1 three', '2 one', '3 four']);
    t.match(done(await fay.get(`${session.at}/stories?limit=1&page=2`)), {
      stories: [{ title: 'one', order: 2 }],
      pagination: { total: 3, pages: 3 },
    });
  });

  t.test('come in many at once as JSON, all or none', async (t) => {
    const { at } = await room(fay, [vic], { whoCanAddStories: 'everyone' });
    t.equal((await vic.post(`${at}/stories`, { title: 'Mine' })).status, 201, 'everybody may add one');
    t.equal((await vic.post(`${at}/stories`, { stories: [{ title: 'Mine' }] })).status, 403, 'but not import');
    const stories = [{ title: 'one' }, { title: 'two', externalRef: 'SHOP-2' }];
    const key = { 'idempotency-key': 'import-once' };
    const imported = await fay.post(`${at}/stories`, { stories }, key);
    t.match(imported, { status: 201, body: { data: { stories: [{ title: 'one', order: 2 }, { order: 3 }] } } });
    t.strictSame(
      (await fay.post(`${at}/stories`, { stories }, key)).body,
      imported.body,
      'the same key, the same answer',
    );
    const wrong = await fay.post(`${at}/stories`, { stories: [{ title: 'fine' }, { title: ' ' }] });
    t.match(wrong, { status: 422, body: { error: { details: [{ field: 'stories.1.title' }] } } });
    t.match(await fay.post(`${at}/stories`, { stories: [] }), { status: 422 });
    t.match(await fay.post(`${at}/stories`, {}), { status: 422, body: { error: { details: [{ field: 'title' }] } } });
    t.equal((await fay.post(`${at}/stories`, [])).status, 422);
    t.equal((await eve.post(`${at}/stories`, { stories })).status, 404);
    const hundred = Array.from({ length: 100 }, (_, index) => ({ title: `Story ${index}` }));
    t.match(await fay.post(`${at}/stories`, { stories: [...hundred, { title: 'more' }] }), { status: 422 });
    t.equal((await fay.post(`${at}/stories`, { stories: hundred })).status, 201);
    t.match(await fay.post(`${at}/stories`, { stories: hundred }), {
      status: 409,
      body: { error: { reason: 'too-many-stories' } },
    });
    t.equal((await listed(at)).length, 100);
    t.equal(done(await fay.get(at)).stories.length, 103);
  });

  t.test('come in as CSV', async (t) => {
    const send = (at: string, text: string | Buffer, by = fay) => by.post(`${at}/stories`, text.toString(), CSV);

    t.test('as spreadsheets write it', async (t) => {
      const { at } = await room(fay, []);
      const file =
        '\uFEFFTitle,Description,Story points,external_ref,URL\r\n' +
        '"Log in, by e-mail","As a user\r\nI ""log"" in",3,SHOP-12,https://example.org/12\r\n' +
        '\r\n' +
        'Log out,,,,\r\n';
      t.match(await send(at, file), {
        status: 201,
        body: {
          data: {
            stories: [
              {
                title: 'Log in, by e-mail',
                description: 'As a user\nI "log" in',
                externalRef: 'SHOP-12',
                url: 'https://example.org/12',
              },
              { title: 'Log out', description: null, externalRef: null, url: null },
            ],
          },
        },
      });
      const semicolons = await send(at, 'externalRef;title\n1,5;"half; a point"\n');
      t.match(semicolons.body.data.stories, [{ title: 'half; a point', externalRef: '1,5' }]);
      t.equal((await send(at, 'title\rold Macintosh\rlines')).body.data.stories.length, 2);
    });

    t.test('or none of it, told which line and field is wrong', async (t) => {
      const { at } = await room(fay, [vic]);
      const cases: readonly (readonly [string, number, string, RegExp])[] = [
        ['', 422, 'title', /is missing|empty/],
        ['name\nLog in', 422, 'title', /Line 1: .*no title/],
        ['title,title\na,b', 422, 'title', /Line 1: .*two columns/],
        ['title\n', 422, 'stories', /one story/],
        ['title,url\nfine,\n"two\nlines",\nbad,ftp://example.org', 422, 'stories.1.title', /Line 3: /],
        ['title,url\nfine,\n\nbad,ftp://example.org', 422, 'stories.1.url', /Line 4: .*https/],
        [`title\nfine\n${'x'.repeat(201)}`, 422, 'stories.1.title', /Line 3: At most 200/],
        ['title,url\nfine,\n,https://example.org', 422, 'stories.1.title', /Line 3: Must not be empty/],
        ['title\nfine\none,two', 422, '', /Line 3: .*more cells/],
      ];
      for (const [text, status, field, message] of cases) {
        const answer = await send(at, text);
        t.match(answer, { status }, text);
        t.ok(
          answer.body.error.details.some(
            (one: { field: string; message: string }) => one.field === field && message.test(one.message),
          ),
          `${text}: ${JSON.stringify(answer.body.error.details)}`,
        );
      }
      for (const text of ['title\nfine\n"open', 'title\nfine\nmid"dle"', 'title\nfine\n"a"b'])
        t.match(
          await send(at, text),
          { status: 400, body: { error: { reason: 'csv-unreadable', message: /Line 3/ } } },
          text,
        );
      t.equal((await listed(at)).length, 0, 'nothing came in');
      t.equal((await send(at, 'title\nmine', vic)).status, 403);
      t.equal((await send(at, 'title\nmine', eve)).status, 404);
      t.equal((await fay.post(`${at}/join`, 'title\nx', CSV)).status, 415, 'and nowhere else');
      t.equal((await send(at, `title\n${'x'.repeat(1_048_576)}`)).status, 413);
    });
  });
});
