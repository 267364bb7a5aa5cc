import { statusOf } from '../problem.ts';
import reasons from './reasons.json' with { type: 'json' };

const codes = Object.entries(statusOf)
  .map(([code, status]) => `| \`${code}\` | ${status} |`)
  .join('\n');

const reasonRows = reasons.map(({ reason, codes, message }) => `| \`${reason}\` | ${codes} | ${message} |`).join('\n');

/** What the API document says before its operations. */
export const overview = `
One service for people who have to agree on time, estimates, plans, policies and rights.

**Answers.** Success is \`{"success": true, "data": …}\`, failure
\`{"success": false, "error": {"code", "reason", "message", "details": [{"field", "message"}]}}\`. Programs look at \`code\`
and \`reason\`; \`message\` is for people.

**Login.** \`POST /api/v1/auth/login\` answers with an \`accessToken\` (15 minutes) for \`Authorization: Bearer …\` and a refresh
token. Accounts without a verified address reach only \`/auth\`, \`/mfa\` and \`/users/me\`.

**Commands and queries.** Every command has the path below and also \`POST /api/v1/commands/<Name>\`, with all of its input in
the body. A repeat with the same \`Idempotency-Key\` gives the first answer again. \`ETag\` is the version of the object;
\`If-Match\` makes a command conditional on it. What a command did is visible to the queries of the same caller at once; through
another node send its \`Consistency-Token\` along.

**Lists** take \`page\`, \`limit\`, and where named \`sort\` and \`order\`; they answer with \`pagination\`.

**Times** are ISO 8601 in UTC with \`Z\`, days \`YYYY-MM-DD\`, durations minutes.

**Limits.** Without login 100 requests in 15 minutes and address; logged in 100, with a larger plan or role 500, and 100 a
minute; credentials 5 in 15 minutes, address and operation. \`X-RateLimit-Limit\`, \`-Remaining\` and \`-Reset\` (seconds) tell how
you stand.

| Code | Status |
| --- | --- |
${codes}

| Reason | Code | Says |
| --- | --- | --- |
${reasonRows}
`;
