import { claimAgentCode } from '../../domain/identity/agentCode.ts';
import { internal } from '../binding.ts';
import { apiKeyBindings } from './apiKeys.ts';
import { closingBindings } from './closing.ts';
import { emailBindings } from './emailChange.ts';
import { lockingBindings } from './locking.ts';
import { agentCodeHash } from './login/identifier.ts';
import { logInBinding } from './login/logIn.ts';
import { otpBindings } from './login/otp.ts';
import { verifyMfaBinding } from './login/secondFactor.ts';
import { sessionBindings } from './login/session.ts';
import { mfaBindings } from './mfa.ts';
import { oauthBindings } from './oauth/index.ts';
import { passwordBindings } from './password.ts';
import { phoneBindings } from './phones.ts';
import { profileBindings } from './profile.ts';
import { registrationBindings } from './registration.ts';
import { subscriptionBindings } from './subscription.ts';
import { suspicionBindings } from './suspicion.ts';
import { tokenBindings } from './tokens.ts';

export { emailHash } from './emailAddress.ts';

/** Every command of identity: what it runs, where it is called, who may, which stream it judges. */
export const identityBindings = [
  ...registrationBindings,
  ...emailBindings,
  ...passwordBindings,
  ...lockingBindings,
  ...profileBindings,
  ...phoneBindings,
  ...subscriptionBindings,
  ...closingBindings,
  logInBinding,
  ...otpBindings,
  verifyMfaBinding,
  ...sessionBindings,
  ...mfaBindings,
  ...oauthBindings,
  ...tokenBindings,
  ...apiKeyBindings,
  ...suspicionBindings,
  internal(claimAgentCode, ({ agentCode }, { hash }) => agentCodeHash(hash, agentCode)),
];
