import { z } from 'zod';
import { uuid } from '../../../domain/fields.ts';
import { loginAttemptsOf, loginHistory } from '../../../projections/identity/loginHistory.ts';
import { listAnswer, offsetOf, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { rangeEnd, rangeOf } from '../../dateRange.ts';
import { callerOf } from '../../request.ts';
import { accountRow } from './profileView.ts';
import { othersNeed } from './users.ts';

const Attempt = z.object({
  timestamp: z.string(),
  ip: z.string(),
  userAgent: z.string(),
  success: z.boolean(),
  reason: z.string().nullable().describe('Why it failed'),
});

const Query = z.object({
  ...page(),
  success: z.enum(['true', 'false']).optional(),
  from: rangeEnd.optional(),
  to: rangeEnd.optional(),
});

/** The latest hundred attempts to log in to an account, newest first. */
export const historyRoutes = (app: App, deps: Deps): void => {
  const pageOf = async (accountId: string, query: z.output<typeof Query>) => {
    const { from, to } = rangeOf(query);
    const attempts = (await loginAttemptsOf(deps.db, accountId)).filter(
      ({ timestamp, success }) =>
        (query.success === undefined || String(success) === query.success) &&
        (from === undefined || timestamp >= from) &&
        (to === undefined || timestamp < to),
    );
    const start = offsetOf(query);
    return paginated('items', attempts.slice(start, start + query.limit), attempts.length, query);
  };
  const schema = { querystring: Query, response: { 200: listAnswer('items', Attempt) } };

  app.get(
    '/users/me/login-history',
    {
      config: { access: 'loggedIn', unverified: true, reads: [loginHistory] },
      schema: { ...schema, summary: 'The latest hundred attempts to log in to the own account, newest first' },
    },
    async (request) => pageOf(callerOf(request).accountId, request.query),
  );

  app.get(
    '/users/:accountId/login-history',
    {
      config: { access: 'loggedIn', reads: [loginHistory] },
      preValidation: othersNeed('*:*'),
      schema: {
        ...schema,
        params: z.object({ accountId: uuid }),
        summary: 'The latest hundred attempts to log in to an account, newest first',
      },
    },
    async (request) => {
      const { account_id } = await accountRow(deps, request.params.accountId);
      return pageOf(account_id, request.query);
    },
  );
};
