import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { INTEGRATION_STATUS, IntegrationAnswer } from '../../../commands/messaging/answers.ts';
import { Completed, type FAILURES, flowIdOf, Initiated } from '../../../commands/messaging/index.ts';
import { can } from '../../../domain/decider.ts';
import { completeIntegration } from '../../../domain/messaging/oauthFlow.ts';
import {
  CAPABILITIES,
  capabilitiesIn,
  capabilitiesOf,
  offers,
  PROVIDERS,
  scopesFor,
} from '../../../domain/messaging/offers.ts';
import {
  type IntegrationRow,
  integrationOf,
  integrations,
  integrationsOf,
} from '../../../projections/messaging/integrations.ts';
import { answer, found, listAnswer, offsetOf, ok, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { type Presenter, runCommand } from '../../commandRoutes.ts';
import { CallbackQuery, flowCookies } from '../../flowCookies.ts';
import { Problem } from '../../problem.ts';
import { accountOf, actorOf } from '../../request.ts';

const provider = z.enum(PROVIDERS);
const capability = z.enum(CAPABILITIES);

type Status = (typeof INTEGRATION_STATUS)[number];

/** How a connection stands: one whose token has ended and cannot be refreshed has expired. */
const statusOf = ({ status, refreshable, expires_at }: IntegrationRow, now: Date): Status =>
  status === 'active' && !refreshable && expires_at !== null && Date.parse(expires_at) <= now.getTime()
    ? 'expired'
    : status;

const viewOf = (row: IntegrationRow, now: Date): z.output<typeof IntegrationAnswer> => ({
  id: row.integration_id,
  provider: row.provider,
  externalAccount: row.external_account,
  scopes: [...row.scopes],
  capabilities: row.status === 'revoked' ? [] : [...capabilitiesIn(row.provider, row.scopes)],
  status: statusOf(row, now),
  connectedAt: row.connected_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});

const cookies = flowCookies('integration', '/api/v1/oauth/callback');

/** Ties the way to the provider to the browser, and tells where to send it. */
const begin: Presenter = async (_deps, { outcome, reply }) => {
  const { authorizationUrl, state, expiresAt, flowId, browser } = Initiated.parse(outcome.data);
  cookies.set(reply, flowId, browser);
  return { authorizationUrl, state, expiresAt };
};

/** The integration as it is after the refresh. */
const refreshed: Presenter = async ({ db, commands, caughtUp }, { input, outcome }) => {
  await caughtUp([integrations], outcome.position);
  const row = found(await integrationOf(db, String(input.integrationId)), 'integration');
  return viewOf(row, commands.reads.now());
};

/** What the answers of commands on connections get at the edge. */
export const integrationPresenters: Readonly<Record<string, Presenter>> = {
  InitiateIntegration: begin,
  RefreshIntegration: refreshed,
};

/** What those are told who do not follow redirects. */
const FAILURE: Readonly<Record<(typeof FAILURES)[number], () => Problem>> = {
  denied: () => new Problem('VALIDATION_ERROR', 'The connection was not agreed to', { reason: 'connection-denied' }),
  'exchange-failed': () =>
    new Problem('UNAUTHORIZED', 'The provider did not vouch for this connection; please begin anew', {
      reason: 'connection-exchange-failed',
    }),
  unavailable: () =>
    new Problem('SERVICE_UNAVAILABLE', 'The provider gives no answer; try again', { reason: 'connection-unavailable' }),
  'account-inactive': () =>
    new Problem('UNAUTHORIZED', 'The account that this was begun for is closed', {
      reason: 'connection-account-inactive',
    }),
};

/** Connecting outside accounts: what there is, where a browser comes back, and how connections stand. */
export const integrationRoutes = (app: App, deps: Deps): void => {
  const { db, commands } = deps;
  const { reads } = commands;
  const own = { access: 'manage:own-integrations', apiKey: true, reads: [integrations] } as const;
  const living = async (accountId: string) =>
    (await integrationsOf(db, accountId)).filter(({ status }) => status !== 'revoked');

  app.get(
    '/oauth/providers',
    {
      config: own,
      schema: {
        summary: 'The outside services that can be connected, and what each can be used for',
        response: {
          200: answer(
            z.object({
              providers: z.array(
                z.object({
                  provider,
                  name: z.string(),
                  configured: z.boolean(),
                  connected: z.boolean(),
                  capabilities: z.array(
                    z.object({ name: capability, scopes: z.array(z.string()), connected: z.boolean() }),
                  ),
                  planNeeded: z.string().nullable().describe('A permission that your plan does not have'),
                }),
              ),
            }),
          ),
        },
      },
    },
    async (request) => {
      const rows = await living(accountOf(request));
      const actor = actorOf(request);
      return ok({
        providers: PROVIDERS.map((name) => {
          const active = rows.filter((row) => row.provider === name && row.status === 'active');
          const there = active.flatMap(({ scopes }) => capabilitiesIn(name, scopes));
          const { permission } = offers[name];
          return {
            provider: name,
            name: offers[name].name,
            configured: reads.connectors.providers[name] !== undefined,
            connected: active.length > 0,
            capabilities: capabilitiesOf(name).map((capability) => ({
              name: capability,
              scopes: [...scopesFor(name, capability)],
              connected: there.includes(capability),
            })),
            planNeeded: permission === undefined || can(actor, permission) ? null : permission,
          };
        }),
      });
    },
  );

  app.get(
    '/oauth/callback',
    {
      config: { access: 'anyone', unverified: true, refuses: [401], runsCommand: true },
      schema: {
        summary: 'Where a provider sends the browser back to, with what its person has agreed to',
        querystring: CallbackQuery,
        response: {
          200: answer(Completed.pick({ status: true, integrationId: true, missing: true })),
          302: {
            description:
              'To the address that was begun with: `status=connected`, and `missing` with what was not granted; or `status=error` and `reason`',
          },
        },
      },
    },
    async (request, reply) => {
      const browser = cookies.take(request, reply, flowIdOf(reads.hash, request.query.state));
      const input = { ...request.query, browser };
      const outcome = await runCommand(app, deps, bindingOf(completeIntegration), { request, reply, input });
      const { redirect, accountId, status, reason, integrationId, missing } = Completed.parse(outcome.data);
      // The browser comes without a login, and its person looks at once.
      app.consistency.wrote(accountId, outcome.position);
      reply.header('referrer-policy', 'no-referrer');
      if (!(request.headers.accept ?? '').includes('application/json')) return reply.redirect(redirect, 302);
      if (reason !== undefined) throw FAILURE[reason]();
      return ok({ status, integrationId, missing });
    },
  );

  app.get(
    '/oauth/integrations',
    {
      config: own,
      schema: {
        summary: 'Your connections to outside accounts, those that have ended too',
        querystring: z.object({
          ...page(),
          provider: provider.optional(),
          status: z.enum(INTEGRATION_STATUS).optional(),
        }),
        response: { 200: listAnswer('integrations', IntegrationAnswer) },
      },
    },
    async (request) => {
      const { query } = request;
      // An account has a handful of them.
      const all = (await integrationsOf(db, accountOf(request)))
        .map((row) => viewOf(row, reads.now()))
        .filter((row) => query.provider === undefined || row.provider === query.provider)
        .filter((row) => query.status === undefined || row.status === query.status);
      const offset = offsetOf(query);
      return paginated('integrations', all.slice(offset, offset + query.limit), all.length, query);
    },
  );

  app.get(
    '/oauth/status',
    {
      config: own,
      schema: {
        summary: 'How your connections stand, by provider',
        response: {
          200: answer(
            z.object({
              providers: z.array(
                z.object({
                  provider,
                  connected: z.boolean(),
                  status: z.enum(INTEGRATION_STATUS).nullable(),
                  expiresAt: z.string().nullable(),
                  missingCapabilities: z.array(capability),
                }),
              ),
              counts: z.object({
                total: z.int(),
                active: z.int(),
                expired: z.int(),
                needs_reconnect: z.int(),
              }),
            }),
          ),
        },
      },
    },
    async (request) => {
      const now = reads.now();
      const rows = (await living(accountOf(request))).map((row) => viewOf(row, now));
      const counted = (status: Status) => rows.filter((row) => row.status === status).length;
      return ok({
        providers: PROVIDERS.map((name) => {
          const mine = rows.filter((row) => row.provider === name);
          const best = mine.find(({ status }) => status === 'active') ?? mine[0];
          const there = mine.filter(({ status }) => status === 'active').flatMap(({ capabilities }) => capabilities);
          return {
            provider: name,
            connected: best?.status === 'active',
            status: best?.status ?? null,
            expiresAt: best?.expiresAt ?? null,
            missingCapabilities: capabilitiesOf(name).filter((capability) => !there.includes(capability)),
          };
        }),
        counts: {
          total: rows.length,
          active: counted('active'),
          expired: counted('expired'),
          needs_reconnect: counted('needs_reconnect'),
        },
      });
    },
  );
};
