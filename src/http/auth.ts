import jwt from '@fastify/jwt';
import type { FastifyRequest } from 'fastify';
import type { Access } from '../commands/binding.ts';
import { type Actor, can } from '../domain/decider.ts';
import type { App, Deps } from './app.ts';
import { Problem, permissionMissing } from './problem.ts';
import { actorOf, type Caller, loginRequired } from './request.ts';
import { keyIdOf, type TokenKey, tokenKeyOf } from './tokenKeys.ts';

/** Seconds that an access token lives. */
export const ACCESS_TOKEN_SECONDS = 900;

/** What an access token says. The service itself believes only `sub` and `sid`; the rest is for clients. */
export type AccessClaims = {
  /** Account id. */
  readonly sub: string;
  /** Login session id. */
  readonly sid: string;
  readonly email: string;
  /** The role of the highest rank. */
  readonly role: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
};

/** Milliseconds after which a route that names no others waits no longer for the rights of its caller. */
const CALLER_MS = 5_000;

export type Auth = {
  /** An access token that lives for {@link ACCESS_TOKEN_SECONDS}. */
  readonly signAccessToken: (claims: AccessClaims) => string;
  /** Who holds the token, as of now: revoked sessions and former rights do not count. Throws a 401 Problem. */
  readonly callerOfToken: (token: string) => Promise<Caller & { readonly endsAt: Date }>;
  /** The same for a login that was proved before. */
  readonly callerOfSession: (accountId: string, sessionId: string) => Promise<Caller>;
  /** What access tokens can be checked with by others, as JSON Web Keys; none where they are signed with a secret. */
  readonly publicKeys: readonly Readonly<Record<string, unknown>>[];
};

declare module 'fastify' {
  interface FastifyInstance {
    auth: Auth;
  }
}
declare module '@fastify/jwt' {
  interface FastifyJWT {
    namespaces: 'current' | 'previous';
    payload: AccessClaims;
    user: AccessClaims;
  }
}

const refused = (reason: string, message: string) => new Problem('UNAUTHORIZED', message, { reason });

/** Registers access tokens and fills `request.caller`. */
export const registerAuth = async (app: App, deps: Deps): Promise<void> => {
  const { config, secrets, rights, sessions, apiKeys } = deps;
  const signer = tokenKeyOf(secrets.jwtSecret, 'JWT_SECRET');
  const former =
    config.jwtSecretPrevious === undefined ? undefined : tokenKeyOf(config.jwtSecretPrevious, 'JWT_SECRET_PREVIOUS');
  const register = async (namespace: 'current' | 'previous', { kid, algorithm, signing, checking }: TokenKey) =>
    app.register(jwt, {
      namespace,
      secret: algorithm === 'HS256' ? signing : { private: signing, public: checking },
      sign: { algorithm, kid, expiresIn: ACCESS_TOKEN_SECONDS },
      // One algorithm for each key, so that no token can choose how it is checked.
      verify: { algorithms: [algorithm], cache: 5_000 },
    });
  await register('current', signer);
  if (former !== undefined) await register('previous', former);
  const { current, previous } = app.jwt as Partial<typeof app.jwt>;

  const claimsOf = (token: string): AccessClaims & { readonly exp: number } => {
    const byFormer = former !== undefined && keyIdOf(token) === former.kid;
    try {
      return ((byFormer ? previous : current) ?? app.jwt.current).verify<AccessClaims & { readonly exp: number }>(
        token,
      );
    } catch (error) {
      throw tokenProblem(error);
    }
  };

  const callerOfToken: Auth['callerOfToken'] = async (token) => {
    const { sub, sid, exp } = claimsOf(token);
    if (typeof sub !== 'string' || typeof sid !== 'string')
      throw refused('token-invalid', 'The access token is not valid');
    return { ...(await callerOfSession(sub, sid)), endsAt: new Date(exp * 1000) };
  };

  const callerOfSession = async (sub: string, sid: string): Promise<Caller> => {
    const known = rights.of(sub);
    // Looked up beside the session; what goes wrong with it matters only for a session that is alive.
    if (known instanceof Promise) known.catch(() => {});
    const alive = sessions.alive(sid, sub);
    if (!(typeof alive === 'boolean' ? alive : await alive))
      throw refused('session-ended', 'This login session has ended; please log in again');
    const held = known instanceof Promise ? await known : known;
    if (held === undefined || !held.active)
      throw refused('account-unknown', 'This account does not exist or is closed');
    return {
      actor: { id: sub, kind: 'user', permissions: held.permissions, verified: held.verified, sessionId: sid },
      accountId: sub,
      rights: held,
    };
  };

  const callerOfKey = async (value: string): Promise<Caller> => {
    const key = await apiKeys?.of(value);
    const held = key && (await rights.of(key.accountId));
    if (key === undefined || held === undefined || !held.active)
      throw refused('api-key-invalid', 'The API key is not valid');
    // A key never holds more than its owner does now.
    const permissions = key.permissions.filter((permission) => can(held, permission));
    return {
      actor: { id: key.accountId, kind: 'api_key', permissions, verified: held.verified },
      accountId: key.accountId,
      rights: held,
      keyId: key.keyId,
    };
  };

  app.decorate('auth', {
    signAccessToken: (claims: AccessClaims) => app.jwt.current.sign(claims),
    callerOfToken,
    callerOfSession,
    publicKeys: [signer, former].flatMap((key) => (key?.jwk === undefined ? [] : [key.jwk])),
  });
  app.decorateRequest('caller', undefined);
  app.decorateRequest('callerProblem', undefined);

  app.addHook('onRequest', async (request) => {
    const { authorization } = request.headers;
    const key = request.headers['x-api-key'];
    if (authorization === undefined && key === undefined) return;
    const find = async (): Promise<Caller | undefined> => {
      if (authorization !== undefined) return callerOfToken(bearerOf(authorization));
      return typeof key === 'string' ? callerOfKey(key) : undefined;
    };
    try {
      request.caller = await within(request.routeOptions.config.callerWithin ?? CALLER_MS, find());
    } catch (error) {
      request.callerProblem =
        error instanceof Problem
          ? error
          : new Problem('SERVICE_UNAVAILABLE', 'Rights cannot be read just now; please try again', { retryAfter: 2 });
      if (!(error instanceof Problem)) deps.log.warn({ err: error }, 'rights could not be read');
    }
  });
};

