import type { Test } from 'tap';
import { browser } from './browser.ts';
import { openIdProvider } from './openIdProvider.ts';
import { type Answer, testService } from './service.ts';

/** Where the service says it is; the browser of the tests knows better. */
const PUBLIC_URL = 'http://convene.test';
/** Where browsers come out. */
export const APP = 'https://app.example.org/signed-in';
const API = `${PUBLIC_URL}/api/v1`;

/** A browser on its way through a sign-in. */
export type Flow = {
  readonly visit: ReturnType<typeof browser>;
  readonly authorizationUrl: string;
};

/**
 * The service with a real OpenID provider in the places of Google and Microsoft. `variables` are added to the service's
 * environment.
 */
export const signInService = async (t: Test, variables: Record<string, string> = {}) => {
  const provider = await openIdProvider(
    t,
    ['google', 'microsoft'].map((name) => `${API}/auth/oauth/${name}/callback`),
  );
  const { issuer, client } = provider;
  const service = await testService(t, {
    PUBLIC_URL,
    OAUTH_REDIRECT_URIS: `${APP},https://app.example.org/other?kept=1`,
    GOOGLE_CLIENT_ID: client.id,
    GOOGLE_CLIENT_SECRET: client.secret,
    GOOGLE_ISSUER: issuer,
    MICROSOFT_CLIENT_ID: client.id,
    MICROSOFT_CLIENT_SECRET: client.secret,
    MICROSOFT_ISSUER: issuer,
    ...variables,
  });
  const served = { [PUBLIC_URL]: service.url };
  const newBrowser = () => browser(served);

  /** Begins a sign-in in a browser; `token` of somebody who is logged in makes it the linking of an identity. */
  const begin = async ({
    name = 'google',
    state = 'state-of-the-client',
    redirectUri = APP,
    token,
    visit = newBrowser(),
  }: {
    name?: string;
    state?: string;
    redirectUri?: string;
    token?: string | undefined;
    visit?: ReturnType<typeof browser>;
  } = {}): Promise<Flow> => {
    const query = new URLSearchParams({ redirect_uri: redirectUri, state });
    const response = await visit.open(
      `${API}/auth/oauth/${name}?${query}`,
      token === undefined ? {} : { authorization: `Bearer ${token}` },
    );
    const body = (await response.json()) as { data: { authorizationUrl: string } };
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    return { visit, authorizationUrl: body.data.authorizationUrl };
  };

  /** Says yes at the provider (or no, without a name), and stops where the browser is sent back to the service. */
  const consent = ({ visit, authorizationUrl }: Flow, as: string | undefined): Promise<URL> =>
    visit.follow(
      authorizationUrl,
      ({ origin }) => origin === PUBLIC_URL,
      (url) => {
        if (!url.pathname.startsWith('/interaction/')) return url;
        const answered = new URL(url);
        answered.searchParams.set(as === undefined ? 'deny' : 'as', as ?? '');
        return answered;
      },
    );

  /** What the service answers to the browser that comes back. */
  const comeBack = async ({ visit }: Flow, callback: URL): Promise<Answer> => {
    const response = await visit.open(callback.href);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };

  /** What the client learns where the browser comes out. */
  const outcomeOf = ({ headers }: Answer): URLSearchParams => new URL(headers.get('location') ?? '').searchParams;

  /** The whole way up to the code that the client exchanges. */
  const codeFor = async (as: string, options: Parameters<typeof begin>[0] = {}): Promise<string> => {
    const flow = await begin(options);
    const answer = await comeBack(flow, await consent(flow, as));
    if (answer.status !== 302) throw new Error(JSON.stringify(answer.body));
    return outcomeOf(answer).get('code') ?? '';
  };

  /** The whole way. */
  const signIn = async (as: string, options: Parameters<typeof begin>[0] = {}, more: object = {}): Promise<Answer> => {
    const { name = 'google', state = 'state-of-the-client' } = options;
    return service.anonymous.post(`/auth/oauth/${name}`, { code: await codeFor(as, options), state, ...more });
  };

  return { ...service, provider, newBrowser, begin, consent, comeBack, outcomeOf, codeFor, signIn };
};
