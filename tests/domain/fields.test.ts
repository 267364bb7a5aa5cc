import t, { type Test } from 'tap';
import { z } from 'zod';
import * as fields from '../../src/domain/fields.ts';

const { line, lines } = fields;
/** A value in visible ASCII, for the title of a check. */
const shown = (value: unknown): string =>
  String(JSON.stringify(value)).replace(/[^ -~]/gu, (character) => `U+${character.codePointAt(0)?.toString(16)}`);
const accepts = (t: Test, schema: z.ZodType, value: unknown, output: unknown = value) =>
  t.equal(schema.parse(value), output, shown(value));
const refuses = (t: Test, schema: z.ZodType, ...values: readonly unknown[]) => {
  for (const value of values) t.notOk(schema.safeParse(value).success, shown(value));
};

t.test('text on one line is trimmed, brought to NFC and free of control characters', async (t) => {
  accepts(t, line(1, 5), '  a\u0308b ', '\u00e4b');
  refuses(t, line(1, 5), '', '   ', 'abcdef', 'a\u0000b', 'a\nb', 'a\u2028b', '\ud800', 7, null);
});
t.test('text of several lines takes breaks and tabs, and nothing else that controls', async (t) => {
  accepts(t, lines(0, 20), 'a\r\n\tb');
  refuses(t, lines(0, 20), 'a\u0007', '\udc00');
});
t.test('ids are lower-cased UUIDs or opaque', async (t) => {
  accepts(t, fields.uuid, '019A0000-0000-7000-8000-00000000000F', '019a0000-0000-7000-8000-00000000000f');
  refuses(t, fields.uuid, 'not-a-uuid', '019a0000000070008000000000000000', '');
  accepts(t, fields.opaqueId, 'a.b_c~d-1');
  refuses(t, fields.opaqueId, '', 'a/b', '../x', 'a'.repeat(101), '.a');
});
t.test('addresses are lower-cased', async (t) => {
  accepts(t, fields.email, ' Ada.Lovelace+x@Example.ORG ', 'ada.lovelace+x@example.org');
  refuses(
    t,
    fields.email,
    'a@b',
    'a b@x.io',
    '@x.io',
    'a@x..io',
    'a@-x.io',
    'a@x.io\n<b@x.io>',
    `${'a'.repeat(250)}@x.io`,
  );
});
t.test('instants become UTC with milliseconds', async (t) => {
  accepts(t, fields.instant, '2026-03-02T12:00:00+02:00', '2026-03-02T10:00:00.000Z');
  accepts(t, fields.instant, '2026-03-02T10:00Z', '2026-03-02T10:00:00.000Z');
  refuses(t, fields.instant, '0000-12-31T00:00:00Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00');
  accepts(t, fields.instant, '9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z');
  refuses(t, fields.instant, '2026-02-30T10:00:00Z', '2026-03-02', '2026-03-02T10:00:00', '2026-03-02T25:00:00Z', 0);
});
t.test('dates exist', async (t) => {
  accepts(t, fields.isoDate, '2028-02-29');
  refuses(t, fields.isoDate, '2026-02-29', '2026-2-1', '20260201', '2026-13-01', '0000-01-01');
});
t.test('times of day end at 24:00 only where an end is meant', async (t) => {
  accepts(t, fields.timeOfDay, '23:59');
  refuses(t, fields.timeOfDay, '24:00', '9:00', '09:60');
  accepts(t, fields.endTimeOfDay, '24:00');
  refuses(t, fields.endTimeOfDay, '24:01');
});
t.test('time zones are those of the IANA database, in its spelling', async (t) => {
  accepts(t, fields.timeZone, 'asia/kolkata', 'Asia/Kolkata');
  accepts(t, fields.timeZone, 'UTC');
  refuses(t, fields.timeZone, '+02:00', 'Mars/Olympus', '', 'Europe/Berlin[u-ca=x]');
});
t.test('addresses of pages are https without credentials', async (t) => {
  accepts(t, fields.httpsUrl, 'https://example.org/a?b=c');
  refuses(t, fields.httpsUrl, 'http://example.org', 'javascript:alert(1)', 'https://u:p@example.org', 'https://');
});
t.test('a password that everybody tries first is refused, whatever its case', async (t) => {
  for (const common of [
    'Password1!',
    'P@ssw0rd',
    'pASSWORD123!',
    'Qwerty!23',
    'Welcome2024!',
    'Summer2025!',
    'Admin@123',
    '1qaz@WSX',
    'Letmein#1',
  ])
    t.match(fields.password.safeParse(common).error?.issues, [{ message: /tried first/ }], common);
  for (const good of ['SecurePassword123!', 'My-password-is-7-long', 'Summer-in-Kiruna-7', 'Passwordless!1'])
    accepts(t, fields.password, good);
});

t.test('a password names each kind of character that it lacks', async (t) => {
  accepts(t, fields.password, ' Correct horse 7! ');
  const messages = fields.password.safeParse('password1').error?.issues.map(({ message }) => message);
  t.strictSame(messages, ['An upper-case letter is missing', 'A special character is missing']);
  refuses(t, fields.password, 'Ab1!', `Ab1!${'ä'.repeat(35)}`, 'Abcdef1!\u0000');
});
t.test('names of permissions and roles', async (t) => {
  accepts(t, fields.permissionName, 'read:own-appointments');
  accepts(t, fields.permissionName, '*:*');
  refuses(t, fields.permissionName, 'read', 'Read:x', 'read:*', 'r:x', 'read:own:x');
  accepts(t, fields.roleName, 'agency_manager');
  refuses(t, fields.roleName, 'ab', 'Admin', '1role', 'a-role');
});
t.test('every field has a JSON schema', async (t) => {
  const schemas = Object.values(fields).map((field) => (typeof field === 'function' ? field(1, 10) : field));
  t.ok(schemas.length > 15);
  for (const schema of schemas) t.ok(z.toJSONSchema(schema, { io: 'input' }).type);
});
