import { createHash, randomUUID } from 'node:crypto';
import { answering, json } from './answering.ts';

/** Somebody who has an account at GitHub. */
export type Hubber = {
  readonly id: number;
  readonly login: string;
  readonly name?: string | null;
  readonly emails: readonly { readonly email: string; readonly primary: boolean; readonly verified: boolean }[];
};

const CLIENT = { id: 'convene-at-github', secret: 'between-us-and-github' };

/**
 * What of GitHub a sign-in touches: its page, its token endpoint, which answers 200 with an error, and two of its API.
 * Everybody says yes at once; who it is, says `as`.
 */
export const github = async (t: Parameters<typeof answering>[0]) => {
  const control: { as?: Hubber; silent: boolean; status?: number } = { silent: false };
  const codes = new Map<string, { readonly challenge: string; readonly redirectUri: string; readonly who: Hubber }>();
  const tokens = new Map<string, Hubber>();

  const authorise = (query: URLSearchParams): string => {
    const back = new URL(query.get('redirect_uri') ?? '');
    const code = randomUUID();
    if (control.as === undefined || query.get('code_challenge_method') !== 'S256') throw new Error('Nobody is here');
    codes.set(code, {
      challenge: query.get('code_challenge') ?? '',
      redirectUri: back.href,
      who: control.as,
    });
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.get('state') ?? '');
    return back.href;
  };
  const exchange = (form: URLSearchParams): object => {
    const code = form.get('code') ?? '';
    const known = codes.get(code);
    codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const right =
      known?.challenge === challenge &&
      known.redirectUri === form.get('redirect_uri') &&
      form.get('client_id') === CLIENT.id &&
      form.get('client_secret') === CLIENT.secret;
    if (!right) return { error: 'bad_verification_code', error_description: `The code ${code} is wrong` };
    const token = `gho_${randomUUID()}`;
    tokens.set(token, known.who);
    return { access_token: token, scope: 'read:user,user:email', token_type: 'bearer' };
  };

  const { url, asked } = await answering(t, (response, { path = '', headers, body }) => {
    if (control.silent) return;
    if (control.status !== undefined) return json(response, control.status, {});
    const { pathname, searchParams } = new URL(path, 'http://github.test');
    if (pathname === '/login/oauth/authorize')
      return void response.writeHead(302, { location: authorise(searchParams) }).end();
    if (pathname === '/login/oauth/access_token') return json(response, 200, exchange(new URLSearchParams(body)));
    const who = tokens.get(headers.authorization?.replace(/^Bearer /i, '') ?? '');
    if (who === undefined) return json(response, 401, { message: 'Bad credentials' });
    if (pathname === '/user') return json(response, 200, { id: who.id, login: who.login, name: who.name ?? null });
    if (pathname === '/user/emails') return json(response, 200, who.emails);
    return json(response, 404, { message: 'Not Found' });
  });
  return { url, asked, client: CLIENT, control };
};
