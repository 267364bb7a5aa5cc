import t from 'tap';
import { exampleIds } from '../../src/commands/booking/answers.ts';
import { send } from '../support/send.ts';
import {
  answersToBadTokens,
  foreignCalls,
  openRoutes,
  takesNoInput,
  unknownIds,
} from './authorisation/expectations.ts';
import { people } from './authorisation/people.ts';
import { nameOf, type Row } from './authorisation/routeTable.ts';
import { openSocket } from './live/client.ts';

t.test('authorisation', async (t) => {
  const world = await people(t);
  const { service, rows, inRouter, tokens, holds, foreign } = world;
  const { admin, user, other, unverified, bare } = world.people;

  const isOpen = (row: Row): boolean => nameOf(row) in openRoutes;
  const guarded = rows.filter((row) => !isOpen(row));
  /** Without those that the framework adds: their registrations are those of GET, as the first test makes sure. */
  const written = guarded.filter(({ method }) => method !== 'HEAD');
  const hasBody = ({ method }: Row): boolean => ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method);
  const paramsOf = ({ url }: Row): readonly string[] => [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const isReference = ({ url }: Row): boolean => url === '/docs' || url.startsWith('/docs/');

  type Asked = {
    readonly token?: string | undefined;
    /** Values of path parameters, query and body; what the path does not name goes where the method wants it. */
    readonly input?: Readonly<Record<string, unknown>>;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };

  type Answer = {
    readonly status: number;
    readonly body: { readonly error?: { readonly reason?: string } } | undefined;
  };

  /** Nothing of this is accepted anywhere: whoever is let in is told 422. */
  const WRONG_ID = 'not-an-id';
  /** Clients make up the ids of their devices, so that only the length can be wrong. */
  const WRONG_DEVICE = 'x'.repeat(101);
  const WRONG_QUERY = '?page=0&keepCurrent=perhaps&fields=none&from=never';
  const WRONG_BODY = { accountId: WRONG_ID, exceptSessionId: WRONG_ID };

  const ask = async (row: Row, { token, input, body, headers = {} }: Asked): Promise<Answer> => {
    const names = paramsOf(row);
    const value = (name: string): string =>
      encodeURIComponent(String(input?.[name] ?? (name === 'deviceId' ? WRONG_DEVICE : WRONG_ID)));
    const rest = Object.entries(input ?? {}).filter(([name]) => !names.includes(name));
    const query = new URLSearchParams(rest.map(([name, of]) => [name, String(of)])).toString();
    const path = row.url
      .replace(/:(\w+)/g, (_all, name: string) => value(name))
      .replace('*', '/nothing')
      .replace('//', '/');
    const url = hasBody(row) ? path : input === undefined ? `${path}${WRONG_QUERY}` : `${path}?${query}`;
    const answer = await send(`${service.url}${url}${hasBody(row) && input === undefined ? WRONG_QUERY : ''}`, {
      method: row.method,
      headers: {
        ...(hasBody(row) ? { 'content-type': 'application/json' } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(hasBody(row)
        ? { body: body ?? JSON.stringify(input === undefined ? WRONG_BODY : Object.fromEntries(rest)) }
        : {}),
    });
    // What was let in is told by its status alone.
    const refused = answer.status >= 400 && answer.headers['content-type']?.includes('json') && answer.text !== '';
    return { status: answer.status, body: refused ? JSON.parse(answer.text) : undefined };
  };

  const told = ({ status, body }: Answer): string => `${status} ${body?.error?.reason ?? ''}`.trim();

  /** Asks each row, a few at a time, and gives what did not come out as expected. */
  const differing = async (
    all: readonly Row[],
    askOf: (row: Row) => Promise<Answer>,
    expected: (row: Row) => string,
  ): Promise<readonly string[]> => {
    const differences: string[] = [];
    const queue = [...all];
    const work = async (): Promise<void> => {
      for (let row = queue.pop(); row !== undefined; row = queue.pop()) {
        const got = told(await askOf(row));
        // Answers to HEAD have no body, so nothing of them but the status.
        const wanted = row.method === 'HEAD' ? expected(row).slice(0, 3) : expected(row);
        const same = wanted.includes(' ') ? got === wanted : got.startsWith(wanted);
        if (!same) differences.push(`${row.method} ${row.url}: ${got}, not ${wanted}`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, work));
    return differences;
  };

  t.test('the table', async (t) => {
    t.equal(rows.length, inRouter, 'has every route of the running service');
    t.ok(rows.length > 150, `saw ${rows.length}`);
    for (const row of rows) {
      const { access = 'loggedIn' } = row.config;
      const open = access === 'anyone' || isReference(row) || row.method === 'OPTIONS';
      t.equal(open, isOpen(row), `${row.method} ${row.url} ${open ? 'is open on purpose' : 'is not open by mistake'}`);
    }
    const whoMayCall = ({ config }: Row) => [config.access, config.apiKey, config.unverified, config.binding];
    const got = new Map(rows.filter(({ method }) => method === 'GET').map((row) => [row.url, row]));
    for (const head of rows.filter(({ method }) => method === 'HEAD')) {
      const get = got.get(head.url);
      t.same(whoMayCall(head), get && whoMayCall(get), `HEAD ${head.url} is open to whom GET is`);
    }
    const missing = guarded.map(nameOf).filter((name) => !(name in foreignCalls));
    t.same([...new Set(missing)], [], 'says of every route whose objects it touches');
    const known = new Set(rows.map(nameOf));
    const gone = [...Object.keys(foreignCalls), ...Object.keys(openRoutes)].filter((name) => !known.has(name));
    t.same(gone, [], 'names no route that is gone');
  });

  t.test('without a login', async (t) => {
    t.ok(guarded.length > 120, `asked ${guarded.length}`);
    const nobody = await differing(
      guarded,
      (row) => ask(row, {}),
      () => '401 login-required',
    );
    t.same(nobody, [], 'everything that needs one is refused before its input is looked at');
    for (const [what, [token, reason]] of Object.entries(tokens.everywhere))
      t.same(
        await differing(
          guarded,
          (row) => ask(row, { token }),
          () => `401 ${reason}`,
        ),
        [],
        `a token ${what} is none`,
      );
    const others = Object.values(tokens.byTurns);
    const turnOf = new Map(written.map((row, index) => [row, others[index % others.length]]));
    t.ok(written.length > 10 * others.length, 'each of the others is asked with often');
    const rest = await differing(
      written,
      (row) => ask(row, { token: turnOf.get(row)?.[0] }),
      (row) => `401 ${turnOf.get(row)?.[1]}`,
    );
    t.same(rest, [], `nor is one ${Object.keys(tokens.byTurns).join(', or ')}`);
  });

  t.test('routes open to everyone', async (t) => {
    const open = rows.filter(isOpen);
    t.ok(open.length > 20, `asked ${open.length}`);
    const expected = (row: Row): string => String(openRoutes[nameOf(row)]);
    t.same(await differing(open, (row) => ask(row, {}), expected), [], 'answer without a login');
    const withBadToken = (row: Row): string => String(answersToBadTokens[nameOf(row)] ?? expected(row));
    for (const [what, [token]] of Object.entries(tokens.everywhere))
      t.same(
        await differing(open, (row) => ask(row, { token }), withBadToken),
        [],
        `answer the same to a token ${what}`,
      );
  });

  t.test('an API key', async (t) => {
    const headers = { 'x-api-key': 'ak_live_0123456789abcdef0123456789abcdef' };
    const expected = ({ config: { apiKey } }: Row): string => (apiKey ? '401' : '403 api-key-not-allowed');
    const [taking, refusing] = [
      written.filter(({ config }) => config.apiKey),
      written.filter(({ config }) => !config.apiKey),
    ];
    t.ok(taking.length > 0 && refusing.length > 0);
    t.same(await differing(written, (row) => ask(row, { headers }), expected), [], 'is refused where none is allowed');
    const token = tokens.everywhere['of a revoked session']?.[0];
    const both = await differing(
      taking,
      (row) => ask(row, { token, headers }),
      () => '401 session-ended',
    );
    t.same(both, [], 'does not help out a bad token');
  });

  t.test('an account without a verified address', async (t) => {
    const own = written.filter(({ config }) => config.unverified);
    const rest = written.filter(({ config }) => !config.unverified);
    t.ok(own.length >= 5 && rest.length > 100, `${own.length} of ${written.length} are open to it`);
    const asked = (row: Row) => ask(row, { token: unverified.token });
    t.same(await differing(rest, asked, () => '403 address-unverified'), [], 'reaches nothing else');
    const inside = (row: Row): string => takesNoInput[nameOf(row)] ?? (row.url.endsWith('/me') ? '' : '422');
    t.same(await differing(own, asked, inside), [], 'reaches its own pages');
  });

  t.test('rights', async (t) => {
    const permissionOf = ({ config }: Row): string => config.access ?? 'loggedIn';
    const asked = written.filter((row) => permissionOf(row) !== 'loggedIn');
    const permissions = [...new Set(asked.map(permissionOf))];
    t.ok(
      asked.length > 60 && permissions.length > 8,
      `${asked.length} routes ask for ${permissions.length} permissions`,
    );
    const ofBare = (row: Row) => ask(row, { token: bare.token });
    t.same(await differing(asked, ofBare, () => '403 permission-missing'), [], 'are missing without a role');

    const allowed = (row: Row): string => {
      const invalid = hasBody(row) || paramsOf(row).length > 0;
      return invalid ? '422 input-invalid' : '';
    };
    for (const permission of permissions) {
      const [mine, rest] = [
        asked.filter((row) => permissionOf(row) === permission),
        // One route for every other permission: the same holder lacks it for all of them.
        permissions
          .filter((one) => one !== permission)
          .flatMap((one) => asked.find((row) => permissionOf(row) === one) ?? []),
      ];
      if (permission === '*:*') {
        t.same(await differing(mine, (row) => ask(row, { token: admin.token }), allowed), [], permission);
        continue;
      }
      const name = `only_${permission.replace(/\W/g, '_')}`;
      const role = (await admin.post('/rbac/roles', { name, permissions: [permission] })).body.data;
      t.equal((await admin.post(`/rbac/users/${bare.accountId}/roles`, { roleId: role.id })).status, 201, name);
      await holds(bare, [permission]);
      t.same(await differing(mine, ofBare, allowed), [], `${permission} suffices for its ${mine.length} routes`);
      t.same(await differing(rest, ofBare, () => '403 permission-missing'), [], `${permission} opens no other`);
      t.equal((await admin.delete(`/rbac/users/${bare.accountId}/roles/${role.id}`)).status, 200);
      await holds(bare, []);
      t.same(
        await differing(mine, ofBare, () => '403 permission-missing'),
        [],
        `${permission} is gone when it is taken`,
      );
    }
  });

  t.test("somebody else's objects", async (t) => {
    const callers = { user, provider: other };
    let seen = 0;
    for (const row of written)
      for (const callOf of foreignCalls[nameOf(row)] ?? []) {
        const { as, input, status, reason } = callOf(foreign);
        // A path without the object's id has it in the body; not every spelling of a route can name it.
        const got = await ask(row, { token: callers[as].token, input });
        seen += 1;
        const wanted = reason === undefined ? `${status}` : `${status} ${reason}`;
        t.match(told(got), wanted, `${row.method} ${row.url} as ${as}`);
      }
    t.ok(seen > 60, `made ${seen} calls`);
  });

  t.test('the order of checks', async (t) => {
    const withBody = rows.filter(hasBody);
    t.ok(withBody.length > 80);
    const broken = await differing(
      withBody,
      (row) => ask(row, { body: '{' }),
      () => '400 unreadable',
    );
    t.same(broken, [], 'an unreadable body comes before the login');
    const headers = { 'content-type': 'text/plain' };
    const foreignType = await differing(
      withBody,
      (row) => ask(row, { body: 'a=b', headers }),
      () => '415 unreadable',
    );
    t.same(foreignType, [], 'and so does one that is not JSON');

    const withId = written.filter((row) => paramsOf(row).length > 0);
    t.ok(withId.length > 40);
    const malformed = await differing(
      withId,
      (row) => ask(row, { token: admin.token }),
      () => '422 input-invalid',
    );
    t.same(malformed, [], 'a malformed id is no valid input');

    const ids = unknownIds({ appointmentId: exampleIds.appointment });
    const known = (row: Row): Readonly<Record<string, string>> =>
      Object.fromEntries(paramsOf(row).map((name) => [name, ids[name] ?? `no id for ${name}`]));
    const wanted = (row: Row): string => {
      const input = row.binding?.command.input ?? row.body;
      const complete = input?.safeParse(known(row)).success ?? true;
      return complete ? '404' : '422 input-invalid';
    };
    const both = withId.map(wanted);
    t.ok(both.includes('404') && both.includes('422 input-invalid'));
    const unknown = await differing(withId, (row) => ask(row, { token: admin.token, input: known(row) }), wanted);
    t.same(unknown, [], 'input that is not valid comes before an object that is not there');
  });

  t.test('a WebSocket lets in whom the routes let in', async (t) => {
    for (const [what, [token]] of Object.entries({ ...tokens.everywhere, ...tokens.byTurns })) {
      const socket = await openSocket(service.url);
      socket.say({ type: 'auth', token });
      t.equal(await socket.closed, 4401, `not with a token ${what}`);
    }
    const socket = await openSocket(service.url, { token: user.token });
    t.match(await socket.subscribe(`session:${foreign.sessionId}`), { type: 'error', code: 'FORBIDDEN' });
    await socket.close();
  });

  t.test('a locked account cannot log in, and its open sessions stay', async (t) => {
    const person = await service.user();
    const { email } = person;
    for (let tries = 0; tries < 5; tries += 1)
      await service.anonymous.post('/auth/login', { email, password: 'Wrong-1!' });
    const right = await service.anonymous.post('/auth/login', { email, password: 'Correct-horse-7' });
    t.equal(right.status, 423);
    t.equal(right.body.error.code, 'ACCOUNT_LOCKED');
    t.equal((await person.get('/users/me')).status, 200);
  });
});
