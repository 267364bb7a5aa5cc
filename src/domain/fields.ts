import { z } from 'zod';
import { isCommonPassword } from './commonPasswords.ts';

/**
 * The fields that inputs are made of. Every text is trimmed, brought to Unicode NFC and refused when it holds control
 * characters or halves of surrogate pairs, which no store takes. Only checks and overwrites, no transforms, so that
 * each field has a JSON schema.
 */
const text = (pattern: RegExp, message: string) => z.string().trim().normalize('NFC').regex(pattern, message);

const ONE_LINE = /^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u;
const MANY_LINES = /^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u;

/** Text on one line, of `min` to `max` characters after trimming. */
export const line = (min: number, max: number) =>
  text(ONE_LINE, 'Control characters and line breaks are not allowed')
    .min(min, min === 1 ? 'Must not be empty' : `At least ${min} characters`)
    .max(max, `At most ${max} characters`);

/** Text of several lines: line breaks and tabs are allowed, other control characters are not. */
export const lines = (min: number, max: number) =>
  text(MANY_LINES, 'Control characters are not allowed')
    .min(min, min === 1 ? 'Must not be empty' : `At least ${min} characters`)
    .max(max, `At most ${max} characters`);

/** A UUID of any version, lower-cased so that it names one stream however it is written. */
export const uuid = z
  .string()
  .trim()
  .toLowerCase()
  .check(z.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'Must be a UUID'))
  .meta({ format: 'uuid' });

/** An id that carries its route, such as an appointment's: URL-safe and of at most 100 characters. */
export const opaqueId = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/, 'Must be an id of at most 100 URL-safe characters');

/** An e-mail address, lower-cased, of at most 254 characters. */
export const email = z
  .string()
  .trim()
  .normalize('NFC')
  .toLowerCase()
  .max(254, 'At most 254 characters')
  .regex(
    /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i,
    'Must be an e-mail address',
  )
  .meta({ format: 'email' });

/** A telephone number in E.164: `+` and 7 to 15 digits. */
export const phoneNumber = z
  .string()
  .trim()
  .regex(/^\+[1-9][0-9]{6,14}$/, 'Must be a telephone number with country code, such as +4930123456');

const inReach = ({ year }: { readonly year: number }): boolean => year >= 1 && year <= 9999;

const asInstant = (value: string): Temporal.Instant | undefined => {
  try {
    const instant = Temporal.Instant.from(value);
    // Outside these years it has more than four digits in UTC, or is none that a database knows.
    return inReach(instant.toZonedDateTimeISO('UTC')) ? instant : undefined;
  } catch {
    return undefined;
  }
};

/** An ISO-8601 instant of the years 1 to 9999 with `Z` or an offset; becomes UTC with milliseconds and `Z`. */
export const instant = z
  .string()
  .trim()
  .toUpperCase()
  .check(
    z.regex(
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/,
      'Must be an instant such as 2027-03-01T09:30:00.000Z',
    ),
    z.refine((value: string) => asInstant(value) !== undefined, 'There is no such instant'),
    z.overwrite((value: string) => asInstant(value)?.toString({ fractionalSecondDigits: 3 }) ?? value),
  )
  .meta({ format: 'date-time' });

const isDate = (value: string): boolean => {
  try {
    return inReach(Temporal.PlainDate.from(value));
  } catch {
    return false;
  }
};

/** A calendar date of the years 1 to 9999, `YYYY-MM-DD`. */
export const isoDate = z
  .string()
  .trim()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'Must be a date such as 2027-03-01')
  .refine(isDate, 'There is no such date')
  .meta({ format: 'date' });

const asTimeZone = (value: string): string | undefined => {
  try {
    return new Temporal.ZonedDateTime(0n, value).timeZoneId;
  } catch {
    return undefined;
  }
};

/** The name of an IANA time zone, in the database's own spelling; offsets such as `+02:00` are none. */
export const timeZone = z
  .string()
  .trim()
  .max(64, 'At most 64 characters')
  .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'Must be an IANA time zone such as Europe/Berlin')
  .refine((value) => asTimeZone(value) !== undefined, 'No such IANA time zone')
  .overwrite((value) => asTimeZone(value) ?? value);

/** A wall-clock time of a day, `00:00` to `23:59`. */
export const timeOfDay = z
  .string()
  .trim()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'Must be a time from 00:00 to 23:59');

/** The end of a stretch of a day: `24:00` is the day's end. */
export const endTimeOfDay = z
  .string()
  .trim()
  .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, 'Must be a time from 00:00 to 24:00');

const isHttpsUrl = (value: string): boolean => {
  const url = URL.parse(value);
  return url?.protocol === 'https:' && url.hostname !== '' && url.username === '' && url.password === '';
};

/** An `https` address without user name or password, of at most 2,048 characters. */
export const httpsUrl = line(1, 2048).refine(isHttpsUrl, 'Must be an https address').meta({ format: 'uri' });

/**
 * A password as it is chosen: 8 characters to 72 bytes (more is cut off by bcrypt), one upper-case and one lower-case
 * letter, one digit and one special character, and none of those that are tried first. Never trimmed.
 */
export const password = z
  .string()
  .normalize('NFC')
  .min(8, 'At least 8 characters')
  .refine((value) => new TextEncoder().encode(value).length <= 72, 'At most 72 bytes')
  .regex(/\p{Lu}/u, 'An upper-case letter is missing')
  .regex(/\p{Ll}/u, 'A lower-case letter is missing')
  .regex(/[0-9]/, 'A digit is missing')
  .regex(/[^\p{L}\p{N}\p{Cc}]/u, 'A special character is missing')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'Control characters are not allowed')
  .refine((value) => !isCommonPassword(value), {
    message: 'This password is one of those that are tried first; choose another',
    // Nothing to add where the form is wrong already.
    when: ({ issues }) => issues.length === 0,
  });

/** A password as it is typed in to be checked: what could never match is refused by the check itself, not by form. */
export const typedPassword = z
  .string()
  .normalize('NFC')
  .min(1, 'Must not be empty')
  .max(1000, 'At most 1000 characters');

/** The revision of an aggregate that the caller has seen, counted from 0. */
export const version = z.int('Must be a whole number').min(0, 'Must not be negative');

/** The name of a permission, `verb:resource`; `*:*` stands for all. */
export const permissionName = z
  .string()
  .trim()
  .regex(
    /^(?:[a-z][a-z0-9-]{1,39}:[a-z][a-z0-9-]{1,39}|\*:\*)$/,
    'Must be the name of a permission such as read:own-appointments',
  );

/** The name of a role: lower-case letters, digits and underscores. */
export const roleName = z
  .string()
  .trim()
  .regex(
    /^[a-z][a-z0-9_]{2,49}$/,
    'Must be 3 to 50 lower-case letters, digits or underscores, beginning with a letter',
  );

/** An ISO 639-1 language, two lower-case letters. */
export const language = z
  .string()
  .trim()
  .regex(/^[a-z]{2}$/, 'Must be a language of two letters such as en');

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** An ISO 4217 currency, three upper-case letters. */
export const currency = z
  .string()
  .trim()
  .regex(/^[A-Z]{3}$/, 'Must be a currency of three letters such as EUR')
  .refine((value) => CURRENCIES.has(value), 'No such currency');

/** The code of an insurance agent as it is typed in: upper-cased, so that it names one agent however it is written. */
export const agentCode = z
  .string()
  .trim()
  .normalize('NFC')
  .toUpperCase()
  .min(1, 'Must not be empty')
  .max(50, 'At most 50 characters');
