import type { Client } from './client.ts';
import { inParallel } from './parallel.ts';
import type { Report } from './report.ts';

/** Somebody with a verified account who is logged in. */
export type Person = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly token: string;
};

const PASSWORD = 'Correct-Horse-7';

type LoggedIn = { accessToken: string; user: { userId: string } };

export const logIn = async (client: Client, email: string, password: string, name: string): Promise<Person> => {
  const { accessToken, user } = await client.expect<LoggedIn>(200, 'POST', '/auth/login', {
    body: { email, password },
  });
  return { id: user.userId, email, name, token: accessToken };
};

type Outbox = { items: { recipient: string; template: string; text: string }[]; pagination: { hasNext: boolean } };

/** The verification tokens of these addresses, as they stand in the outbox; read until all are there or 20 s are over. */
const tokensOf = async (
  client: Client,
  admin: Person,
  emails: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const wanted = new Set(emails);
  const tokens = new Map<string, string>();
  const deadline = Date.now() + 20_000;
  while (tokens.size < wanted.size && Date.now() < deadline)
    for (let page = 1, more = true; more; page += 1) {
      const { items, pagination } = await client.expect<Outbox>(200, 'GET', `/ops/outbox?limit=50&page=${page}`, {
        as: admin,
      });
      for (const { recipient, template, text } of items) {
        const token = /token: (\S+)/i.exec(text)?.[1];
        if (template === 'email-verification' && token !== undefined && wanted.has(recipient))
          tokens.set(recipient, token);
      }
      more = pagination.hasNext && tokens.size < wanted.size;
    }
  return tokens;
};

/** Opens accounts, verifies their addresses by the mails in the outbox, and logs them in. */
export const openAccounts = async (
  client: Client,
  report: Report,
  admin: Person,
  names: readonly string[],
  run: string,
): Promise<readonly Person[]> => {
  const wanted = names.map((name) => ({ name, email: `${name.toLowerCase()}.${run}@example.com` }));
  await inParallel(wanted, 16, ({ name, email }) =>
    client.expect(201, 'POST', '/auth/register', {
      body: { email, password: PASSWORD, displayName: name, acceptTerms: true },
    }),
  );
  const tokens = await tokensOf(
    client,
    admin,
    wanted.map(({ email }) => email),
  );
  report.check('each has a verification mail in the outbox', tokens.size === wanted.length, `${tokens.size} mails`);
  await inParallel([...tokens.values()], 16, (token) =>
    client.expect(200, 'POST', '/auth/verify-email', { body: { token } }),
  );
  const people = await inParallel(wanted, 16, ({ email, name }) => logIn(client, email, PASSWORD, name));
  report.check(
    'all are registered, verified and logged in',
    people.length === wanted.length,
    `${people.length} accounts`,
  );
  return people;
};
