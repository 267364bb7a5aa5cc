import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AnyBinding, Done, Outcome } from '../../../commands/binding.ts';
import { emailHash } from '../../../commands/identity.ts';
import { primaryRoleOf } from '../../../domain/access/systemRoles.ts';
import type { Actor } from '../../../domain/decider.ts';
import { email, line, typedPassword } from '../../../domain/fields.ts';
import { account } from '../../../domain/identity/account.ts';
import { emailClaim } from '../../../domain/identity/emailClaim.ts';
import { locked, loginAttempts, recordFailedLogin, recordLogin } from '../../../domain/identity/loginAttempts.ts';
import {
  endLoginSession,
  loginSession,
  refreshSession,
  startLoginSession,
} from '../../../domain/identity/loginSession.ts';
import type { Position } from '../../../eventstore/port.ts';
import { roleAssignments } from '../../../projections/access/roleAssignments.ts';
import { roles } from '../../../projections/access/roles.ts';
import { accountOf, accounts } from '../../../projections/identity/accounts.ts';
import { loginSessions } from '../../../projections/identity/loginSessions.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { ACCESS_TOKEN_SECONDS } from '../../auth.ts';
import { Problem } from '../../problem.ts';
import { loginRequired, traceparentOf } from '../../request.ts';
import { clearCookies, newRefreshToken, type RefreshToken, refreshTokenOf, setCookies } from './tokens.ts';

const Login = z.object({
  email,
  password: typedPassword,
  deviceId: line(1, 100).optional(),
  deviceName: line(1, 100).optional(),
});
const Refresh = z.object({ refreshToken: z.string().max(200).optional() }).nullish();

const Tokens = z.object({
  accessToken: z.string().describe('JSON Web Token, HS256'),
  refreshToken: z.string().describe('Also set as a cookie that scripts cannot read'),
  csrfToken: z.string().describe('For the header X-CSRF-Token where the cookie is used'),
  expiresIn: z.int().describe('Seconds that the access token lives'),
  user: z.object({
    userId: z.string(),
    email: z.string(),
    displayName: z.string(),
    role: z.string().nullable(),
  }),
});

/** The part of the service that checks secrets and then acts on behalf of their holder. */
const gate: Actor = { id: 'service:login', kind: 'system', permissions: ['*:*'], verified: true };

/** Where a request came from, in the form that events take. */
const originOf = ({ ip, headers }: FastifyRequest) => ({
  ip: ip.slice(0, 100),
  userAgent: (headers['user-agent'] ?? '').replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, '').slice(0, 400),
});

const unauthorized = (reason: string, message: string) => new Problem('UNAUTHORIZED', message, { reason });

const refused = (outcome: Exclude<Outcome, Done>) => new Problem(outcome.code, outcome.message, outcome);

