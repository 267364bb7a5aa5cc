import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { send } from '../../support/send.ts';
import { type Answer, type Client, client, testService } from '../../support/service.ts';
import { openSocket, openStream } from '../live/client.ts';
import { done, latest } from './room.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

/** Cards that occur nowhere else, not even by chance in base64, in deck order. Every one is played once at most, so that it tells who played it. */
const DECK = Array.from({ length: 20 }, (_, index) => `q${String.fromCharCode(97 + index)}9zvkjx`);
const NAMES = 'V1 V2 V3 W1 V4 W2 R1 L1 F2 V5 V6 W3 F1 X1 V7 W7 V8 W8'.split(' ');
const card = (name: string): string => DECK[NAMES.indexOf(name)] ?? '';
const [V1, V2, V3, V4, V5, V6, V7, V8] = ['V1', 'V2', 'V3', 'V4', 'V5', 'V6', 'V7', 'V8'].map(card) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const [W1, W2, W3, W7, W8] = ['W1', 'W2', 'W3', 'W7', 'W8'].map(card) as [string, string, string, string, string];
const [R1, L1, F2, F1, X1] = ['R1', 'L1', 'F2', 'F1', 'X1'].map(card) as [string, string, string, string, string];

/** What finds every one of some texts, which hold nothing that means something in an expression. */
const anyOf = (texts: ReadonlySet<string>): RegExp => new RegExp(texts.size === 0 ? '(?!)' : [...texts].join('|'), 'g');

/** The places in a document where one of the texts stands, a list of the deck itself apart. */
const places = (value: unknown, texts: RegExp, path = ''): readonly string[] => {
  if (typeof value === 'string') return [...new Set(value.match(texts))].map((text) => `${path} ${text}`);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === 'customDeck' ? [] : [...places(key, texts, `${path}(key)`), ...places(item, texts, `${path}.${key}`)],
  );
};

/** The objects of a document that hold one of the cards themselves, and lists of cards in their order. */
const holders = (value: unknown, cards: ReadonlySet<string>): readonly Readonly<Record<string, unknown>>[] => {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.entries(value).some(
    ([key, item]) => key !== 'myVote' && typeof item === 'string' && cards.has(item),
  );
  return [
    ...(own && !Array.isArray(value) ? [value as Record<string, unknown>] : []),
    ...Object.entries(value).flatMap(([key, item]) => (key === 'customDeck' ? [] : holders(item, cards))),
  ];
};

