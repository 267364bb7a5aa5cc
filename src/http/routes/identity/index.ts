import type { App, Deps } from '../../app.ts';
import type { Presenter } from '../../commandRoutes.ts';
import { apiKeyRoutes, handOverKey } from './apiKeys.ts';
import { closingRoutes } from './closing.ts';
import { historyRoutes } from './history.ts';
import { handOver, handOverCode, loginRoutes } from './login.ts';
import { mfaRoutes } from './mfa.ts';
import { beginSignIn, handOverSignIn, oauthRoutes } from './oauth.ts';
import { personalDataRoutes } from './personalData.ts';
import { phoneRoutes } from './phones.ts';
import { profileRoutes } from './profile.ts';
import { sessionRoutes } from './sessions.ts';
import { subscriptionRoutes } from './subscription.ts';
import { userRoutes } from './users.ts';

/** What the answers of identity's commands get at the edge. */
export const identityPresenters: Readonly<Record<string, Presenter>> = {
  LogIn: handOver,
  VerifyOtp: handOverCode,
  VerifyMfaChallenge: handOver,
  StartOAuthSignIn: beginSignIn,
  CompleteOAuthSignIn: handOverSignIn,
  RefreshSession: handOver,
  CreateApiKey: handOverKey,
};

/** The routes of identity that are not derived from a command alone. */
export const identityRoutes = (app: App, deps: Deps): void => {
  for (const routes of [
    apiKeyRoutes,
    loginRoutes,
    mfaRoutes,
    oauthRoutes,
    profileRoutes,
    phoneRoutes,
    historyRoutes,
    sessionRoutes,
    userRoutes,
    subscriptionRoutes,
    closingRoutes,
    personalDataRoutes,
  ])
    routes(app, deps);
};
