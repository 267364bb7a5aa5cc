import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t, { type Test } from 'tap';
import { bootstrap } from '../../src/bootstrap.ts';
import { createAggregates } from '../../src/commands/aggregates.ts';
import type { Outcome } from '../../src/commands/binding.ts';
import { bindings } from '../../src/commands/bindings.ts';
import { emailHash } from '../../src/commands/identity/index.ts';
import { mailToken } from '../../src/commands/identity/mailToken.ts';
import { createJudge } from '../../src/commands/lines.ts';
import { createCommands } from '../../src/commands/pipeline.ts';
import { postgresSnapshots } from '../../src/commands/snapshots.ts';
import { ADMINISTRATORS_ID, administrators } from '../../src/domain/access/administrators.ts';
import { SYSTEM_ROLES } from '../../src/domain/access/systemRoles.ts';
import { userAccess } from '../../src/domain/access/userAccess.ts';
import { deciders } from '../../src/domain/catalogue.ts';
import type { Actor } from '../../src/domain/decider.ts';
import { account } from '../../src/domain/identity/account/index.ts';
import { emailClaim } from '../../src/domain/identity/emailClaim.ts';
import { createCodec } from '../../src/eventstore/codec.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import { type EventStore, StoreUnavailable } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { administratorCircle, firstAdministrator } from '../../src/policies/access.ts';
import type { Reaction } from '../../src/policies/policy.ts';
import { noLookups } from '../support/lookups.ts';
import { testDatabase } from '../support/postgres.ts';

const ADMIN_ROLE = SYSTEM_ROLES.admin.roleId;
const system: Actor = { id: 'policy:test', kind: 'system', permissions: ['*:*'], verified: true };
const stranger: Actor = { id: 'anonymous', kind: 'anonymous', permissions: [], verified: false };
const person = (email: string) => ({ email, password: 'Correct-horse-7', displayName: 'Ada', acceptTerms: true });
const settings = { config: { adminEmail: 'admin@example.org' }, secrets: { adminPassword: 'Admin-horse-7' } };

