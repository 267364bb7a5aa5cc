import { generate } from 'otplib';
import type { Query, Run } from './tour.ts';
import { type Call, type Person, until, type World } from './world.ts';

/** Consents at the provider of the play: from where the browser is sent to where it is sent back. */
export type Consent = (authorizationUrl: string) => Promise<URL>;

const DAY_MS = 86_400_000;
const REDIRECT_URI = 'https://app.example.org/signed-in';
const STATE = 'state-of-the-client';

type Message = { readonly template: string; readonly text: string };

/** What the newest message by a template to an address or number says, once there is one. */
const messageTo = async (call: Call, recipient: string, template: string): Promise<string> => {
  let text: string | undefined;
  await until(`${template} to ${recipient}`, async () => {
    const { data } = await call('admin', 'GET', `/ops/outbox?recipient=${encodeURIComponent(recipient)}&limit=50`);
    text = (data.items as readonly Message[]).find((each) => each.template === template)?.text;
    return text !== undefined;
  });
  return text ?? '';
};

const tokenTo = async (call: Call, email: string, template: string): Promise<string> =>
  /token=([\w.~-]+)/.exec(await messageTo(call, email, template))?.[1] ?? '';
const codeTo = async (call: Call, number: string): Promise<string> =>
  /^\d{6}/.exec(await messageTo(call, number, 'otp-code'))?.[0] ?? '';

/** Everything that an account goes through, from its profile to its erasure, of a member of its own. */
export const identity = async (
  { run, query, call, consent }: { run: Run; query: Query; call: Call; consent: Consent },
  world: World,
  turn: number,
): Promise<void> => {
  const member = await world.open(`member${turn}`);
  await world.verify(member);
  await profile(run, query, member);
  await passwords(run, call, world, member);
  await numbers(run, call, member, turn);
  await secondFactor(run, query, world, member);
  await signIn(run, call, consent, member, turn);
  await sessions(run, call, world, member);
  await ending(run, query, world, member);
};

const profile = async (run: Run, query: Query, { name, accountId }: Person): Promise<void> => {
  await run(name, 'UpdateProfile', { displayName: 'Member' });
  await run(name, 'ReplaceProfile', { displayName: 'Member', timezone: 'Europe/Berlin' });
  await run(name, 'UpdatePreferences', { theme: 'dark' });
  await run(name, 'ReplacePreferences', { theme: 'light', notifications: false });
  await query(name, 'putUsersMe', { displayName: 'Member' });
  await query('admin', 'putUsersAccountId', { accountId, displayName: 'A member' });
  await query('admin', 'putUsersAccountIdPreferences', { accountId, theme: 'auto' });
};

const passwords = async (run: Run, call: Call, world: World, member: Person): Promise<void> => {
  const { name, email, password } = member;
  const changed = `${password}-changed`;
  await run(name, 'ChangePassword', { currentPassword: password, newPassword: changed });
  await run(name, 'ChangeEmail', { newEmail: `new.${email}`, password: changed });
  await run('nobody', 'RequestPasswordReset', { email });
  const token = await tokenTo(call, email, 'password-reset');
  await run('nobody', 'ResetPassword', { token, newPassword: password });
  await world.logIn(member);
};

const numbers = async (run: Run, call: Call, { name, password }: Person, turn: number): Promise<void> => {
  const number = `+4930123450${turn}`;
  const { id: phoneNumberId } = await run(name, 'AddPhoneNumber', { number, label: 'Office' });
  await run(name, 'VerifyPhoneNumber', { phoneNumberId, code: await codeTo(call, number) });
  await run(name, 'SetPrimaryPhoneNumber', { phoneNumberId });
  await run(name, 'UpdatePhoneNumber', { phoneNumberId, label: 'Front desk' });
  const { id: another } = await run(name, 'AddPhoneNumber', { number: `+4930123451${turn}` });
  await run(name, 'RemovePhoneNumber', { phoneNumberId: another });
  const { challengeId } = await run('nobody', 'SendOtp', { email: `${name}.otp@people.example` });
  if (typeof challengeId !== 'string') throw new Error('A code for nobody has no challenge');
  await run('nobody', 'LogIn', { phoneNumber: number, password });
};

