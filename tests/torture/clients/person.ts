import { Stuck, until } from '../world/until.ts';
import { ADMIN, type World } from '../world/world.ts';
import { type Request, send } from './request.ts';

/** Somebody who calls the service, logged in. */
export type Person = {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  /** The present access token. */
  token: string;
};

const PASSWORD = 'Correct-Horse-7';

/** Refusals that pass: rights and what read models do not know yet. */
const PASSING = new Set([401, 403, 404]);

/** Sends until the status is this one; for what a run needs before anything is attacked. Throws Stuck. */
export const must = async (
  world: World,
  status: number,
  request: Request,
): Promise<Readonly<Record<string, unknown>>> => {
  const answer = await until(`${request.method} ${request.path} with ${status}`, async () => {
    const node = await world.usable();
    const attempt = await send(node.url(), request);
    if (attempt.end === 'refused' && !PASSING.has(attempt.status ?? 0))
      throw new Stuck(`${request.method} ${request.path} was answered ${attempt.status} ${attempt.reason}`);
    return attempt.status === status && attempt;
  });
  return answer.data;
};

const sessionOf = (data: Readonly<Record<string, unknown>>): { readonly id: string; readonly token: string } => {
  const { accessToken, user } = data as { accessToken: string; user: { userId: string } };
  return { id: user.userId, token: accessToken };
};

/** Logs in; waits for a process that is ready. */
export const logIn = async (world: World, email: string, password: string): Promise<Person> => {
  const body = { email, password };
  return { email, password, ...sessionOf(await must(world, 200, { method: 'POST', path: '/auth/login', body })) };
};

/** Logs in again, when the clock has passed the end of the token. */
export const renew = async (world: World, person: Person): Promise<void> => {
  person.token = (await logIn(world, person.email, person.password)).token;
};

export const logInAdmin = (world: World): Promise<Person> => logIn(world, ADMIN.email, ADMIN.password);

/** Opens an account, verifies its address by the mail in the outbox, and logs in. */
export const openAccount = async (world: World, admin: Person, name: string): Promise<Person> => {
  const email = `${name}@example.org`;
  const account = { email, password: PASSWORD, displayName: name, acceptTerms: true };
  await must(world, 201, { method: 'POST', path: '/auth/register', body: account });
  const path = `/ops/outbox?channel=email&recipient=${encodeURIComponent(email)}`;
  const token = await until(`the verification mail of ${name}`, async () => {
    const data = await must(world, 200, { method: 'GET', path, token: admin.token });
    return /token=([\w.~-]+)/.exec(JSON.stringify(data))?.[1];
  });
  await must(world, 200, { method: 'POST', path: '/auth/verify-email', body: { token } });
  const person = await logIn(world, email, PASSWORD);
  await until(`the plan of ${name}`, async () => {
    const { roles } = await must(world, 200, { method: 'GET', path: '/users/me', token: person.token });
    return Array.isArray(roles) && roles.includes('free');
  });
  return person;
};
