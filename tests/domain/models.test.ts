import fc from 'fast-check';
import t from 'tap';
import type { AnyDecider } from '../../src/commands/binding.ts';
import { bindings } from '../../src/commands/bindings.ts';
import type { Fact } from '../../src/commands/reads.ts';
import * as accessDenials from '../../src/domain/access/accessDenial.ts';
import * as requestRefusals from '../../src/domain/audit/requestRefusal.ts';
import * as sensitiveReads from '../../src/domain/audit/sensitiveRead.ts';
import { deciders } from '../../src/domain/catalogue.ts';
import { commandsIn, play } from '../support/model.ts';
import { runs } from '../support/random.ts';
import { administratorsModel } from './access/administrators.model.ts';
import { roleCatalogModel } from './access/roleCatalog.model.ts';
import { userAccessModel } from './access/userAccess.model.ts';
import { appointmentExportModel } from './booking/appointmentExport.model.ts';
import { appointmentReminderModel } from './booking/appointmentReminder.model.ts';
import { calendarFeedModel } from './booking/calendarFeed.model.ts';
import { calendarSyncModel } from './booking/calendarSync.model.ts';
import { clientCalendarModel } from './booking/clientCalendar.model.ts';
import { clientHoldsModel } from './booking/clientHolds.model.ts';
import { providerModel } from './booking/provider.model.ts';
import { scheduleModel } from './booking/schedule.model.ts';
import { waitingListModel } from './booking/waitingList.model.ts';
import { sessionModel } from './estimation/session.model.ts';
import { sessionCodeModel } from './estimation/sessionCode.model.ts';
import { sessionHostModel } from './estimation/sessionHost.model.ts';
import { accountModel } from './identity/account/model/index.ts';
import { agentCodeModel } from './identity/agentCode.model.ts';
import { apiKeysModel } from './identity/apiKeys.model.ts';
import { emailClaimModel } from './identity/emailClaim.model.ts';
import { knownDevicesModel } from './identity/knownDevices.model.ts';
import { loginAttemptsModel } from './identity/loginAttempts.model.ts';
import { loginSessionModel } from './identity/loginSession.model.ts';
import { mfaChallengeModel } from './identity/mfaChallenge.model.ts';
import { oauthIdentityModel } from './identity/oauthIdentity.model.ts';
import { oauthSignInModel } from './identity/oauthSignIn.model.ts';
import { otpModel } from './identity/otp.model.ts';
import { suspicionModel } from './identity/suspicion.model.ts';
import { tokensModel } from './identity/tokens.model.ts';
import { verifiedPhoneModel } from './identity/verifiedPhone.model.ts';
import { blockedAddressModel } from './messaging/blockedAddress.model.ts';
import { emailModel } from './messaging/email.model.ts';
import { integrationModel } from './messaging/integration.model.ts';
import { oauthFlowModel } from './messaging/oauthFlow.model.ts';

const models = [
  administratorsModel,
  roleCatalogModel,
  userAccessModel,
  clientCalendarModel,
  clientHoldsModel,
  calendarSyncModel,
  appointmentExportModel,
  appointmentReminderModel,
  calendarFeedModel,
  providerModel,
  scheduleModel,
  waitingListModel,
  accountModel,
  emailClaimModel,
  loginAttemptsModel,
  loginSessionModel,
  apiKeysModel,
  knownDevicesModel,
  suspicionModel,
  otpModel,
  mfaChallengeModel,
  tokensModel,
  verifiedPhoneModel,
  agentCodeModel,
  oauthIdentityModel,
  oauthSignInModel,
  emailModel,
  blockedAddressModel,
  integrationModel,
  oauthFlowModel,
  sessionModel,
  sessionCodeModel,
  sessionHostModel,
] as const;

for (const model of models) t.test(`any life of ${model.decider.category}`, async (t) => play(t, model));

/**
 * Aggregates that only record: nobody decides about them, so there is nothing to model but their sum. A fact stands for as
 * many as it counts, or for itself.
 */
const records = [
  { module: accessDenials, decider: accessDenials.accessDenial, type: 'AccessDenied', sum: 'refusals' },
  { module: requestRefusals, decider: requestRefusals.requestRefusal, type: 'RequestRefused', sum: 'refusals' },
  { module: sensitiveReads, decider: sensitiveReads.sensitiveRead, type: 'SensitiveDataRead', sum: 'reads', each: 1 },
] as const;

for (const record of records)
  t.test(`any life of ${record.decider.category} counts what it records`, async (t) => {
    const { module, type, sum } = record;
    const decider: AnyDecider = record.decider;
    const evolve = decider.evolve as (state: unknown, event: Fact) => unknown;
    t.strictSame(commandsIn(module, decider), [], 'no command decides about it');
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), (counts) => {
        const end = counts.reduce((state, count) => evolve(state, { type, data: { count } }), decider.initial);
        const total = counts.reduce((all, count) => all + ('each' in record ? record.each : count), 0);
        return (end as Readonly<Record<string, number>>)[sum] === total;
      }),
      runs(100),
    );
  });

t.test('every aggregate has its model, and every bound command is played', async (t) => {
  const known = new Set<AnyDecider>([...models, ...records].map(({ decider }) => decider));
  t.strictSame(
    (deciders as readonly AnyDecider[]).filter((decider) => !known.has(decider)).map(({ category }) => category),
    [],
  );
  const played = new Set(models.flatMap(({ commands, decider }) => commandsIn(commands, decider)));
  t.ok(bindings.length > 0, `${bindings.length} bindings`);
  t.strictSame(
    bindings.map(({ command }) => command.name).filter((name) => !played.has(name)),
    [],
  );
});
