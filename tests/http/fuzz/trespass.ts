import type { Operation, Schema } from './document.ts';
import type { Harness } from './harness.ts';
import { CALLERS } from './leaks.ts';
import type { Pool } from './pool.ts';
import { randomOf } from './random.ts';
import { spoils } from './spoils.ts';
import { generated } from './values.ts';
import type { World } from './world.ts';

/** Who has a right to some of it, and would change or end it by using that right. */
const ENTITLED: readonly string[] = ['provider', 'mate', 'admin'];
/** Where callers are told from each other. */
const LOGINS = /^\/(?:api|health|ws)\b/;
/** Lanes that go through the operations side by side. */
const LANES = 4;

const NOTHING: Pool = { add: () => {}, pick: () => undefined, harvest: () => {} };

/**
 * Every operation as everybody, with the victim's ids wherever one fits and everything else as it should be: the plain
 * way to somebody else's things. Gives how many requests that took.
 */
export const trespass = async (
  { exchange }: Harness,
  operations: readonly Operation[],
  world: World,
): Promise<number> => {
  const random = randomOf(1);
  const work = CALLERS.flatMap((as) =>
    operations
      .filter(({ method }) => method === 'GET' || !ENTITLED.includes(as))
      // What has no logins tells everybody the same, and nobody is entitled to least.
      .filter(({ path }) => as === 'nobody' || LOGINS.test(path))
      .map((operation) => ({ as, operation })),
  );
  let sent = 0;

  const lane = async (): Promise<void> => {
    for (let one = work.pop(); one !== undefined; one = work.pop()) {
      const { as, operation } = one;
      const { parameters, body, method, path } = operation;
      const login = /\/auth\/sessions|RevokeLoginSession/.test(path);
      const idFor = (name: string): string | undefined =>
        login && name === 'sessionId' ? world.loginSessionId : world.belongings[name];
      const valueFor = (name: string, schema: Schema): unknown =>
        idFor(name) ?? generated(schema, name, random, NOTHING);
      const part = (name: string): string => {
        const schema = parameters.find((each) => each.in === 'path' && each.name === name)?.schema ?? {};
        return encodeURIComponent(String(valueFor(name, schema)).toWellFormed());
      };
      const query = new URLSearchParams(
        parameters
          .filter((each) => each.in === 'query')
          .flatMap(({ name, required, schema }) => {
            const id = idFor(name) ?? (required ? String(generated(schema, name, random, NOTHING)) : undefined);
            return id === undefined ? [] : [[name, id]];
          }),
      ).toString();
      const properties = (body?.schema.properties ?? {}) as Record<string, Schema>;
      const ids = Object.keys(properties).flatMap((name) => (idFor(name) === undefined ? [] : [[name, idFor(name)]]));
      const value = { ...(body?.example as object | undefined), ...Object.fromEntries(ids) };
      const token = world.people.get(as)?.token;
      const request = {
        as,
        method,
        path: `${path.replace(/\{(\w+)\}/g, (_all, name: string) => part(name))}${query === '' ? '' : `?${query}`}`,
        headers: [
          ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]),
          ...(body === undefined ? [] : [['content-type', 'application/json'] as const]),
        ],
        operation,
        ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(value)) }),
      };
      // Ending one's own login is no trespass, and would end this walk.
      if (spoils(request, world) || /logout|\/auth\/sessions$/.test(request.path)) continue;
      sent += 1;
      await exchange(request, -1);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return sent;
};
