import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { SignedIn, Started } from '../../../commands/identity/oauth/index.ts';
import { stateHashOf } from '../../../commands/identity/oauth/secrets.ts';
import { SIGN_IN_PROVIDERS } from '../../../domain/identity/account/events.ts';
import { account } from '../../../domain/identity/account/index.ts';
import { completeOAuthSignIn, continueOAuthSignIn, startOAuthSignIn } from '../../../domain/identity/oauthSignIn.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { type Presenter, runCommand } from '../../commandRoutes.ts';
import { CallbackQuery, flowCookies } from '../../flowCookies.ts';
import { handOver } from './login.ts';

const cookies = flowCookies('oauth', '/api/v1/auth/oauth');

const provider = z.enum(SIGN_IN_PROVIDERS);
const Provider = z.object({ provider });

/** Ties the sign-in to the browser, and tells where to send it. */
export const beginSignIn: Presenter = async (_deps, { outcome, reply }) => {
  const { authorizationUrl, stateHash, browser } = Started.parse(outcome.data);
  cookies.set(reply, stateHash, browser);
  return { authorizationUrl };
};

const Linked = z.object({ linked: provider });

/** What a sign-in leads to: the tokens of a session, the question for the second factor, or a linked identity. */
export const handOverSignIn = async (deps: Deps, of: Parameters<Presenter>[1]): Promise<z.output<typeof SignedIn>> => {
  const linked = Linked.safeParse(of.outcome.data).data;
  return linked ?? handOver(deps, of);
};

/** Whether the sign-in opened an account. */
const Created = z.object({ created: z.boolean().optional() });

/** Somebody whose token has expired meant his account, and would begin a sign-in to another one. */
const refuseFormerCaller = (request: FastifyRequest): void => {
  if (request.callerProblem !== undefined) throw request.callerProblem;
};

/** Signing in with a provider: where a browser goes, comes back, and what a client makes of it. */
export const oauthRoutes = (app: App, deps: Deps): void => {
  const { config, commands } = deps;
  const { reads } = commands;
  const open = { access: 'anyone', unverified: true, runsCommand: true } as const;

  const begin = async (request: FastifyRequest, reply: FastifyReply, input: Readonly<Record<string, unknown>>) => {
    refuseFormerCaller(request);
    const outcome = await runCommand(app, deps, bindingOf(startOAuthSignIn), { request, reply, input });
    return (await beginSignIn(deps, { app, input, outcome, request, reply })) as { authorizationUrl: string };
  };

  app.get(
    '/auth/oauth',
    {
      config: { access: 'anyone', unverified: true },
      schema: {
        summary: 'The providers that people may sign in with',
        response: {
          200: answer(
            z.object({
              providers: z.array(
                z.object({
                  provider,
                  configured: z.boolean(),
                  linked: z.boolean().describe('To the account that is logged in'),
                }),
              ),
            }),
          ),
        },
      },
    },
    async ({ caller }) => {
      const identities = caller === undefined ? {} : (await reads.load(account, caller.accountId)).state.identities;
      return ok({
        providers: SIGN_IN_PROVIDERS.map((name) => ({
          provider: name,
          configured: reads.signIn.providers[name] !== undefined,
          linked: Object.hasOwn(identities, name),
        })),
      });
    },
  );

  app.get(
    '/auth/oauth/:provider',
    {
      config: open,
      schema: {
        summary: 'Begins to sign in with a provider, or to link an identity to the account that is logged in',
        params: Provider,
        querystring: z.object({
          redirect_uri: z.string().describe('Where the browser comes out; one of those that are configured'),
          state: z.string().describe("The client's own, 8 to 200 characters, sent back to it"),
        }),
        response: { 200: answer(z.object({ authorizationUrl: z.string() })) },
      },
    },
    async (request, reply) => {
      const { redirect_uri, state } = request.query;
      return ok(await begin(request, reply, { provider: request.params.provider, redirect_uri, state }));
    },
  );

  app.get(
    '/auth/google',
    {
      config: open,
      schema: {
        summary: 'Sends the browser to Google; without `redirect_uri` it comes out at the first address configured',
        querystring: z.object({ redirect_uri: z.string().optional(), state: z.string().optional() }),
        response: { 302: { description: 'To Google' } },
      },
    },
    async (request, reply) => {
      const { redirect_uri = config.signIn.redirectUris[0] ?? 'none', state = randomBytes(16).toString('base64url') } =
        request.query;
      const { authorizationUrl } = await begin(request, reply, { provider: 'google', redirect_uri, state });
      return reply.redirect(authorizationUrl, 302);
    },
  );

  app.get(
    '/auth/oauth/:provider/callback',
    {
      config: open,
      schema: {
        summary: 'Where a provider sends the browser back to; sends it on with a code that lives for 60 seconds',
        params: Provider,
        querystring: CallbackQuery,
        response: {
          302: { description: 'To the address that the sign-in was begun with: `code` or `error`, and `state`' },
        },
      },
    },
    async (request, reply) => {
      const browser = cookies.take(request, reply, stateHashOf(reads.hash, request.query.state));
      const input = { ...request.query, provider: request.params.provider, browser };
      const outcome = await runCommand(app, deps, bindingOf(continueOAuthSignIn), { request, reply, input });
      reply.header('referrer-policy', 'no-referrer');
      return reply.redirect(z.object({ redirect: z.string() }).parse(outcome.data).redirect, 302);
    },
  );

  app.post(
    '/auth/google',
    {
      config: { ...open, credential: completeOAuthSignIn.name },
      schema: {
        summary: 'Signs in with an ID token of Google, or exchanges the code that a sign-in led to',
        body: z
          .object({
            idToken: z.string().optional(),
            nonce: z.string().optional(),
            code: z.string().optional(),
            state: z.string().optional(),
            deviceId: z.string().optional(),
            deviceName: z.string().optional(),
          })
          .meta({ examples: [{ idToken: 'of Google' }] }),
        response: { 200: answer(SignedIn), 201: answer(SignedIn) },
      },
    },
    async (request, reply) => {
      const input = { ...request.body, provider: 'google' };
      const outcome = await runCommand(app, deps, bindingOf(completeOAuthSignIn), { request, reply, input });
      const data = await handOverSignIn(deps, { app, input, outcome, request, reply });
      reply.code(Created.parse(outcome.data).created ? 201 : 200);
      return ok(data);
    },
  );
};