/** Log-in, exchange of tokens and log-out. */
export const loginRoutes = (app: App, deps: Deps): void => {
  const { db, commands, bindings, rights, sessions, caughtUp } = deps;
  const { reads } = commands;
  const now = () => reads.now();
  const csrfTokenOf = (sessionId: string): string => reads.hash('csrf', sessionId);

  const bindingOf = ({ name }: { readonly name: string }): AnyBinding => {
    const binding = bindings.find(({ command }) => command.name === name);
    if (binding === undefined) throw new Error(`No binding for ${name}`);
    return binding;
  };
  const run = (command: { readonly name: string }, input: unknown, request: FastifyRequest): Promise<Outcome> => {
    const traceparent = traceparentOf(request);
    return commands.execute(bindingOf(command), {
      input,
      actor: gate,
      correlationId: request.correlationId,
      ...(traceparent === undefined ? {} : { traceparent }),
    });
  };
  const must = async (...of: Parameters<typeof run>): Promise<Done> => {
    const outcome = await run(...of);
    if (!outcome.ok) throw refused(outcome);
    return outcome;
  };

  /** The token pair of a session, once the read models show the position. */
  const handOver = async (
    reply: FastifyReply,
    { accountId, token, position }: { accountId: string; token: RefreshToken; position: Position },
  ) => {
    await caughtUp([accounts, loginSessions, roleAssignments, roles], position);
    const [row, held] = await Promise.all([accountOf(db, accountId), rights.of(accountId)]);
    if (row === undefined || held === undefined || !held.active)
      throw unauthorized('account-unknown', 'This account does not exist or is closed');
    const role = primaryRoleOf(held.roles);
    const csrfToken = csrfTokenOf(token.sessionId);
    setCookies(reply, token.value, csrfToken);
    app.consistency.wrote(accountId, position);
    reply.header('consistency-token', String(position));
    reply.header('cache-control', 'no-store');
    const accessToken = app.auth.signAccessToken({
      sub: accountId,
      sid: token.sessionId,
      email: row.email,
      role: role ?? '',
      roles: held.roles,
      permissions: held.permissions,
    });
    const user = { userId: accountId, email: row.email, displayName: row.display_name, role };
    return ok({ accessToken, refreshToken: token.value, csrfToken, expiresIn: ACCESS_TOKEN_SECONDS, user });
  };

  const refuseWhileLocked = (...until: readonly (string | undefined)[]): void => {
    const at = now();
    for (const end of until) {
      if (end === undefined || Date.parse(end) <= at.getTime()) continue;
      const { code, message, reason, retryAfter } = locked(new Date(end), at);
      throw new Problem(code, message, { reason, retryAfter });
    }
  };

  /** The account behind the address and password. Throws what the caller is told otherwise. */
  const identify = async (
    { email: address, password }: { readonly email: string; readonly password: string },
    identifierHash: string,
    request: FastifyRequest,
  ): Promise<string> => {
    const { owner } = (await reads.load(emailClaim, emailHash(reads.hash, address))).state;
    const known = owner === undefined ? undefined : (await reads.load(account, owner)).state;
    const { lockedUntil } = (await reads.load(loginAttempts, identifierHash)).state;
    refuseWhileLocked(lockedUntil, known?.lockedUntil);
    const active = known?.status === 'active';
    const right = await reads.passwords.verify(password, active ? known.passwordHash : undefined);
    if (right && owner !== undefined) return owner;
    const input = {
      identifierHash,
      ...(active ? { accountId: owner } : {}),
      reason: active ? 'wrong_secret' : 'unknown',
      ...originOf(request),
    };
    const { data } = await must(recordFailedLogin, input, request);
    request.recorded = true;
    refuseWhileLocked((data as { lockedUntil: string | null }).lockedUntil ?? undefined);
    throw unauthorized('credentials-wrong', 'Address or password is wrong');
  };

  app.post(
    '/auth/login',
    {
      config: { access: 'anyone', unverified: true, credential: true },
      schema: { summary: 'Logs in', body: Login, response: { 200: answer(Tokens) } },
    },
    async (request, reply) => {
      const { deviceId, deviceName, ...credentials } = request.body;
      const identifierHash = reads.hash('login-identifier', `email/${credentials.email}`);
      const accountId = await identify(credentials, identifierHash, request);
      const token = newRefreshToken();
      const { sessionId } = token;
      const device = deviceId === undefined ? {} : { deviceId };
      const of = { accountId, sessionId, method: 'password', ...device, ...originOf(request) };
      await must(recordLogin, { identifierHash, ...of }, request);
      const named = deviceName === undefined ? {} : { deviceName };
      const { position } = await must(startLoginSession, { ...of, ...named, refreshTokenHash: token.hash }, request);
      return handOver(reply, { accountId, token, position });
    },
  );

  app.post(
    '/auth/refresh',
    {
      config: { access: 'anyone', unverified: true, refuses: [401, 403] },
      schema: {
        summary: 'Exchanges a refresh token for a new pair of tokens',
        body: Refresh,
        response: { 200: answer(Tokens) },
      },
    },
    async (request, reply) => {
      const invalid = () => unauthorized('refresh-token-invalid', 'Please log in again');
      const presented = refreshTokenOf(request, request.body?.refreshToken, csrfTokenOf);
      if (presented === undefined) throw invalid();
      const { sessionId } = presented;
      const { accountId } = (await reads.load(loginSession, sessionId)).state;
      if (accountId === undefined) throw invalid();
      const { status, lockedUntil } = (await reads.load(account, accountId)).state;
      const isLocked = lockedUntil !== undefined && Date.parse(lockedUntil) > now().getTime();
      if (status !== 'active' || isLocked) throw unauthorized('account-closed', 'This account is locked or closed');
      const token = newRefreshToken(sessionId);
      const input = { sessionId, presentedHash: presented.hash, nextHash: token.hash, ip: originOf(request).ip };
      const { position, data } = await must(refreshSession, input, request);
      if ((data as { reused: boolean }).reused) {
        request.recorded = true;
        sessions.ended?.(sessionId);
        clearCookies(reply);
        throw unauthorized('refresh-token-reused', 'This token was used before; please log in again');
      }
      return handOver(reply, { accountId, token, position });
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
      const sessionId = request.caller?.actor.sessionId ?? (await sessionOfRefreshToken(request));
      if (sessionId === undefined) throw request.callerProblem ?? loginRequired();
      const { position } = await must(endLoginSession, { sessionId, by: 'logout' }, request);
      sessions.ended?.(sessionId);
      clearCookies(reply);
      reply.header('consistency-token', String(position));
      return ok({});
    },
  );

  const sessionOfRefreshToken = async (request: FastifyRequest): Promise<string | undefined> => {
    const body = Refresh.safeParse(request.body).data;
    const token = refreshTokenOf(request, body?.refreshToken, csrfTokenOf);
    if (token === undefined) return undefined;
    const { refreshTokenHash } = (await reads.load(loginSession, token.sessionId)).state;
    return refreshTokenHash === token.hash ? token.sessionId : undefined;
  };
};