/** Processes that share a log and nothing else, on a clock that the test sets. */
const cluster = async (t: Test) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const pool = new pg.Pool({ connectionString, options: '-c search_path=convene' });
  const log = postgresEventStore({ connectionString });
  t.teardown(async () => {
    await log.close();
    await pool.end();
  });
  const clock = { now: new Date('2026-03-02T10:00:00.000Z') };
  /** A process that dies before its append number `diesBefore`. */
  const node = (diesBefore = Number.POSITIVE_INFINITY) => {
    let appends = 0;
    const store: EventStore = {
      ...log,
      append: async (...args) => {
        if (appends++ >= diesBefore) throw new StoreUnavailable('The process died');
        return log.append(...args);
      },
    };
    const codec = createCodec(deciders, keyRing(pool, masterKeys('one')));
    const aggregates = createAggregates({ store, codec, snapshots: postgresSnapshots(pool, 'these rules') });
    const commands = createCommands({
      aggregates,
      judge: createJudge({ store, codec, aggregates }),
      hashKey: Buffer.alloc(32, 1),
      lookups: noLookups,
      adminEmail: settings.config.adminEmail,
      passwords: { hash: async () => 'hash', verify: async () => false, current: () => true },
      now: () => clock.now,
    });
    const send = (name: string, input: unknown, actor: Actor = system): Promise<Outcome> => {
      const binding = bindings.find(({ command }) => command.name === name);
      if (binding === undefined) throw new Error(`There is no command ${name}`);
      return commands.execute(binding, { input, actor, correlationId: randomUUID() });
    };
    return { commands, send };
  };
  const count = async (type: string): Promise<number> => {
    const { rows } = await pool.query('select count(*)::int as count from log.events where type = $1', [type]);
    return rows[0].count;
  };
  return { node, clock, count };
};
const codeOf = (outcome: Outcome): string => (outcome.ok ? 'OK' : outcome.code);
const must = (outcome: Outcome): Extract<Outcome, { ok: true }> => {
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.message}`);
  return outcome;
};

t.test('fifty registrations of one address on three nodes open one account', async (t) => {
  const { node, count } = await cluster(t);
  const nodes = [node(), node(), node()];
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      (nodes[index % 3] ?? node()).send('RegisterAccount', person('ada@example.org'), stranger),
    ),
  );
  t.equal(outcomes.filter(({ ok }) => ok).length, 1);
  t.strictSame([...new Set(outcomes.map(codeOf))].sort(), ['CONFLICT', 'OK']);
  t.equal(await count('AccountRegistered'), 1);
});

t.test('a registration that dies after it has reserved the address', async (t) => {
  const { node, clock, count } = await cluster(t);
  const dying = node(1);
  await t.rejects(dying.send('RegisterAccount', person('ada@example.org'), stranger));
  const { reads } = node().commands;
  const { owner } = (await reads.load(emailClaim, emailHash(reads.hash, 'ada@example.org'))).state;
  t.ok(owner, 'the address is reserved');

  t.test('keeps it for a while', async (t) =>
    t.equal(codeOf(await node().send('RegisterAccount', person('ada@example.org'), stranger)), 'CONFLICT'),
  );
  t.test('loses it to the next one then, and can never come about', async (t) => {
    clock.now = new Date(clock.now.getTime() + 10_000);
    const { data } = must(await node().send('RegisterAccount', person('ada@example.org'), stranger));
    const claim = await node().commands.reads.load(emailClaim, emailHash(reads.hash, 'ada@example.org'));
    t.equal(claim.state.owner, (data as { userId: string }).userId);
    const late = { accountId: owner, email: 'ada@example.org', password: 'x' };
    t.equal(codeOf(await node().send('RegisterAdministrator', late)), 'CONFLICT');
    t.equal(await count('AccountRegistered'), 1);
    t.equal(await count('RegistrationAbandoned'), 1);
  });
});

t.test('the start of the service', async (t) => {
  t.test('on three nodes at once appoints one administrator and defines each role once', async (t) => {
    const { node, count } = await cluster(t);
    await Promise.all([node(), node(), node()].map(({ commands }) => bootstrap({ commands, ...settings })));
    await bootstrap({ commands: node().commands, ...settings });
    t.equal(await count('RoleDefined'), Object.keys(SYSTEM_ROLES).length);
    for (const type of [
      'AccountRegistered',
      'EmailVerified',
      'AdministratorBootstrapped',
      'RoleAssigned',
      'AdministratorAdded',
    ])
      t.equal(await count(type), 1, type);
  });
  t.test('that dies anywhere is finished by the next one', async (t) => {
    for (const diesBefore of [0, 1, 2, 3, 4, 5]) {
      const { node, count } = await cluster(t);
      await t.rejects(
        bootstrap({ commands: node(diesBefore).commands, ...settings }),
        `dies before append ${diesBefore}`,
      );
      await bootstrap({ commands: node().commands, ...settings });
      for (const type of ['AccountRegistered', 'RoleAssigned', 'AdministratorAdded'])
        t.equal(await count(type), 1, type);
    }
  });
  t.test('appoints nobody whose address is not verified', async (t) => {
    const { node, count } = await cluster(t);
    must(await node().send('RegisterAccount', person(settings.config.adminEmail), stranger));
    await bootstrap({ commands: node().commands, ...settings });
    t.equal(await count('RoleAssigned'), 0);
  });
  t.test('appoints nobody whose account is closed', async (t) => {
    const { node, count } = await cluster(t);
    const { send, commands } = node();
    const named = { accountId: randomUUID(), email: settings.config.adminEmail };
    must(await send('RegisterAdministrator', { ...named, password: 'Correct-horse-7' }));
    must(await send('DeactivateAccount', { accountId: named.accountId }));
    await bootstrap({ commands, ...settings });
    t.equal(await count('RoleAssigned'), 0);
    t.equal(await count('AccountRegistered'), 1);
  });
  t.test('leaves the appointment to the policy when the address is verified later', async (t) => {
    const { node, count } = await cluster(t);
    const { send, commands } = node();
    const register = async (email: string): Promise<string> =>
      (must(await send('RegisterAccount', person(email), stranger)).data as { userId: string }).userId;
    const verify = async (accountId: string): Promise<void> => {
      must(await send('StartEmailVerification', { accountId }));
      const { requestId = '' } = (await commands.reads.load(account, accountId)).state.verification ?? {};
      const token = mailToken(commands.reads.hash, 'email-verification', { accountId, requestId });
      must(await send('VerifyEmail', { token }, stranger));
      await react({ type: 'EmailVerified', data: { accountId } });
    };
    const react = async (event: { readonly type: string; readonly data: unknown }): Promise<void> => {
      const on = firstAdministrator.on as Readonly<Record<string, (event: unknown) => readonly Reaction[]>>;
      for (const reaction of on[event.type]?.(event) ?? [])
        if (reaction.kind === 'command') must(await send(reaction.command, reaction.input));
    };
    const named = await register(settings.config.adminEmail);
    const other = await register('other@example.org');
    await bootstrap({ commands, ...settings });
    await verify(other);
    t.equal(await count('AdministratorBootstrapped'), 0, 'nobody but the one that is named');
    await verify(named);
    t.equal(await count('AdministratorBootstrapped'), 1);
    await react({ type: 'AdministratorBootstrapped', data: { accountId: named } });
    t.strictSame(Object.keys((await commands.reads.load(administrators, ADMINISTRATORS_ID)).state.members), [named]);
  });
  t.test('appoints nobody else while there is an administrator', async (t) => {
    const { node, count } = await cluster(t);
    await bootstrap({ commands: node().commands, ...settings });
    await bootstrap({ commands: node().commands, ...settings, config: { adminEmail: 'other@example.org' } });
    t.equal(await count('AccountRegistered'), 1);
  });
});

t.test('administrators who revoke one another', async (t) => {
  const { node, clock } = await cluster(t);
  await bootstrap({ commands: node().commands, ...settings });
  const first = Object.keys((await node().commands.reads.load(administrators, ADMINISTRATORS_ID)).state.members);
  const appointed = await Promise.all(
    ['b', 'c', 'd'].map(async (name) => {
      const { data } = must(await node().send('RegisterAccount', person(`${name}@example.org`), stranger));
      const { userId } = data as { userId: string };
      must(await node().send('AssignRole', { accountId: userId, roleName: 'admin' }));
      return userId;
    }),
  );
  const everybody = [...first, ...appointed];
  const holders = async () => {
    const { reads } = node().commands;
    const states = await Promise.all(everybody.map((accountId) => reads.load(userAccess, accountId)));
    return everybody.filter((_, index) => states[index]?.state.assignments[ADMIN_ROLE] !== undefined);
  };
  t.equal((await holders()).length, 4);

  // Each on a node of its own; one of them dies between leaving the circle and the revocation.
  const outcomes = await Promise.allSettled(
    everybody.map((accountId, index) =>
      node(index === 0 ? 1 : undefined).send('RevokeRole', { accountId, roleId: ADMIN_ROLE }),
    ),
  );
  const reasons = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? codeOf(outcome.value) : 'DIED'));
  const left = await holders();
  t.ok(left.length >= 1, `${left.length} of ${reasons.join(', ')}`);
  const members = Object.keys((await node().commands.reads.load(administrators, ADMINISTRATORS_ID)).state.members);
  t.ok(members.length >= 1);
  t.ok(
    members.every((member) => left.includes(member)),
    'who counts holds the role',
  );

  t.test('leave nothing half done once the policy has been at it', async (t) => {
    const { released } = (await node().commands.reads.load(administrators, ADMINISTRATORS_ID)).state;
    clock.now = new Date(clock.now.getTime() + 60_000);
    const letGo = Object.entries(released).flatMap(([accountId, ids]) =>
      ids.map((assignmentId) => ({ accountId, assignmentId })),
    );
    for (const { accountId, assignmentId } of letGo) {
      const event = { data: { accountId, assignmentId }, recordedAt: clock.now.toISOString() };
      for (const reaction of administratorCircle.on.AdministratorReleased(event as never))
        if (reaction.kind === 'command') must(await node().send(reaction.command, reaction.input));
    }
    t.strictSame((await holders()).sort(), members.sort());
  });
});
