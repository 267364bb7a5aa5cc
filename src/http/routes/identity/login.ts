import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { MfaRequired, Session, Tokens } from '../../../commands/identity/login/session.ts';
import { newest } from '../../../commands/reads.ts';
import { primaryRoleOf } from '../../../domain/access/systemRoles.ts';
import type { Actor } from '../../../domain/decider.ts';
import { loginSession, refreshSession, revokeLoginSession } from '../../../domain/identity/loginSession.ts';
import { roleAssignments } from '../../../projections/access/roleAssignments.ts';
import { roles } from '../../../projections/access/roles.ts';
import { accountOf, accounts } from '../../../projections/identity/accounts.ts';
import { loginSessions } from '../../../projections/identity/loginSessions.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { ACCESS_TOKEN_SECONDS } from '../../auth.ts';
import { type Presenter, runCommand } from '../../commandRoutes.ts';
import { Problem } from '../../problem.ts';
import { loginRequired } from '../../request.ts';
import { clearCookies, csrfTokenOf, refreshTokenOf, setCookies } from './tokens.ts';

const Refresh = z.object({ refreshToken: z.string().max(200).optional() }).nullish();

/** The tokens of a session that has just begun or gone on, once the read models show it. */
const tokensOf = async (
  deps: Deps,
  { app, outcome, reply }: Parameters<Presenter>[1],
  { accountId, sessionId, refreshToken }: z.output<typeof Session>,
): Promise<z.output<typeof Tokens>> => {
  const { db, rights, caughtUp, commands } = deps;
  await caughtUp([accounts, loginSessions, roleAssignments, roles], outcome.position);
  const [row, held] = await Promise.all([accountOf(db, accountId), rights.of(accountId)]);
  if (row === undefined || held === undefined || !held.active)
    throw new Problem('UNAUTHORIZED', 'This account does not exist or is closed', { reason: 'account-unknown' });
  const role = primaryRoleOf(held.roles);
  const csrfToken = csrfTokenOf(commands.reads.hash, sessionId);
  setCookies(reply, refreshToken, csrfToken);
  app.consistency.wrote(accountId, outcome.position);
  const accessToken = app.auth.signAccessToken({
    sub: accountId,
    sid: sessionId,
    email: row.email,
    role: role ?? '',
    roles: held.roles,
    permissions: held.permissions,
  });
  const user = { userId: accountId, email: row.email, displayName: row.display_name, role };
  return { accessToken, refreshToken, csrfToken, expiresIn: ACCESS_TOKEN_SECONDS, user };
};

const FirstFactor = z.union([Session, MfaRequired]);

/** What a log-in leads to: the tokens of its session, or the question for the second factor. */
export const handOver = async (
  deps: Deps,
  of: Parameters<Presenter>[1],
): Promise<z.output<typeof Tokens> | z.output<typeof MfaRequired>> => {
  const data = FirstFactor.parse(of.outcome.data);
  return 'mfaRequired' in data ? data : tokensOf(deps, of, data);
};

/** The same for a code that may also have proved a telephone number. */
export const handOverCode: Presenter = async (deps, of) =>
  FirstFactor.safeParse(of.outcome.data).success ? handOver(deps, of) : of.outcome.data;

/** Exchange of tokens and log-out, for browsers that hold the refresh token in a cookie and for clients that send it. */
export const loginRoutes = (app: App, deps: Deps): void => {
  const { commands } = deps;
  const { reads } = commands;
  const [exchange, revoke] = [bindingOf(refreshSession), bindingOf(revokeLoginSession)];

  app.post(
    '/auth/refresh',
    {
      config: { access: 'anyone', unverified: true, refuses: [401, 403], runsCommand: true },
      schema: {
        summary: 'Exchanges a refresh token for a new pair of tokens',
        body: Refresh,
        response: { 200: answer(Tokens) },
      },
    },
    async (request, reply) => {
      const presented = refreshTokenOf(request, request.body?.refreshToken, reads.hash);
      try {
        const input = { refreshToken: presented?.value ?? '' };
        const outcome = await runCommand(app, deps, exchange, { request, reply, input });
        const of = { app, input, outcome, request, reply };
        return ok(await tokensOf(deps, of, Session.parse(outcome.data)));
      } catch (error) {
        if (error instanceof Problem && error.reason === 'refresh-token-reused') clearCookies(reply);
        throw error;
      }
    },
  );

  app.post(
    '/auth/logout',
    {
      config: { access: 'anyone', unverified: true, refuses: [401, 403] },
      schema: {
        summary: 'Ends the login session of the access token, or of the refresh token in body or cookie',
        body: Refresh,
        response: { 200: answer(z.object({})) },
      },
    },
    async (request, reply) => {
      const actor = request.caller?.actor ?? (await holderOf(request));
      const sessionId = actor?.sessionId;
      if (actor === undefined || sessionId === undefined) throw request.callerProblem ?? loginRequired();
      const input = { sessionId };
      const ended = await commands.execute(revoke, { input, actor, correlationId: request.correlationId });
      if (!ended.ok) throw new Problem(ended.code, ended.message, ended);
      clearCookies(reply);
      reply.header('consistency-token', String(ended.position));
      return ok({});
    },
  );

  /** Who holds the refresh token of the request, as far as his own session goes. */
  const holderOf = async (request: FastifyRequest): Promise<Actor | undefined> => {
    const body = Refresh.safeParse(request.body).data;
    const token = refreshTokenOf(request, body?.refreshToken, reads.hash);
    if (token === undefined) return undefined;
    const { sessionId } = token;
    const { accountId, refreshTokenHash } = await newest(reads, loginSession, sessionId);
    if (accountId === undefined || refreshTokenHash !== token.hash) return undefined;
    return { id: accountId, kind: 'user', permissions: [], verified: true, sessionId };
  };
};