/** What the work comes to, unless it takes longer: a database that hangs must not hold up its callers as well. */
const within = async <Value>(ms: number, work: Promise<Value>): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, fail) => {
    timer = setTimeout(() => fail(new Error(`No answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const tokenProblem = (error: unknown): Problem =>
  codeOf(error) === 'FAST_JWT_EXPIRED'
    ? refused('token-expired', 'The access token has expired')
    : refused('token-invalid', 'The access token is not valid');

const bearerOf = (authorization: string): string => {
  const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw refused('token-invalid', 'The Authorization header must read "Bearer <access token>"');
  return token;
};

/** What a route asks of its caller before anything else is looked at. */
export type Entry = {
  readonly access: Access;
  readonly unverified: boolean;
  readonly apiKey: boolean | `${string}:${string}`;
};

const demand = (actor: Actor, permission: string): void => {
  if (!can(actor, permission)) throw permissionMissing(permission);
};

/** Lets the caller in or throws: 401 without a login, 403 without a verified address, the permission or an admitted key. */
export const admit = (request: FastifyRequest, { access, unverified, apiKey }: Entry): void => {
  if (access === 'anyone') return;
  if (!apiKey && request.headers['x-api-key'] !== undefined && request.headers.authorization === undefined)
    throw new Problem('FORBIDDEN', 'API keys are not accepted here; please use an access token', {
      reason: 'api-key-not-allowed',
    });
  const { caller } = request;
  if (caller === undefined) throw request.callerProblem ?? loginRequired();
  if (!caller.actor.verified && !unverified)
    throw new Problem('FORBIDDEN', 'Please verify your e-mail address or phone number first', {
      reason: 'address-unverified',
      details: [{ field: 'emailVerified', message: 'Must be verified' }],
    });
  if (access !== 'loggedIn') demand(caller.actor, access);
  if (typeof apiKey === 'string' && caller.actor.kind === 'api_key') demand(caller.actor, apiKey);
};

/** A check for routes that one of several permissions opens, to run before their input is looked at. Throws 403. */
export const demandOneOf =
  (first: string, ...others: readonly string[]) =>
  async (request: FastifyRequest): Promise<void> => {
    const actor = actorOf(request);
    if ([first, ...others].some((permission) => can(actor, permission))) return;
    throw permissionMissing(first);
  };
