import { logInBinding } from './login/logIn.ts';
import { sessionBindings } from './login/session.ts';
import { registrationBindings } from './registration.ts';

export { emailHash } from './emailAddress.ts';

/** Every command of identity: what it runs, where it is called, who may, which stream it judges. */
export const identityBindings = [...registrationBindings, logInBinding, ...sessionBindings];
