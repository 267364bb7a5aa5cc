import { createHash, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Asked, answering, json } from './answering.ts';

/** Somebody who has an account at Google. */
export type Googler = { readonly sub: string; readonly email: string };

/** An event in somebody's calendar, as it was written; `cancelled` once deleted, for its id stays taken. */
export type GoogleEvent = { readonly id: string; readonly status: string } & Readonly<Record<string, unknown>>;

/**
 * What happens to one call of the calendar. `cut`: it is done, and the answer is lost. `lost`: it is not done, and there
 * is no answer. `twice`: it is done twice, and the second answer counts. `held`: there is no answer, and it is done later,
 * by `release`. Otherwise the answer, and nothing is done.
 */
export type Fault =
  | 'cut'
  | 'lost'
  | 'twice'
  | 'held'
  | { readonly status: number; readonly body?: object; readonly headers?: Readonly<Record<string, string>> };

const CLIENT = { id: 'convene-at-google', secret: 'between-us-and-google' };
const EVENTS = '/calendar/v3/calendars/primary/events';

type Grant = { readonly who: Googler; readonly scopes: readonly string[] };
type Code = Grant & { readonly challenge: string; readonly nonce: string; readonly redirectUri: string };

/** An error as the calendar answers with. */
const refusal = (code: number, reason: string) => ({
  error: { code, message: `Somebody's secret words about ${reason}`, errors: [{ domain: 'global', reason }] },
});

/** Any of the tokens it hands out. With the end of a UUID's first group: base64 of a ciphertext has such a beginning now and then. */
export const TOKENS = /ya29\.|1\/\/[0-9a-f]{8}-/;

/** What Google says when somebody asks too much. */
export const quota = (status: 403 | 429, retryAfter?: string): Fault => ({
  status,
  body: refusal(status, 'userRateLimitExceeded'),
  ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }),
});
/** What Google says when a grant does not reach that far. */
export const insufficient: Fault = { status: 403, body: refusal(403, 'insufficientPermissions') };

/**
 * What of Google a calendar touches: consent, tokens, revocation and the events of primary calendars, on the loopback
 * address. Whoever is named by `as` says yes at once.
 */
