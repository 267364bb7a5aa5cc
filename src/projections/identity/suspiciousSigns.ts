import type { Kysely } from 'kysely';
import { type CrowdPattern, type Pattern, type Sign, signsKept } from '../../domain/identity/suspicion.ts';
import { json, projection, type RowOf, text } from '../projection.ts';

const columns = { key: text, signs: json<readonly Sign[]>() };
export type SuspiciousSignsRow = RowOf<typeof columns>;
type Row = SuspiciousSignsRow | undefined;

/** The most signs kept of one subject: more than make any pattern. */
const KEPT = 200;

const keyOf = (pattern: Pattern, subject: string): string => `${pattern}/${subject}`;

const more = (row: Row, key: string, pattern: CrowdPattern, sign: Sign): SuspiciousSignsRow => {
  const since = new Date(Date.parse(sign.at) - signsKept(pattern)).toISOString();
  const recent = (row?.signs ?? []).filter(({ at }) => at > since);
  return { key, signs: [...recent, sign].slice(-KEPT) };
};

/**
 * What has happened lately that is suspicious when it comes in numbers, by pattern and subject: failed log-ins by the
 * keyed hash of the address they came from, refusals and locks after failed log-ins by account.
 */
export const suspiciousSigns = projection({
  name: 'suspicious_signs',
  version: 3,
  columns,
  key: {
    column: 'key',
    of: ({ type, data }) => {
      if (type === 'AccessDenied') return data.accountId === undefined ? [] : keyOf('access_probing', data.accountId);
      if (type === 'AccountLocked')
        return data.reason === 'failed_logins' ? keyOf('many_lockouts', data.accountId) : [];
      return data.ipHash === undefined ? [] : keyOf('password_spray', data.ipHash);
    },
  },
  fold: {
    LoginFailed: (row: Row, { data, recordedAt }, key) =>
      more(row, key, 'password_spray', { at: recordedAt, about: data.accountId ?? data.identifierHash, count: 1 }),
    AccessDenied: (row: Row, { data, recordedAt }, key) =>
      more(row, key, 'access_probing', { at: recordedAt, about: data.path, count: data.count }),
    AccountLocked: (row: Row, { data, recordedAt }, key) =>
      more(row, key, 'many_lockouts', { at: recordedAt, about: data.accountId, count: 1 }),
  },
});

/** What is kept of a subject, oldest first. */
export const signsOf = async (
  db: Kysely<{ suspicious_signs: SuspiciousSignsRow }>,
  pattern: Pattern,
  subject: string,
): Promise<readonly Sign[]> => {
  const row = await db
    .selectFrom('suspicious_signs')
    .select('signs')
    .where('key', '=', keyOf(pattern, subject))
    .executeTakeFirst();
  return row?.signs ?? [];
};
