import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { personalDataIn } from '../../../audit/personalData.ts';
import { identifiersOf } from '../../../commands/identity/erasure.ts';
import { uuid } from '../../../domain/fields.ts';
import { auditEntries } from '../../../projections/audit/auditEntries.ts';
import { streamsConcerning } from '../../../projections/audit/search.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, asFile, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { callerOf } from '../../request.ts';
import { noteSensitiveRead } from '../../sensitiveReads.ts';
import { accountRow } from './profileView.ts';
import { othersNeed } from './users.ts';

const PersonalData = z.object({
  userId: z.string(),
  generatedAt: z.string(),
  items: z.array(
    z.object({
      context: z.string(),
      stream: z.string().describe('Where in the log it lies'),
      event: z.string().describe('The event that holds it'),
      at: z.string().describe('When it was stored'),
      field: z.string(),
      value: z.unknown(),
    }),
  ),
});

const Params = z.object({ accountId: uuid });

/** Everything personal that is stored of somebody, from the log itself, as a file to keep. */
export const personalDataRoutes = (app: App, deps: Deps): void => {
  const { db, commands, store, caughtUp } = deps;

  const exportOf = async (userId: string, request: FastifyRequest, reply: FastifyReply) => {
    await caughtUp([accounts, auditEntries], await store.head());
    await accountRow(deps, userId);
    const { reads } = commands;
    const identifiers = await identifiersOf(reads, userId);
    const streams = new Set([
      ...(await streamsConcerning(db, userId)),
      ...identifiers.map((identifier) => `loginAttempts-${identifier}`),
    ]);
    const items = await personalDataIn(deps, [...streams], new Set([userId, ...identifiers]));
    if (userId !== callerOf(request).accountId) {
      const fields = [...new Set(items.map(({ event, field }) => `${event}.${field}`))].sort();
      await noteSensitiveRead(deps, request, { targetType: 'account', targetId: userId, fields });
    }
    reply.headers(asFile(`personal-data-${userId}.json`, 'application/json; charset=utf-8'));
    return ok({ userId, generatedAt: reads.now().toISOString(), items: [...items] });
  };

  const response = { 200: answer(PersonalData) };

  app.get(
    '/users/me/personal-data',
    {
      config: { access: 'loggedIn', unverified: true },
      schema: { summary: 'Everything that is stored about oneself, as a file', response },
    },
    async (request, reply) => exportOf(callerOf(request).accountId, request, reply),
  );

  app.get(
    '/users/:accountId/personal-data',
    {
      config: { access: 'loggedIn' },
      preValidation: othersNeed('read:users'),
      schema: { summary: 'Everything that is stored about a person, as a file', params: Params, response },
    },
    async (request, reply) => exportOf(request.params.accountId, request, reply),
  );
};
