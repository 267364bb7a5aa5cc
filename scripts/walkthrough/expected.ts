import type { Known } from './walk.ts';

/** What a document says an answer is. */
export type Expected = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** JSON, or the text itself where it is none; undefined: nothing is said about it. */
  readonly body: unknown;
};

/** What came back. */
export type Answered = { readonly status: number; readonly headers: Headers; readonly text: string };

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** An answer as a document shows it: `HTTP/1.1 201 Created`, some headers, an empty line, the body. */
export const expectedOf = (text: string): Expected => {
  const [head = '', ...rest] = text.split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})\b/.exec(first)?.[1]);
  if (Number.isNaN(status)) throw new Error('An answer begins with its status, such as HTTP/1.1 200 OK');
  const headers = lines.map((line): readonly [string, string] => {
    const [, name = '', value = ''] = /^([\w-]+): (.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`This is no header: ${line}`);
    return [name, value];
  });
  const body = rest.join('\n\n').trim();
  return { status, headers, body: body === '' ? undefined : jsonOf(body) };
};

const PLACES = /…|\$[A-Z][A-Z0-9_]*|\$\{[A-Z][A-Z0-9_]*\}/g;
const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Whether a text is as written: `…` is anything, `$NAME` what is known by that name, or is from now on. */
const fits = (written: string, text: string, known: Known): boolean => {
  const learned: string[] = [];
  const pattern = ['', ...written.matchAll(PLACES)].reduce((sofar, place, index, places) => {
    const at = typeof place === 'string' ? 0 : place.index + place[0].length;
    const next = places[index + 1];
    const literal = literally(written.slice(at, typeof next === 'object' ? next.index : undefined));
    if (typeof place === 'string') return literal;
    const name = place[0].replace(/[${}]/g, '');
    if (place[0] === '…') return `${sofar}[^]*${literal}`;
    const value = known.get(name);
    if (value !== undefined) return `${sofar}${literally(value)}${literal}`;
    learned.push(name);
    return `${sofar}([^\\s"&]+)${literal}`;
  }, '');
  const found = new RegExp(`^${pattern}$`).exec(text);
  if (found === null) return false;
  for (const [index, name] of learned.entries()) known.set(name, found[index + 1] ?? '');
  return true;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 300));

/**
 * Where a value differs from what is written, each as one line. Objects have exactly the fields written, unless one is
 * called `…`; lists exactly the items, unless the last is `…`. In texts `…` stands for anything and `$NAME` for a value
 * to keep, or one kept before; alone, `…` stands for any value but null, objects and lists.
 */
export const differences = (written: unknown, value: unknown, known: Known, at = 'body'): readonly string[] => {
  const other = (): readonly string[] => [`${at}: ${shown(value)} instead of ${shown(written)}`];
  if (typeof written === 'string') {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return other();
    if (typeof value !== 'string' && !/^(?:…|\$[A-Z][A-Z0-9_]*)$/.test(written)) return other();
    return fits(written, String(value), known) ? [] : other();
  }
  if (Array.isArray(written)) {
    if (!Array.isArray(value)) return other();
    const more = written.at(-1) === '…';
    const items: readonly unknown[] = more ? written.slice(0, -1) : written;
    if (value.length < items.length || (!more && value.length > items.length)) return other();
    return items.flatMap((item, index) => differences(item, value[index], known, `${at}.${index}`));
  }
  if (isObject(written)) {
    if (!isObject(value)) return other();
    const unwritten = '…' in written ? [] : Object.keys(value).filter((name) => !(name in written));
    return [
      ...unwritten.map((name) => `${at}.${name}: is not written, but is ${shown(value[name])}`),
      ...Object.entries(written).flatMap(([name, item]) =>
        name === '…' ? [] : differences(item, value[name], known, `${at}.${name}`),
      ),
    ];
  }
  return Object.is(written, value) ? [] : other();
};

/** Where an answer differs from what is written. Keeps the values that it names. */
export const answerDifferences = (expected: Expected, { status, headers, text }: Answered, known: Known) => {
  if (status !== expected.status) return [`status ${status} instead of ${expected.status}: ${text.slice(0, 500)}`];
  const wrong = expected.headers.flatMap(([name, written]) => {
    const values = name.toLowerCase() === 'set-cookie' ? headers.getSetCookie() : [headers.get(name) ?? ''];
    return values.some((value) => fits(written, value, known))
      ? []
      : [`header ${name}: ${values.join(' | ')} instead of ${written}`];
  });
  if (expected.body === undefined) return wrong;
  return [...wrong, ...differences(expected.body, jsonOf(text), known)];
};
