import type { Operation, Parameter } from './document.ts';
import { oddBodies, oddHeaders, oddLogins, oddNames, oddTexts, oddTypes, oddValue } from './odd.ts';
import type { Pool } from './pool.ts';
import type { Random } from './random.ts';
import { generated, mutated } from './values.ts';
import type { Sent } from './wire.ts';

/** Who sends: a name, and the access token if there is one. */
export type Caller = { readonly name: string; readonly token: string | undefined };

/** Says that an answer may be 503: it names a position that the log has not reached. */
export const FUTURE_POSITION = '999999999999999';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'QUERY', 'PROPFIND'];

/** Text as a part of an address. Halves of surrogate pairs have no encoding of their own and become what they would. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

/** A spelling of a path part that decodes to something else than it looks like, or to nothing at all. */
const oddPart = (text: string, random: Random): string =>
  random.pick<() => string>([
    () => encoded(random.pick(oddTexts)),
    () => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    () => encoded(encoded(`${text}/`)),
    () => `${text}%00`,
    () => `${text}%2f..%2f..`,
    () => `${text};a=b`,
    () => `${text}.json`,
    () => `%c0%af`,
    () => `%ff`,
    () => '%zz',
    () => '%',
    () => '..',
    () => '%2e%2e',
    () => '*',
    () => text.toUpperCase(),
    () => `${text}%20`,
    () => 'x'.repeat(random.pick([100, 101, 999, 1_001, 4_000])),
    () => `${text}%0d%0aX-Injected:%201`,
  ])();

const parameterText = ({ name, schema, example }: Parameter, random: Random, pool: Pool): string => {
  const value = random.chance(0.1) && example !== undefined ? example : generated(schema, name, random, pool);
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const pathOf = ({ path, parameters }: Operation, random: Random, pool: Pool): string => {
  const odd = random.chance(0.12);
  const filled = path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const parameter = parameters.find((each) => each.in === 'path' && each.name === name);
    const text = parameter === undefined ? 'x' : parameterText(parameter, random, pool);
    return odd && random.chance(0.7) ? oddPart(encoded(text), random) : encoded(text);
  });
  if (!odd || !random.chance(0.15)) return filled;
  return random.pick([
    `${filled}/`,
    filled.replace('/', '//'),
    `/.${filled}`,
    `/x/..${filled}`,
    `${filled}/%2e`,
    filled.toUpperCase(),
    filled.replace('/api/v1', '/api/v2'),
    `${filled}#x`,
    `http://elsewhere.example${filled}`,
  ]);
};

/** The query: parameters that are asked for, others, doubled ones, and text that is no query. */
const queryOf = ({ parameters }: Operation, random: Random, pool: Pool): string => {
  const given = parameters.filter((each) => each.in === 'query' && (each.required || random.chance(0.35)));
  const pairs = given.map((each) => {
    const odd = random.chance(0.2) ? oddValue(random) : undefined;
    const text =
      odd === undefined ? parameterText(each, random, pool) : typeof odd === 'string' ? odd : JSON.stringify(odd);
    return `${each.name}=${encoded((text ?? '').slice(0, 6_000))}`;
  });
  if (random.chance(0.12)) {
    const name = given[0]?.name ?? random.pick(['page', 'limit', 'fields']);
    pairs.push(
      random.pick([
        `${name}=1&${name}=2`,
        `${name}[]=1`,
        `${name}[a][b]=1`,
        `${name}`,
        `${name}=`,
        `=${name}`,
        `${encoded(random.pick(oddNames))}=1`,
        '%=%',
        '%zz=%c3%28',
        '&&&',
        '?',
        'a=b;c=d',
        `page=1e2&limit=+5&page=0x1`,
        Array.from({ length: 1_200 }, (_, index) => `a${index}=1`).join('&'),
      ]),
    );
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
};

const bodyOf = ({ body, method }: Operation, random: Random, pool: Pool): Pick<Sent, 'body'> => {
  if (body === undefined) {
    if (method === 'GET' || random.chance(0.7)) return {};
    return { body: Buffer.from(JSON.stringify(oddValue(random)) ?? '') };
  }
  let value = random.chance(0.25) ? body.example : generated(body.schema, '', random, pool);
  if (!random.chance(0.35))
    for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left -= 1) value = mutated(value, random);
  const text = JSON.stringify(value) ?? '';
  if (random.chance(0.08)) return { body: oddBodies(random, text) };
  return random.chance(0.03) ? {} : { body: Buffer.from(text) };
};

/** Node's client refuses to send header values that are no Latin-1. */
const sendable = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value);

const headersOf = (hasBody: boolean, caller: Caller, random: Random): readonly (readonly [string, string])[] => {
  const headers: [string, string][] = [];
  if (caller.token !== undefined) headers.push(['authorization', `Bearer ${caller.token}`]);
  if (hasBody) {
    const type = random.chance(0.06) ? random.pick(oddTypes) : 'application/json';
    if (!random.chance(0.02)) headers.push(['content-type', type]);
  }
  for (let left = random.pick([0, 0, 0, 1, 1, 2, 4]); left > 0; left -= 1) {
    const [name, values] = random.pick(oddHeaders);
    headers.push([name, random.pick(values)]);
    if (random.chance(0.1)) headers.push([name, random.pick(values)]);
  }
  if (random.chance(0.002)) headers.push(['consistency-token', FUTURE_POSITION]);
  if (random.chance(0.02)) headers.push([`x-${'h'.repeat(40)}`, 'v'.repeat(random.pick([1_000, 10_000, 20_000]))]);
  return headers.filter(([, value]) => sendable(value));
};

/** A request of an operation that is somewhere between right and absurd. */
export const requestOf = (operation: Operation, caller: Caller, random: Random, pool: Pool): Sent => {
  const { body } = bodyOf(operation, random, pool);
  const path = `${pathOf(operation, random, pool)}${queryOf(operation, random, pool)}`;
  let headers = headersOf(body !== undefined, caller, random);
  if (random.chance(0.03)) {
    const login = random.pick(oddLogins(caller.token ?? 'x.y.z'));
    headers = [...headers.filter(([name]) => name !== 'authorization'), ['authorization', login] as const].filter(
      ([, value]) => sendable(value),
    );
  }
  // A head that is too long is answered before its method is known, so with a body, which the client would not take to HEAD.
  const length = headers.reduce((sum, [name, value]) => sum + name.length + value.length, path.length);
  const method = random.chance(0.02) && length < 8_000 ? random.pick(METHODS) : operation.method;
  return {
    as: caller.name,
    method,
    path,
    headers,
    operation,
    ...(body === undefined || method === 'HEAD' ? {} : { body }),
    ...(body !== undefined && random.chance(0.05) ? { chunked: true } : {}),
  };
};
