import { z } from 'zod';
import { reject } from '../../../domain/decider.ts';
import { SIGN_IN_PROVIDERS } from '../../../domain/identity/account/events.ts';
import { unlinkOAuthIdentity } from '../../../domain/identity/account/index.ts';
import { releaseOAuthIdentity } from '../../../domain/identity/oauthIdentity.ts';
import {
  type CompleteFacts,
  type ContinueFacts,
  completeOAuthSignIn,
  continueOAuthSignIn,
  oauthSignIn,
  proofInvalid,
  proveOAuthSignIn,
  type StartFacts,
  startOAuthSignIn,
} from '../../../domain/identity/oauthSignIn.ts';
import type { IdentityProvider, ProvenIdentity } from '../../../domain/identity/signIn.ts';
import type { NotProved } from '../../../domain/oauth.ts';
import { bind, internal, type Outcome, type Refused, type Run } from '../../binding.ts';
import { PROVIDER_UNAVAILABLE, redirectTo } from '../../oauthFlows.ts';
import { latest, refused } from '../../outcomes.ts';
import type { KeyedHash, Reads } from '../../reads.ts';
import { refuseWhileLocked } from '../login/attempt.ts';
import { completeLogin } from '../login/completion.ts';
import { LoggedIn } from '../login/session.ts';
import { linkToHolder, matchPerson, type Person } from './matching.ts';
import { lapsedIdentity } from './reservation.ts';
import {
  browserProof,
  clientStateHash,
  codeHash,
  identityAttempts,
  idTokenHash,
  openCode,
  provenClientState,
  sealCode,
  secretsOf,
  stateHashOf,
  stateOf,
  subjectHash,
} from './secrets.ts';

/** What a started sign-in hands to the edge, which makes a cookie of the proof. */
export const Started = z.object({
  authorizationUrl: z.string(),
  stateHash: z.string(),
  browser: z.string(),
});

/** What a sign-in leads to: a login, or for somebody who is logged in the identity that is linked now. */
export const SignedIn = z.union([...LoggedIn.options, z.object({ linked: z.enum(SIGN_IN_PROVIDERS) })]);

const NOT_CONFIGURED = refused(
  reject('SERVICE_UNAVAILABLE', 'provider-not-configured', 'This way to sign in is not configured'),
);
const REFUSED = refused(proofInvalid());

/** The answer of a provider; its failures as refusals. */
const answered = <Answer extends object>(
  answer: Answer | NotProved,
): { readonly ok: true; readonly answer: Answer } | Refused => {
  if (typeof answer === 'object') return { ok: true, answer };
  return answer === 'refused' ? REFUSED : PROVIDER_UNAVAILABLE;
};

const providerOf = ({ signIn }: Reads, name: (typeof SIGN_IN_PROVIDERS)[number]): IdentityProvider | undefined =>
  signIn.providers[name];

const stateOfStart = ({ hash }: { readonly hash: KeyedHash }, newId: (label: string) => string): string =>
  stateOf(hash, newId('oauth-sign-in'));

const start = async (run: Run<z.output<typeof startOAuthSignIn.input>, StartFacts>): Promise<Outcome> => {
  const { input, reads, newId, judge } = run;
  const { hash } = reads;
  const provider = providerOf(reads, input.provider);
  if (provider === undefined) return NOT_CONFIGURED;
  if (!reads.signIn.redirectUris.includes(input.redirect_uri))
    return refused(
      reject('VALIDATION_ERROR', 'redirect-not-allowed', 'Not one of the addresses configured', 'redirect_uri'),
    );
  const state = stateOfStart(reads, newId);
  const built = answered(await provider.authorizationUrl(secretsOf(hash, state)));
  if (!built.ok) return built;
  const stateHash = stateHashOf(hash, state);
  const outcome = await judge(input, { stateHash, clientStateHash: clientStateHash(hash, input.state) });
  if (!outcome.ok) return outcome;
  const data: z.output<typeof Started> = {
    authorizationUrl: built.answer.url,
    stateHash,
    browser: browserProof(hash, state, input.state),
  };
  return { ...outcome, data };
};

/** Error codes that are passed on; a provider's own words are not. */
const ERRORS = ['access_denied', 'temporarily_unavailable', 'server_error', 'login_required', 'consent_required'];

const go = async (run: Run<z.output<typeof continueOAuthSignIn.input>, ContinueFacts>): Promise<Outcome> => {
  const { input, reads, step, judge } = run;
  const { hash } = reads;
  const stateHash = stateHashOf(hash, input.state);
  const begun = (await reads.load(oauthSignIn, stateHash)).state;
  const clientState = provenClientState(hash, input.state, input.browser);
  const admitted = await judge(input, { stateHash, sameBrowser: clientState !== undefined });
  if (!admitted.ok) return admitted;
  const redirectUri = 'redirectUri' in begun ? begun.redirectUri : '';
  const out = (parameters: Readonly<Record<string, string>>, ...steps: readonly Outcome[]): Outcome =>
    latest(
      { ...admitted, data: { redirect: redirectTo(redirectUri, { ...parameters, state: clientState ?? '' }) } },
      ...steps,
    );
  if (input.error !== undefined) return out({ error: ERRORS.includes(input.error) ? input.error : 'server_error' });
  const provider = providerOf(reads, input.provider);
  if (provider === undefined) return NOT_CONFIGURED;
  const { code = '', state, iss } = input;
  const proved = answered(await provider.identify({ code, state, iss }, secretsOf(hash, state)));
  if (!proved.ok) return proved;
  const sealed = sealCode(hash, stateHash, proved.answer);
  const noted = await step(proveOAuthSignIn, stateHash, { stateHash, codeHash: codeHash(sealed) });
  return noted.ok ? out({ code: sealed }, noted) : noted;
};

