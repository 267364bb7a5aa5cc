import fc from 'fast-check';
import t from 'tap';
import {
  type Administrators,
  type AdministratorsEvent,
  addAdministrator,
  administrators,
  bootstrapAdministrator,
  releaseAdministrator,
} from '../../../src/domain/access/administrators.ts';
import { id, spec, system } from '../../support/spec.ts';

const given = spec(administrators);
const of = (name: string, assignment = name) => ({ accountId: id(name), assignmentId: id(assignment) });
const added = (...names: Parameters<typeof of>): AdministratorsEvent => ({
  type: 'AdministratorAdded',
  data: of(...names),
});
const released = (...names: Parameters<typeof of>): AdministratorsEvent => ({
  type: 'AdministratorReleased',
  data: of(...names),
});

t.test('the circle of administrators', async (t) => {
  t.test('takes an account in, once', async () => {
    given().when(addAdministrator, of('ann'), system).then(added('ann'));
    given(added('ann')).when(addAdministrator, of('ann'), system).nothing();
  });
  t.test('lets one go while others stay, once', async () => {
    given(added('ann'), added('bob')).when(releaseAdministrator, of('ann'), system).then(released('ann'));
    given(added('ann'), added('bob'), released('ann')).when(releaseAdministrator, of('ann'), system).nothing();
  });
  t.test('keeps its last member', async () =>
    given(added('ann'), added('bob'), released('ann'))
      .when(releaseAdministrator, of('bob'), system)
      .rejected('last-administrator'),
  );
  t.test('lets an assignment go that has not been counted yet, and never counts it afterwards', async () => {
    given(added('ann')).when(releaseAdministrator, of('bob'), system).then(released('bob'));
    given(added('ann'), released('bob')).when(addAdministrator, of('bob'), system).nothing();
  });
  t.test('counts nobody by an assignment that was let go before others came and went', async () =>
    given(added('ann'), added('bob'), released('bob'), added('bob', 'again'), released('bob', 'again'))
      .when(addAdministrator, of('bob'), system)
      .nothing(),
  );
  t.test('counts an account again under another assignment', async () =>
    given(added('ann'), released('bob')).when(addAdministrator, of('bob', 'again'), system).then(added('bob', 'again')),
  );
});

t.test('the administrator whom configuration names', async (t) => {
  const { accountId } = of('ann');
  const appointed: AdministratorsEvent = { type: 'AdministratorBootstrapped', data: { accountId } };
  t.test('is appointed, once', async () => {
    given().when(bootstrapAdministrator, { accountId }, system, { named: true }).then(appointed);
    given(appointed).when(bootstrapAdministrator, { accountId }, system, { named: true }).nothing();
  });
  t.test('is not while there is another, and nobody else ever is', async () => {
    given(added('bob')).when(bootstrapAdministrator, { accountId }, system, { named: true }).nothing();
    given().when(bootstrapAdministrator, { accountId }, system, { named: false }).nothing();
  });
});

t.test('no order of assigning, counting, releasing and revoking, with crashes anywhere, leaves nobody', async () => {
  const people = ['ann', 'bob', 'cid'];
  const step = fc.record({
    who: fc.constantFrom(...people),
    what: fc.constantFrom('assign', 'add', 'release', 'revoke'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let circle: Administrators = given(added('ann')).when(addAdministrator, of('ann'), system).state;
      const holding = new Map([[id('ann'), id('ann')]]);
      const pending: { accountId: string; assignmentId: string }[] = [];
      steps.forEach(({ who, what }, index) => {
        const accountId = id(who);
        const held = holding.get(accountId);
        const apply = (outcome: unknown) => {
          if (Array.isArray(outcome)) circle = (outcome as AdministratorsEvent[]).reduce(administrators.evolve, circle);
        };
        const context = { now: new Date(), actor: system, commandId: '', newId: id, entropy: '', facts: undefined };
        if (what === 'assign' && held === undefined) {
          const assignmentId = id(`${who}${index}`);
          holding.set(accountId, assignmentId);
          pending.push({ accountId, assignmentId });
        }
        const late = pending.find((one) => one.accountId === accountId);
        if (what === 'add' && late !== undefined) apply(addAdministrator.rule(late, circle, context));
        if (what === 'release' && held !== undefined)
          apply(releaseAdministrator.rule({ accountId, assignmentId: held }, circle, context));
        if (what === 'revoke' && held !== undefined && circle.released[accountId]?.includes(held))
          holding.delete(accountId);
      });
      return Object.entries(circle.members).some(
        ([accountId, assignmentId]) => holding.get(accountId) === assignmentId,
      );
    }),
    { numRuns: 2000 },
  );
});