const secondFactor = async (run: Run, query: Query, world: World, member: Person): Promise<void> => {
  const { name, email, password } = member;
  const { secret } = await run(name, 'StartMfaSetup', { password });
  const code = (steps: number): Promise<string> =>
    generate({ secret: String(secret), epoch: Math.floor(Date.now() / 1000) + 30 * steps });
  await run(name, 'ConfirmMfaSetup', { code: await code(0) });
  // Of the next step, which counts already: no end of a step in between makes it too old.
  const renewed = await run(name, 'RegenerateBackupCodes', { password, code: await code(1) });
  const [first, second, third] = renewed.backupCodes as readonly string[];
  await query(name, 'getMfaBackupCodes');
  const challenge = async () =>
    (await run('nobody', 'LogIn', { email, password, deviceId: 'laptop', deviceName: 'The old laptop' }))
      .challengeToken;
  await query('nobody', 'postMfaVerify', { challengeToken: await challenge(), backupCode: first });
  const answer = { challengeToken: await challenge(), backupCode: second, trustDevice: true };
  await run('nobody', 'VerifyMfaChallenge', answer);
  await query(name, 'getUsersMeDevices');
  await run(name, 'RevokeTrustedDevice', { deviceId: 'laptop' });
  await run(name, 'DisableMfa', { password, code: third });
  await world.logIn(member);
};

/** Links an identity of a provider by one of three ways to begin, come back and finish, and unlinks it. */
const signIn = async (run: Run, call: Call, consent: Consent, { name }: Person, turn: number): Promise<void> => {
  const start = { redirect_uri: REDIRECT_URI, state: STATE };
  const asked = new URLSearchParams(start).toString();
  const begun = await [
    () => call(name, 'GET', `/auth/oauth/google?${asked}`),
    () => call(name, 'POST', '/commands/StartOAuthSignIn', { provider: 'google', ...start }),
    () => call(name, 'GET', `/auth/google?${asked}`),
  ][turn % 3]?.();
  const cookie = [begun?.reply.headers['set-cookie']].flat()[0]?.split(';')[0] ?? '';
  const { search, searchParams } = await consent(
    String(begun?.data.authorizationUrl ?? begun?.reply.headers.location ?? ''),
  );
  const given = Object.fromEntries(searchParams);
  const back =
    turn % 3 === 1
      ? await call('nobody', 'POST', '/commands/ContinueOAuthSignIn', {
          provider: 'google',
          browser: decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1)),
          ...given,
        })
      : await call('nobody', 'GET', `/auth/oauth/google/callback${search}`, undefined, { cookie });
  const out = new URL(String(back.data.redirect ?? back.reply.headers.location ?? ''));
  const code = out.searchParams.get('code');
  const finish = ['/auth/google', '/commands/CompleteOAuthSignIn', '/auth/oauth/google'][turn % 3] ?? '';
  const finished = await call(name, 'POST', finish, { provider: 'google', code, state: STATE });
  if (finished.data.linked !== 'google') throw new Error(`The sign-in was not finished: ${finished.reply.text}`);
  await run(name, 'UnlinkOAuthIdentity', { provider: 'google' });
};

const sessions = async (run: Run, call: Call, world: World, member: Person): Promise<void> => {
  const { name, email } = member;
  await run('nobody', 'RefreshSession', { refreshToken: member.refreshToken });
  await run(name, 'RevokeAllLoginSessions');
  await run('nobody', 'SendOtp', { email });
  const code = /\d{6}/.exec(await messageTo(call, email, 'otp-code'))?.[0];
  await run('nobody', 'VerifyOtp', { email, code });
  await world.logIn(member);
  const { id: keyId } = await run(name, 'CreateApiKey', { name: 'Import', permissions: ['read:planners'] });
  await run(name, 'RevokeApiKey', { keyId });
};

const ending = async (run: Run, query: Query, world: World, member: Person): Promise<void> => {
  const { name, email, accountId } = member;
  const soon = new Date(Date.now() + DAY_MS).toISOString();
  await run('admin', 'ChangeSubscription', { accountId, plan: 'premium', expiresAt: soon });
  await run(name, 'CancelSubscription');
  await run('admin', 'LockAccount', { accountId, until: soon, reason: 'admin' });
  await run('admin', 'UnlockAccount', { accountId });
  await run('admin', 'DeactivateAccount', { accountId, reason: 'Asked for by mail' });
  await run('admin', 'ReactivateAccount', { accountId });
  await world.logIn(member);
  await run('admin', 'DeactivateAccount', { accountId });
  await query('admin', 'postUsersAccountIdReactivate', { accountId });
  await run('admin', 'DeactivateAccount', { accountId });
  await run('admin', 'EraseAccount', { accountId, confirm: email });
};