type Input = z.output<typeof completeOAuthSignIn.input>;

/** Who it is, by the code or the ID token; both count once. */
const proofOf = async ({
  input,
  reads,
  judge,
}: Run<Input, CompleteFacts>): Promise<
  | { readonly ok: true; readonly identity: ProvenIdentity; readonly linkTo?: string; readonly admitted: Outcome }
  | Refused
> => {
  const { hash } = reads;
  const { idToken, nonce, code = '', state = '' } = input;
  const provider = providerOf(reads, input.provider);
  if (provider === undefined) return NOT_CONFIGURED;
  if (idToken !== undefined) {
    if (provider.verifyIdToken === undefined) return REFUSED;
    const proved = answered(await provider.verifyIdToken(idToken, nonce));
    if (!proved.ok) return proved;
    const admitted = await judge(input, { stateHash: idTokenHash(hash, idToken) });
    return admitted.ok ? { ok: true, identity: proved.answer, admitted } : admitted;
  }
  const opened = openCode(hash, code);
  if (opened === undefined) return REFUSED;
  const { stateHash, identity } = opened;
  const begun = (await reads.load(oauthSignIn, stateHash)).state;
  const byCode = { codeHash: codeHash(code), clientStateHash: clientStateHash(hash, state) };
  const admitted = await judge(input, { stateHash, byCode });
  if (!admitted.ok) return admitted;
  const linkTo = 'accountId' in begun ? begun.accountId : undefined;
  return { ok: true, identity, admitted, ...(linkTo === undefined ? {} : { linkTo }) };
};

const complete = async (run: Run<Input, CompleteFacts>): Promise<Outcome> => {
  const { input, reads } = run;
  const { hash } = reads;
  const { provider, idToken, deviceId, deviceName } = input;
  const proof = await proofOf(run);
  if (!proof.ok) return proof;
  const person: Person = {
    ...proof.identity,
    provider,
    subjectHash: subjectHash(hash, provider, proof.identity.subject),
  };
  if (proof.linkTo !== undefined) {
    const linked = await linkToHolder(run, person, proof.linkTo);
    return linked.ok ? { ...linked, version: undefined, data: { linked: provider } } : linked;
  }
  const matched = await matchPerson(run, person, idToken === undefined ? 'web' : 'api');
  if (!matched.ok) return matched;
  const { accountId, created } = matched;
  const identifierHash = identityAttempts(hash, person.subjectHash);
  const locked = await refuseWhileLocked(run, identifierHash, accountId);
  if (locked !== undefined) return locked;
  const { credentials } = matched.account;
  const of = { accountId, identifierHash, method: 'oauth', credentials, deviceId, deviceName } as const;
  const outcome = await completeLogin(run, of);
  if (!outcome.ok) return outcome;
  return { ...outcome, data: { ...(outcome.data as object), created } };
};

/** Signing in with a provider, and what is linked to an account. */
export const oauthBindings = [
  bind(startOAuthSignIn, {
    access: 'anyone',
    unverified: true,
    stream: (_input, { hash, newId }) => stateHashOf(hash, stateOfStart({ hash }, newId)),
    version: () => undefined,
    process: start,
    answer: { schema: z.object({ authorizationUrl: z.string().describe('Where the browser is to be sent') }) },
    summary: 'Begins to sign in with a provider, or to link an identity to the account that is logged in',
    example: { provider: 'google', redirect_uri: 'https://app.example.org/signed-in', state: 'kept by the client' },
  }),
  bind(continueOAuthSignIn, {
    access: 'anyone',
    unverified: true,
    stream: ({ state }, { hash }) => stateHashOf(hash, state),
    version: () => undefined,
    process: go,
    answer: { schema: z.object({ redirect: z.string().describe('Where the browser comes out') }) },
    summary: 'Takes what a provider sends the browser back with',
    example: { provider: 'google', state: '0'.repeat(64), code: 'of the provider', browser: 'of the cookie' },
  }),
  internal(proveOAuthSignIn, ({ stateHash }) => stateHash),
  bind(completeOAuthSignIn, {
    path: 'POST /auth/oauth/:provider',
    access: 'anyone',
    unverified: true,
    credential: true,
    stream: ({ code, idToken }, { hash }) =>
      idToken === undefined ? (openCode(hash, code ?? '')?.stateHash ?? 'none') : idTokenHash(hash, idToken),
    version: () => undefined,
    process: complete,
    answer: { schema: SignedIn },
    summary: 'Exchanges the code that a sign-in led to for a login',
    example: { provider: 'google', code: `${'0'.repeat(64)}.${'a'.repeat(40)}`, state: 'kept by the client' },
  }),
  bind(unlinkOAuthIdentity, {
    path: 'DELETE /auth/oauth/:provider',
    access: 'loggedIn',
    unverified: true,
    stream: (_input, { actor }) => actor.id,
    summary: 'Unlinks the identity of a provider; another way to log in must remain',
    example: { provider: 'google' },
  }),
  internal(releaseOAuthIdentity, ({ subjectHash }) => subjectHash, {
    facts: async ({ subjectHash, accountId }, reads) => ({
      lapsed: await lapsedIdentity(reads, subjectHash, accountId),
    }),
  }),
];
