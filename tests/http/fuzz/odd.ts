import type { Random } from './random.ts';

/** Text that has broken other programs. Halves of surrogate pairs leave as JSON escapes. */
export const oddTexts: readonly string[] = [
  '',
  ' ',
  '\t\n',
  '\u0000',
  'a\u0000b',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  '\ud800',
  'x\udfff',
  '\ufeff',
  '\ufffe\uffff',
  '\u2028\u2029',
  '\u202e\u2066txt.exe',
  'e\u0301\u0301\u0301'.repeat(20),
  'Z\u0351\u036b\u0343'.repeat(40),
  '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}',
  'İıſK',
  '＜script＞',
  '../../../../etc/passwd',
  '..%2f..%2f',
  'C:\\Windows\\win.ini',
  '<script>alert(1)</script>',
  "' or 1=1 --",
  "'; drop table accounts; --",
  '%',
  '%_',
  '\\',
  '"',
  '#{7*7}',
  '{{7*7}}',
  '$ne',
  '$1',
  ':*',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'null',
  'undefined',
  'true',
  'NaN',
  'Infinity',
  '-0',
  '0x10',
  '1e309',
  '00',
  '٣',
  '9007199254740993',
  '-9223372036854775809',
  '2027-02-30',
  '2027-02-30T25:61:00Z',
  '+275760-09-13T00:00:00Z',
  '0000-01-01',
  '9999-12-31T23:59:59.999999999Z',
  '2027-03-01T09:00:00+14:00',
  '24:00',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  'FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF',
  '*:*',
  'Europe/Berlin',
  'UTC+25',
  'Etc/Unknown',
];

const oddNumbers: readonly number[] = [
  0,
  -0,
  -1,
  1,
  0.1,
  -0.5,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 53,
  -(2 ** 53) - 2,
  1e21,
  1e308,
  5e-324,
];

/** Long text around the lengths that fields allow. */
const longText = (random: Random): string =>
  random
    .pick(['x', 'é', '\u{1f600}', 'a '])
    .repeat(random.pick([8, 9, 50, 51, 64, 65, 100, 101, 255, 1_000, 1_001, 8_000]));

const nested = (random: Random): unknown => {
  let value: unknown = random.chance(0.5) ? 1 : {};
  for (let level = random.pick([2, 31, 32, 33, 200]); level > 0; level -= 1)
    value = random.chance(0.5) ? [value] : { a: value };
  return value;
};

/** A value that fits nowhere, or only just. */
export const oddValue = (random: Random): unknown => {
  const kind = random.int(0, 9);
  if (kind < 4) return random.pick(oddTexts);
  if (kind === 4) return random.pick(oddNumbers);
  if (kind === 5) return random.pick([null, true, false]);
  if (kind === 6) return random.pick([[], {}, [[]], [null], { length: 3 }, ['a', 1, null], { $gt: '' }]);
  if (kind === 7) return nested(random);
  if (kind === 8) return Array.from({ length: random.pick([1, 21, 51, 1_001]) }, (_, index) => index);
  return longText(random);
};

/** Names of fields that nobody asked for. `__proto__` becomes a field of its own, as in text from outside. */
export const oddNames: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  'then',
  'toJSON',
  'length',
  'id',
  'actor',
  'accountId',
  'role',
  'roles',
  'permissions',
  'version',
  'status',
  '',
  ' ',
  'a.b',
  'a[0]',
  '\u0000',
  '\ud800',
  'x'.repeat(2_000),
];

/** JSON text that no value has, or no valid text at all. */
export const oddBodies = (random: Random, text: string): Buffer =>
  random.pick<() => Buffer>([
    () => Buffer.from(text.slice(0, random.int(0, text.length))),
    () => Buffer.from(`${text}${random.pick([',', '}', ' x', '\u0000', text])}`),
    () => Buffer.from(`\ufeff${text}`),
    () => Buffer.from(text, 'utf16le'),
    () => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xc3, 0x28, 0xff, 0x22, 0x7d])]),
    () => Buffer.from(text.replace('{', '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},')),
    () => Buffer.from(text.replace(/^\{("\w+"):/, '{$1:null,$1:')),
    () => Buffer.from(text.replaceAll('"', "'")),
    () =>
      Buffer.from(
        text.replace(
          /:\s*(?:"[^"]*"|\d+)/,
          random.pick([':NaN', ':Infinity', ':1e999', ':-', ':0123', ':"\\ud800"', ':"\\x"', ':"\t"']),
        ),
      ),
    () => Buffer.from(`/* a */${text}`),
    () => Buffer.from('['.repeat(10_000)),
    () => Buffer.from(`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`),
    () => Buffer.from(random.pick(['null', 'true', '0', '""', '[]', '[{}]', '{}', ' ', 'undefined', '"x"', '1e400'])),
    () => Buffer.alloc(random.pick([0, 1, 4_096]), random.int(0, 255)),
    () => Buffer.alloc(1_048_577, 0x20),
  ])();