export const google = async (t: Parameters<typeof answering>[0]) => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'one' };
  const control: {
    as?: Googler;
    /** What is granted of what is asked; everything when omitted. */
    grant?: ((asked: readonly string[]) => readonly string[]) | undefined;
    deny: boolean;
    /** Seconds that access tokens live, as is said. */
    life: number;
    /** Whether a consent brings a refresh token. */
    offline: boolean;
    /** What the token endpoint answers instead of tokens. */
    tokenFault?: { readonly status: number; readonly body: object } | undefined;
    /** What an answer to a refresh waits for. */
    gate?: Promise<void> | undefined;
    /** Whether a refresh brings another refresh token, which ends the one before. */
    rotate: boolean;
    /** Asked for every call of the calendar. */
    fault?: ((asked: Asked) => Fault | undefined) | undefined;
  } = { deny: false, life: 3600, offline: true, rotate: false };
  const codes = new Map<string, Code>();
  const access = new Map<string, Grant>();
  const refresh = new Map<string, Grant>();
  const granted = new Map<string, Set<string>>();
  const calendars = new Map<string, Map<string, GoogleEvent>>();
  const held: (() => void)[] = [];
  let successes = 0;
  const asks: { revoked: string[]; refreshes: number } = { revoked: [], refreshes: 0 };

  const calendarOf = (sub: string): Map<string, GoogleEvent> => {
    const calendar = calendars.get(sub) ?? new Map<string, GoogleEvent>();
    calendars.set(sub, calendar);
    return calendar;
  };

  const authorise = (query: URLSearchParams): string => {
    const back = new URL(query.get('redirect_uri') ?? '');
    back.searchParams.set('state', query.get('state') ?? '');
    if (control.deny) {
      back.searchParams.set('error', 'access_denied');
      return back.href;
    }
    const who = control.as;
    if (who === undefined || query.get('code_challenge_method') !== 'S256') throw new Error('Nobody is here');
    const asked = (query.get('scope') ?? '').split(' ');
    const given = control.grant?.(asked) ?? asked;
    const all = granted.get(who.sub) ?? new Set<string>();
    granted.set(who.sub, all);
    for (const scope of given) all.add(scope);
    const scopes = query.get('include_granted_scopes') === 'true' ? [...all] : [...given];
    const code = randomUUID();
    codes.set(code, {
      who,
      scopes,
      challenge: query.get('code_challenge') ?? '',
      nonce: query.get('nonce') ?? '',
      redirectUri: query.get('redirect_uri') ?? '',
    });
    back.searchParams.set('code', code);
    return back.href;
  };

  const accessToken = (grant: Grant): string => {
    const token = `ya29.${randomUUID()}`;
    access.set(token, grant);
    return token;
  };

  const tokens = async (form: URLSearchParams): Promise<readonly [number, object]> => {
    if (form.get('client_secret') !== CLIENT.secret) return [401, { error: 'invalid_client' }];
    if (form.get('grant_type') === 'refresh_token') {
      asks.refreshes += 1;
      await control.gate;
      if (control.tokenFault !== undefined) return [control.tokenFault.status, control.tokenFault.body];
      const grant = refresh.get(form.get('refresh_token') ?? '');
      if (grant === undefined) return [400, { error: 'invalid_grant', error_description: 'Token has been revoked.' }];
      const answer = { access_token: accessToken(grant), expires_in: control.life, token_type: 'Bearer' };
      if (!control.rotate) return [200, answer];
      refresh.delete(form.get('refresh_token') ?? '');
      const next = `1//${randomUUID()}`;
      refresh.set(next, grant);
      return [200, { ...answer, refresh_token: next }];
    }
    if (control.tokenFault !== undefined) return [control.tokenFault.status, control.tokenFault.body];
    const code = form.get('code') ?? '';
    const known = codes.get(code);
    codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (known?.challenge !== challenge || known.redirectUri !== form.get('redirect_uri'))
      return [400, { error: 'invalid_grant' }];
    const refreshToken = `1//${randomUUID()}`;
    if (control.offline) refresh.set(refreshToken, known);
    const now = Math.floor(Date.now() / 1000);
    const { sub, email } = known.who;
    const claims = { iss: url, aud: CLIENT.id, sub, email, email_verified: true, nonce: known.nonce };
    const idToken = await new SignJWT({ ...claims, iat: now, exp: now + 600 })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(privateKey);
    return [
      200,
      {
        access_token: accessToken(known),
        ...(control.offline ? { refresh_token: refreshToken } : {}),
        expires_in: control.life,
        scope: known.scopes.join(' '),
        token_type: 'Bearer',
        id_token: idToken,
      },
    ];
  };

  /** Does one call of a calendar; its answer. */
  const perform = ({ method, path = '', headers, body }: Asked): readonly [number, object | undefined] => {
    const grant = access.get(headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (grant === undefined) return [401, refusal(401, 'authError')];
    if (!grant.scopes.some((scope) => scope.endsWith('/calendar.events')))
      return [403, refusal(403, 'insufficientPermissions')];
    const calendar = calendarOf(grant.who.sub);
    const id = decodeURIComponent(new URL(path, url).pathname.slice(EVENTS.length + 1));
    if (method === 'POST') {
      const event = JSON.parse(body) as GoogleEvent;
      if (!/^[0-9a-v]{5,1024}$/.test(event.id)) return [400, refusal(400, 'invalid')];
      if (calendar.has(event.id)) return [409, refusal(409, 'duplicate')];
      calendar.set(event.id, event);
      return [200, event];
    }
    const known = calendar.get(id);
    if (known === undefined) return [404, refusal(404, 'notFound')];
    if (method === 'PATCH') {
      const event = { ...known, ...(JSON.parse(body) as GoogleEvent) };
      calendar.set(id, event);
      return [200, event];
    }
    if (known.status === 'cancelled') return [410, refusal(410, 'deleted')];
    calendar.set(id, { ...known, status: 'cancelled' });
    return [204, undefined];
  };

  const serveCalendar = (response: ServerResponse, one: Asked): void => {
    const fault = control.fault?.(one);
    if (fault === 'held') {
      held.push(() => void perform(one));
      response.destroy();
    } else if (typeof fault === 'object') {
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      response.end(JSON.stringify(fault.body ?? {}));
    } else {
      if (fault === 'twice' || fault === 'cut') perform(one);
      if (fault === 'cut' || fault === 'lost') response.destroy();
      else {
        const [status, body] = perform(one);
        if (status < 300) successes += 1;
        if (body === undefined) response.writeHead(status).end();
        else json(response, status, body);
      }
    }
  };

  const { url, asked } = await answering(t, (response, one) => {
    const { pathname, searchParams } = new URL(one.path ?? '', 'http://google.test');
    if (pathname.startsWith(EVENTS)) return serveCalendar(response, one);
    if (pathname === '/.well-known/openid-configuration')
      return json(response, 200, {
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        revocation_endpoint: `${url}/revoke`,
        jwks_uri: `${url}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    if (pathname === '/keys')
      return json(response, 200, {
        keys: [{ kty: jwk.kty, n: jwk.n, e: jwk.e, alg: 'RS256', use: 'sig', kid: 'one' }],
      });
    if (pathname === '/authorize') return void response.writeHead(302, { location: authorise(searchParams) }).end();
    if (pathname === '/token')
      return void tokens(new URLSearchParams(one.body)).then(([status, body]) => json(response, status, body));
    if (pathname === '/revoke') {
      const token = new URLSearchParams(one.body).get('token') ?? '';
      asks.revoked.push(token);
      const grant = refresh.get(token) ?? access.get(token);
      if (grant === undefined) return json(response, 400, { error: 'invalid_token' });
      revoke(grant.who.sub);
      return json(response, 200, {});
    }
    return json(response, 404, {});
  });

  /** Ends every grant of somebody, as he can do at Google himself. */
  const revoke = (sub: string): void => {
    for (const known of [access, refresh])
      for (const [token, { who }] of known) if (who.sub === sub) known.delete(token);
    granted.delete(sub);
  };

  return {
    url,
    client: CLIENT,
    control,
    asks,
    asked,
    revoke,
    /** Ends every access token that was handed out; refresh tokens go on. */
    expire: () => access.clear(),
    /** The calls of calendars so far, as `POST` and so on. */
    calls: () => asked.filter(({ path }) => path?.startsWith(EVENTS)).map(({ method }) => method),
    /** How many of them were answered with success. */
    successes: () => successes,
    /** What can be seen in somebody's calendar. */
    seen: (sub: string) => [...calendarOf(sub).values()].filter(({ status }) => status !== 'cancelled'),
    /** Takes an event away as its holder can at Google himself. */
    forget: (sub: string, id: string): void => {
      const event = calendarOf(sub).get(id);
      if (event !== undefined) calendarOf(sub).set(id, { ...event, status: 'cancelled' });
    },
    /** Does what was held, in the order it came; how much that was. */
    release: () => held.splice(0).map((perform) => perform()).length,
    /** Lets somebody have an account there. */
    settle: (): Googler => {
      const sub = randomUUID();
      return { sub, email: `${sub}@gmail.test` };
    },
  };
};