t.test('a face-down card', async (t) => {
  const service = await testService(t);
  const names = ['Fay', 'Vic', 'Wim', 'Obi', 'Lea', 'Rem', 'Eve'] as const;
  const registered = await Promise.all(names.map((name) => service.user(name)));
  const chief = await service.admin();
  await service.stop();

  // The service as a process of its own, whose every line can be read.
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', ...service.environment, LOG_LEVEL: 'debug' },
  });
  t.teardown(async () => {
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    await ended;
  });
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        printed += chunk;
        const told = /Convene +(http\S+)/.exec(printed)?.[1];
        if (told !== undefined) resolve(told);
      });
    child.once('close', () => reject(new Error(printed)));
  });
  const at = (person: Client): Client =>
    client(`${url}/api/v1`, { accountId: person.accountId, email: person.email, token: person.token ?? '' });
  const people = Object.fromEntries(registered.map((person, index) => [names[index], at(person)])) as Record<
    (typeof names)[number],
    Client
  >;
  const admin = at(chief);
  const viewers = { ...people, admin };
  type Viewer = keyof typeof viewers;
  /** Is given a document with who saw it where. */
  type Look = (where: string, viewer: Viewer | undefined, document: unknown) => void;
  const { Fay: fay, Vic: vic, Wim: wim, Obi: obi, Lea: lea, Rem: rem } = people;

  /** Cards that lie face down now, with who played them; and those that nobody may see ever again. */
  const down = new Map<string, Viewer>();
  const gone = new Set<string>();
  const answers: Answer[] = [];
  const wrong: string[] = [];
  const hidden = (): ReadonlySet<string> => new Set([...down.keys(), ...gone]);
  /** Whoever plays a card may be shown it, in what is his own answer alone. */
  const judge = (where: string, viewer: Viewer | undefined, document: unknown): void => {
    for (const place of places(document, anyOf(hidden()))) {
      const [path = '', card = ''] = place.split(' ');
      const own = viewer !== undefined && down.get(card) === viewer && /^\.data\.(?:myVote|value)$/.test(path);
      if (!own) wrong.push(`${where} shows ${viewer ?? 'everybody'} ${place}`);
    }
  };
  const act = async (
    viewer: Viewer,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => {
    const answer = await viewers[viewer].call(method, path, body, headers);
    answers.push(answer);
    judge(`${method} ${path}`, viewer, answer.body);
    return answer;
  };
  const play = async (viewer: Viewer, on: string, value: string): Promise<void> => {
    for (const [card, owner] of down) if (owner === viewer) bury(card);
    down.set(value, viewer);
    done(await act(viewer, 'PUT', `${on}/vote`, { value }));
  };
  const bury = (...cards: readonly string[]): void => {
    for (const card of cards) {
      down.delete(card);
      gone.add(card);
    }
  };

  const { id } = done(
    await fay.post('/sessions', {
      name: 'Secrets',
      settings: { deck: 'custom', customDeck: DECK, anonymousVotes: false },
    }),
  );
  for (const [name, person] of Object.entries(people))
    if (name !== 'Fay' && name !== 'Eve')
      done(await person.post(`/sessions/${id}/join`, { asObserver: name === 'Obi' }));
  const topic = `session:${id}`;
  const sockets = await Promise.all(
    [fay, vic, wim, obi, lea, rem].map(async ({ token }) => {
      const socket = await openSocket(url, { token });
      await socket.subscribe(topic);
      return socket;
    }),
  );
  const stream = await openStream(`${url}/api/v1/live?topics=${topic}`, { authorization: `Bearer ${obi.token}` });
  let looked = 0;
  const heard = (): readonly unknown[] => [...sockets.flatMap((socket) => socket.heard), ...stream.events];
  const story = async (title: string): Promise<string> =>
    `/sessions/${id}/stories/${done(await act('Fay', 'POST', `/sessions/${id}/stories`, { title })).id}`;

  const reference = (await (await fetch(`${url}/docs/openapi.json`)).json()) as {
    readonly paths: Record<string, Record<string, unknown>>;
  };
  const queries = Object.entries(reference.paths)
    .filter(([path, methods]) => 'get' in methods && !/\/live$|\/ws$|\/docs/.test(path))
    .map(([path]) => path.replace(/^\/api\/v1/, ''));

  /** Looks at all that anybody can see of the session, with `whole` at all there is. `each` is given every document with who saw it where. */
  const lookAround = async (each: Look, whole = false): Promise<number> => {
    const token = latest(answers);
    let seen = 0;
    const stories: readonly { readonly id: string }[] = done(await fay.get(`/sessions/${id}`, token)).stories;
    const storyId = stories.at(-1)?.id ?? '';
    const { version } = done(await fay.get(`/sessions/${id}`, token));
    // What was looked at before cannot have changed.
    const versions = Array.from({ length: version + 1 }, (_, index) => index).slice(looked);
    looked = version;
    const near = whole
      ? queries
      : queries.filter((path) => /^\/(?:sessions|analytics|audit|users\/me\/personal)/.test(path));
    const addresses = [
      ...near.flatMap((path) => {
        const filled = path.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
          name === 'sessionId'
            ? id
            : name === 'storyId'
              ? storyId
              : name === 'streamType'
                ? 'estimationSession'
                : name === 'streamId'
                  ? id
                  : whole,
        );
        if (filled.includes('{')) return [];
        return filled.startsWith('/health') || filled.startsWith('/metrics') ? [] : [filled];
      }),
      ...stories.map((one) => `/sessions/${id}/stories/${one.id}/result`),
      `/sessions/${id}/history?limit=50`,
      `/sessions/${id}/history?limit=50&page=2`,
      `/sessions/${id}/summary?format=csv`,
      `/sessions?q=Secrets`,
      `/analytics/estimation?sessionId=${id}`,
    ];
    const audits = [
      `/audit/streams/estimationSession/${id}/events?limit=100`,
      ...stories.map((one) => `/audit/streams/story/${one.id}/events?limit=100`),
      ...versions.map((version) => `/audit/streams/estimationSession/${id}/state?version=${version}&compareTo=0`),
      ...[1, 2, 3, 4].map((page) => `/audit/logs?limit=100&page=${page}`),
      `/audit/logs?search=${V1}`,
    ];
    const look = async ([viewer, person]: [Viewer, Client]): Promise<void> => {
      for (const path of [...addresses, ...(viewer === 'admin' ? audits : [])]) {
        const { status, headers, text } = await send(`${url}/api/v1${path}`, {
          method: 'GET',
          headers: { ...token, authorization: `Bearer ${person.token}` },
        });
        if (status === 200) seen += 1;
        each(`GET ${path}`, viewer, headers['content-type']?.includes('json') ? JSON.parse(text) : text);
      }
    };
    await Promise.all((Object.entries(viewers) as [Viewer, Client][]).map(look));
    for (const path of ['/metrics', '/health/comprehensive', ...(whole ? ['/docs/openapi.json'] : [])])
      each(`GET ${path}`, undefined, await (await fetch(`${url}${path}`)).text());
    for (const message of heard()) each('a live message', undefined, message);
    each('the log', undefined, printed);
    const { rows } = await service.pool.query<{ name: string; schema: string }>(
      `select relname as name, relnamespace::regnamespace::text as schema from pg_class
       where relkind = 'r' and relnamespace::regnamespace::text in ('read', 'convene', 'pgboss')
         and relname not like 'snapshots%' and relname !~ '^own_votes'`,
    );
    for (const { name, schema } of rows) {
      const held = await service.pool.query<{ row: unknown }>(`select to_jsonb(x) as row from "${schema}"."${name}" x`);
      for (const { row } of held.rows) each(`table ${schema}.${name}`, undefined, row);
    }
    return seen;
  };
  /** Looks whether anything shows what lies face down. `more` is given every document too. */
  const check = async (t: Test, what: string, { whole = false, more }: { whole?: boolean; more?: Look } = {}) => {
    const seen = await lookAround((...seen) => {
      judge(...seen);
      more?.(...seen);
    }, whole);
    t.ok(seen > 60, `${what}: ${seen} answers seen`);
    t.strictSame([...new Set(wrong.splice(0))], [], what);
  };

  await t.test('is seen by nobody but who played it, until it is turned over', async (t) => {
    const on = await story('One');
    done(await act('Fay', 'POST', `${on}/open`));
    await play('Vic', on, V1);
    await play('Vic', on, V2);
    done(await act('Vic', 'DELETE', `${on}/vote`));
    bury(V2);
    await play('Vic', on, V3);
    await play('Wim', on, W1);
    await act('Wim', 'PUT', `${on}/vote`, { value: 'unknown' });
    await act('Obi', 'PUT', `${on}/vote`, { value: X1 });
    await act('Eve', 'PUT', `${on}/vote`, { value: X1 });
    await act('Vic', 'POST', `${on}/reveal`);
    await act('Fay', 'PUT', `${on}/estimate`, { value: '5' });
    await check(t, 'in an open round', { whole: true });
    t.equal(done(await vic.get(`/sessions/${id}/status`)).myVote, V3, 'his own he sees');

    done(await act('Fay', 'POST', `${on}/restart`));
    bury(V3, W1);
    await check(t, 'in a round that was started afresh');

    await play('Vic', on, V4);
    await play('Wim', on, W2);
    await play('Rem', on, R1);
    await play('Lea', on, L1);
    done(await act('Fay', 'DELETE', `/sessions/${id}/participants/${rem.accountId}`));
    done(await act('Lea', 'POST', `/sessions/${id}/leave`));
    bury(R1, L1);
    await play('Lea', on, F2).catch(() => bury(F2));
    await check(t, 'of somebody who is gone');

    for (const card of [V4, W2]) down.delete(card);
    const { votes } = done(await act('Fay', 'POST', `${on}/reveal`));
    t.strictSame(
      votes.map(({ value }: { value: string }) => value),
      [V4, W2],
    );
    await check(t, 'once the others were turned over');
  });

  await t.test('tells of nobody in an anonymous round, then and later', async (t) => {
    done(await act('Fay', 'PATCH', `/sessions/${id}`, { settings: { anonymousVotes: true } }));
    const on = await story('Two');
    done(await act('Fay', 'POST', `${on}/open`));
    await play('Wim', on, W3);
    await play('Vic', on, V5);
    await play('Vic', on, V6);
    await play('Fay', on, F1);
    await check(t, 'in an open anonymous round');

    for (const card of [W3, V6, F1]) down.delete(card);
    const open = new Set([W3, V6, F1]);
    done(await act('Fay', 'POST', `${on}/reveal`));
    done(await act('Fay', 'PATCH', `/sessions/${id}`, { settings: { anonymousVotes: false } }));
    const ties: string[] = [];
    let lists = 0;
    const named = new RegExp(
      `(?:Vic|Wim|Fay|${vic.accountId}|${wim.accountId}|${fay.accountId})[^,;{}\\n]{0,12}(?:${[...open].join('|')})`,
    );
    const order = [V6, W3, F1].join();
    const opened = anyOf(open);
    const more: Look = (where, _viewer, document) => {
      for (const holder of holders(document, open)) {
        const { value, ...rest } = holder;
        if (Object.keys(rest).length > 0) ties.push(`${where}: ${JSON.stringify(holder).slice(0, 200)}`);
      }
      const tie = typeof document === 'string' ? named.exec(document)?.[0] : undefined;
      if (tie !== undefined) ties.push(`${where}: ${tie}`);
      const shown = (
        typeof document === 'string'
          ? document
          : JSON.stringify(document, (key, item) =>
              key === 'customDeck' || key === 'myVote' || key === 'mode' ? undefined : item,
            )
      ).match(opened);
      if (shown === null || where === 'the log' || where.startsWith('table')) return;
      lists += 1;
      for (let index = 0; index < shown.length; index += 3)
        if (shown.slice(index, index + 3).join() !== order) ties.push(`${where}: order ${shown.join()}`);
    };
    await check(t, 'once it was revealed', { more });
    t.ok(lists > 10, `${lists} documents show the cards`);
    t.strictSame([...new Set(ties)], []);
    t.equal(done(await vic.get(`/sessions/${id}/status`)).myVote, V6, 'his own he knows');
    t.equal(done(await obi.get(`/sessions/${id}/status`)).myVote, null);
  });

  await t.test('of a round that ends without result stays down for ever', async (t) => {
    const skipped = await story('Three');
    done(await act('Fay', 'POST', `${skipped}/open`));
    await play('Vic', skipped, V7);
    await play('Wim', skipped, W7);
    done(await act('Fay', 'POST', `${skipped}/skip`));
    bury(V7, W7);
    await check(t, 'of a skipped story');
    const last = await story('Four');
    done(await act('Fay', 'POST', `${last}/open`));
    await play('Vic', last, V8);
    await play('Wim', last, W8);
    done(await act('Vic', 'PATCH', `/sessions/${id}/participants/${vic.accountId}`, { role: 'observer' }));
    bury(V8);
    done(await act('Fay', 'POST', `/sessions/${id}/complete`));
    bury(W8);
    await check(t, 'of a completed session');
    done(await act('Fay', 'POST', `/sessions/${id}/archive`));
    await check(t, 'of an archived session', { whole: true });
  });

  await t.test('has a salt that is shown to nobody', async (t) => {
    const { rows } = await service.pool.query<{ salt: string }>(
      `select data::jsonb ->> 'salt' as salt from log.events where type in ('VoteCast', 'VoteChanged')`,
    );
    t.ok(rows.length > 10, `${rows.length} salts`);
    const salts = new Set(rows.map(({ salt }) => salt));
    t.equal(salts.size, rows.length, 'each its own');
    const saltsAnywhere = anyOf(salts);
    const shown: string[] = [];
    await lookAround((where, _viewer, document) => {
      for (const place of places(document, saltsAnywhere)) shown.push(`${where}: ${place}`);
    });
    t.strictSame(shown, []);
  });

  for (const socket of sockets) await socket.close();
  await stream.close();
  t.ok(printed.length > 1_000, 'the service did log');
});