export const oddTypes: readonly string[] = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  'application/json;charset=utf-8;charset=latin1',
  'APPLICATION/JSON',
  'application/json ;',
  'application/vnd.api+json',
  'application/merge-patch+json',
  'application/jsonp',
  'application/',
  '/',
  '*/*',
  ';',
  'application/json, text/plain',
  'x'.repeat(300),
];

const repeated = 'y'.repeat(64);

/** Headers that mean something to the service or to what stands before it, with values that they should not have. */
export const oddHeaders: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['idempotency-key', ['k', repeated, `${repeated}y`, ' ', 'a b', 'é', '"', '__proto__', '\ttab']],
  [
    'if-match',
    ['"0"', '"1"', '"3"', '*', 'W/"1"', '""', '"-1"', '"999999999"', '"99999999999"', '1', '"1", "2"', '"1e1"'],
  ],
  ['if-none-match', ['*', '"0"', 'W/"1"', '"0","1"', 'x']],
  ['consistency-token', ['0', '1', '-1', '1e3', '0x1', ' 1', '1.0', '1'.repeat(19), 'NaN', 'é']],
  ['x-correlation-id', ['018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01', '018F4E5A-7C1D-7B2E-9A3F-5D6C7B8A9E01', 'x', repeated]],
  ['accept-encoding', ['gzip', 'br', 'identity;q=0', '*;q=0', 'gzip;q=9', ', ,', repeated.repeat(10)]],
  ['accept', ['text/html', 'application/xml', '*/*;q=0', 'x', '']],
  ['range', ['bytes=0-1', 'bytes=-1', 'bytes=9-1', 'items=0-5', 'bytes=0-,0-,0-']],
  ['content-encoding', ['gzip', 'identity', 'br', 'IDENTITY', 'deflate, gzip']],
  ['cookie', ['refreshToken=x', 'refresh_token=; csrf=1', '=', ';;;', 'a=%ff', '__proto__=1']],
  ['x-csrf-token', ['x', '']],
  ['x-forwarded-for', ['1.2.3.4', '::1', "'", '999.1.1.1', 'x'.repeat(300)]],
  ['x-forwarded-host', ['evil.example']],
  ['x-forwarded-proto', ['http', 'javascript']],
  ['x-http-method-override', ['DELETE', 'TRACE']],
  [
    'origin',
    [
      'https://app.example.org',
      'https://evil.example',
      'null',
      'http://localhost',
      'http://localhost.evil.example',
      'x',
    ],
  ],
  ['access-control-request-method', ['DELETE', 'X']],
  ['host', ['evil.example', '', 'a b', '[::1', 'x'.repeat(300)]],
  ['traceparent', ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '00-x', 'ff-'.repeat(30)]],
  ['last-event-id', ['0', '99999999999999999999', '-1', 'x']],
  ['user-agent', ['', "' or 1=1", 'é'.repeat(500), 'x'.repeat(3_000)]],
  ['upgrade', ['websocket', 'h2c', 'x']],
  ['accept-version', ['1.0.0', '*', '9']],
  ['x-api-key', ['ak_live_x', '', repeated]],
  ['forwarded', ['for="_x";proto=https']],
  ['content-language', ['é']],
];

/** What stands where an access token should. */
export const oddLogins = (token: string): readonly string[] => [
  'Bearer',
  'Bearer ',
  'Bearer  x',
  `bearer ${token}`,
  `BEARER   ${token}`,
  `Bearer ${token} ${token}`,
  `Bearer ${token.slice(0, -1)}`,
  `Bearer ${token}x`,
  `Bearer ${token.split('.').slice(0, 2).join('.')}.`,
  `Basic ${Buffer.from('admin:admin').toString('base64')}`,
  `Token ${token}`,
  token,
  'Bearer null',
  'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.',
  `Bearer ${'x'.repeat(6_000)}`,
  'é',
  '',
];
