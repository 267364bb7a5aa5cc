import t from 'tap';
import { play } from '../support/model.ts';
import { administratorsModel } from './access/administrators.model.ts';
import { roleCatalogModel } from './access/roleCatalog.model.ts';
import { userAccessModel } from './access/userAccess.model.ts';
import { clientCalendarModel } from './booking/clientCalendar.model.ts';
import { sessionCodeModel } from './estimation/sessionCode.model.ts';
import { sessionHostModel } from './estimation/sessionHost.model.ts';
import { accountModel } from './identity/account.model.ts';
import { emailClaimModel } from './identity/emailClaim.model.ts';
import { loginAttemptsModel } from './identity/loginAttempts.model.ts';
import { loginSessionModel } from './identity/loginSession.model.ts';

const models = [
  administratorsModel,
  roleCatalogModel,
  userAccessModel,
  clientCalendarModel,
  accountModel,
  emailClaimModel,
  loginAttemptsModel,
  loginSessionModel,
  sessionCodeModel,
  sessionHostModel,
] as const;

for (const model of models) t.test(`any life of ${model.decider.category}`, async (t) => play(t, model));
