import fc from 'fast-check';
import t from 'tap';
import type { AnyDecider } from '../../src/commands/binding.ts';
import { bindings } from '../../src/commands/bindings.ts';
import * as accessDenials from '../../src/domain/access/accessDenial.ts';
import * as requestRefusals from '../../src/domain/audit/requestRefusal.ts';
import { deciders } from '../../src/domain/catalogue.ts';
import { commandsIn, play } from '../support/model.ts';
import { runs } from '../support/random.ts';
import { administratorsModel } from './access/administrators.model.ts';
import { roleCatalogModel } from './access/roleCatalog.model.ts';
import { userAccessModel } from './access/userAccess.model.ts';
import { clientCalendarModel } from './booking/clientCalendar.model.ts';
import { providerModel } from './booking/provider.model.ts';
import { scheduleModel } from './booking/schedule.model.ts';
import { sessionModel } from './estimation/session.model.ts';
import { sessionCodeModel } from './estimation/sessionCode.model.ts';
import { sessionHostModel } from './estimation/sessionHost.model.ts';
import { accountModel } from './identity/account.model.ts';
import { apiKeysModel } from './identity/apiKeys.model.ts';
import { emailClaimModel } from './identity/emailClaim.model.ts';
import { knownDevicesModel } from './identity/knownDevices.model.ts';
import { loginAttemptsModel } from './identity/loginAttempts.model.ts';
import { loginSessionModel } from './identity/loginSession.model.ts';
import { suspicionModel } from './identity/suspicion.model.ts';

const models = [
  administratorsModel,
  roleCatalogModel,
  userAccessModel,
  clientCalendarModel,
  providerModel,
  scheduleModel,
  accountModel,
  emailClaimModel,
  loginAttemptsModel,
  loginSessionModel,
  apiKeysModel,
  knownDevicesModel,
  suspicionModel,
  sessionModel,
  sessionCodeModel,
  sessionHostModel,
] as const;

for (const model of models) t.test(`any life of ${model.decider.category}`, async (t) => play(t, model));

/** Aggregates that only record: nobody decides about them, so there is nothing to model but their sum. */
const records = [
  { module: accessDenials, decider: accessDenials.accessDenial, type: 'AccessDenied' },
  { module: requestRefusals, decider: requestRefusals.requestRefusal, type: 'RequestRefused' },
] as const;

for (const { module, decider, type } of records)
  t.test(`any life of ${decider.category} counts what it records`, async (t) => {
    t.strictSame(commandsIn(module, decider), [], 'no command decides about it');
    const evolve = decider.evolve as (state: { refusals: number }, event: unknown) => { refusals: number };
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), (counts) => {
        const { refusals } = counts.reduce((state, count) => evolve(state, { type, data: { count } }), decider.initial);
        return refusals === counts.reduce((sum, count) => sum + count, 0);
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
