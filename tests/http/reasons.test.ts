import t from 'tap';
import { reasons, reasonsIn } from '../../scripts/generated/reasons.ts';
import { overview } from '../../src/http/openapi/overview.ts';

t.test('reasons are found in every spelling', async (t) => {
  const text = [
    "reject('CONFLICT', 'slot-taken', 'The slot is taken', 'slotId')",
    `reject(
  'NOT_FOUND',
  'slot-unknown',
  \`No slot \${name}\`,
)`,
    "reject('NOT_FOUND', 'slot-taken', 'Gone')",
    "rejected({ code: 'UNAUTHORIZED', reason: 'login-required', message: \"Don't\" })",
    "new Problem('FORBIDDEN', 'Not here', { reason: 'foreign-origin' })",
    "new Problem('BAD_REQUEST', message, { reason: 'unreadable' })",
    "throw refused('token-expired', 'Expired')",
    "const REUSED = { ...invalid(), reason: 'token-reused', message: 'Used before' }",
    "const answer = { reason: 'no-refusal' }",
  ].join('\n');
  t.same(reasonsIn([text]), [
    { reason: 'foreign-origin', codes: 'FORBIDDEN', message: 'Not here' },
    { reason: 'login-required', codes: 'UNAUTHORIZED', message: "Don't" },
    { reason: 'slot-taken', codes: 'CONFLICT, NOT_FOUND', message: 'The slot is taken' },
    { reason: 'slot-unknown', codes: 'NOT_FOUND', message: 'No slot …' },
    { reason: 'token-expired', codes: 'UNAUTHORIZED', message: 'Expired' },
    { reason: 'token-reused', codes: 'UNAUTHORIZED', message: 'Used before' },
    { reason: 'unreadable', codes: 'BAD_REQUEST', message: '' },
  ]);
});

t.test('the API reference lists the reasons of the service', async (t) => {
  const all = reasons(new URL('../../', import.meta.url));
  t.ok(all.length > 90, `saw ${all.length}`);
  for (const { reason } of all) t.match(overview, new RegExp(`\\| \`${reason}\` \\|`));
});
