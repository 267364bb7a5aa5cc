import fc from 'fast-check';
import t from 'tap';
import {
  type Administrators,
  type AdministratorsEvent,
  addAdministrator,
  administrators,
  bootstrapAdministrator,
  releaseAdministrator,
  resumeAdministrator,
  suspendAdministrator,
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
    given().when(addAdministrator, of('ann'), system, { open: true }).then(added('ann'));
    given(added('ann')).when(addAdministrator, of('ann'), system, { open: true }).nothing();
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
    given(added('ann'), released('bob')).when(addAdministrator, of('bob'), system, { open: true }).nothing();
  });
  t.test('counts nobody by an assignment that was let go before others came and went', async () =>
    given(added('ann'), added('bob'), released('bob'), added('bob', 'again'), released('bob', 'again'))
      .when(addAdministrator, of('bob'), system, { open: true })
      .nothing(),
  );
  t.test('counts an account again under another assignment', async () =>
    given(added('ann'), released('bob'))
      .when(addAdministrator, of('bob', 'again'), system, { open: true })
      .then(added('bob', 'again')),
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

const suspended = (...names: Parameters<typeof of>): AdministratorsEvent => ({
  type: 'AdministratorSuspended',
  data: of(...names),
});
const resumed = (...names: Parameters<typeof of>): AdministratorsEvent => ({
  type: 'AdministratorResumed',
  data: of(...names),
});

t.test('an account that is deactivated', async (t) => {
  const account = { accountId: id('bob') };
  const open = { open: true };
  const none = { assignmentId: undefined };
  t.test('counts no more, as long as another stays', async () => {
    given(added('ann'), added('bob')).when(suspendAdministrator, account, system, none).then(suspended('bob'));
    given(added('ann'), added('bob'), suspended('bob')).when(suspendAdministrator, account, system, none).nothing();
    given(added('bob')).when(suspendAdministrator, account, system, none).rejected('last-administrator');
    given(added('ann')).when(suspendAdministrator, account, system, none).nothing();
  });
  t.test('is no other for the last one to rely on', async () => {
    given(added('ann'), added('bob'), suspended('bob'))
      .when(suspendAdministrator, { accountId: id('ann') }, system, none)
      .rejected('last-administrator');
    given(added('ann'), added('bob'), suspended('bob'))
      .when(releaseAdministrator, of('ann'), system)
      .rejected('last-administrator');
  });
  t.test('is not counted behind the back of the deactivation', async () =>
    given(added('ann'), added('bob'), suspended('bob'))
      .when(addAdministrator, of('bob'), system, { open: true })
      .nothing(),
  );
  t.test('does not come to count by an assignment that is still on its way', async () => {
    const held = { assignmentId: id('bob') };
    given(added('ann')).when(suspendAdministrator, account, system, held).then(suspended('bob'));
    given(added('ann'), suspended('bob')).when(suspendAdministrator, account, system, held).nothing();
    given(added('ann'), released('bob')).when(suspendAdministrator, account, system, held).nothing();
    given(added('ann')).when(addAdministrator, of('bob'), system, { open: false }).then(suspended('bob'));
  });
  t.test('counts again once it is open, and only then', async () => {
    const past = [added('ann'), added('bob'), suspended('bob')];
    given(...past)
      .when(resumeAdministrator, account, system, open)
      .then(resumed('bob'));
    given(...past)
      .when(resumeAdministrator, account, system, { open: false })
      .nothing();
    given(...past, resumed('bob'))
      .when(resumeAdministrator, account, system, open)
      .nothing();
    given(...past, resumed('bob'))
      .when(suspendAdministrator, { accountId: id('ann') }, system, none)
      .then(suspended('ann'));
  });
  t.test('never counts again when its role was taken meanwhile', async () => {
    const past = [added('ann'), added('bob'), suspended('bob'), released('bob')];
    given(...past)
      .when(resumeAdministrator, account, system, open)
      .nothing();
    given(...past)
      .when(addAdministrator, of('bob'), system, { open: true })
      .nothing();
  });
});

t.test(
  'no order of assigning, counting, releasing, revoking, closing and opening, with crashes anywhere, leaves nobody',
  async () => {
    const people = ['ann', 'bob', 'cid'];
    const step = fc.record({
      who: fc.constantFrom(...people),
      what: fc.constantFrom('assign', 'add', 'release', 'revoke', 'suspend', 'close', 'open', 'resume'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let circle: Administrators = given(added('ann')).when(addAdministrator, of('ann'), system, {
          open: true,
        }).state;
        const holding = new Map([[id('ann'), id('ann')]]);
        const closed = new Set<string>();
        const pending: { accountId: string; assignmentId: string }[] = [];
        steps.forEach(({ who, what }, index) => {
          const accountId = id(who);
          const held = holding.get(accountId);
          const apply = (outcome: unknown) => {
            if (Array.isArray(outcome))
              circle = (outcome as AdministratorsEvent[]).reduce(administrators.evolve, circle);
          };
          const context = {
            now: new Date(),
            actor: system,
            commandId: '',
            newId: id,
            entropy: '',
            facts: { open: !closed.has(accountId), assignmentId: held },
          };
          if (what === 'assign' && held === undefined && !closed.has(accountId)) {
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
          if (what === 'suspend') apply(suspendAdministrator.rule({ accountId }, circle, context));
          // As the command sees it: neither counted, nor about to be.
          const gone =
            held === undefined || circle.suspended[accountId] === held || circle.released[accountId]?.includes(held);
          if (what === 'close' && circle.members[accountId] === undefined && gone) closed.add(accountId);
          if (what === 'open') closed.delete(accountId);
          if (what === 'resume') apply(resumeAdministrator.rule({ accountId }, circle, context));
        });
        return Object.entries(circle.members).some(
          ([accountId, assignmentId]) => holding.get(accountId) === assignmentId && !closed.has(accountId),
        );
      }),
      { numRuns: 2000 },
    );
  },
);
