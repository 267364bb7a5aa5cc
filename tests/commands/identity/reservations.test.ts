import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t, { type Test } from 'tap';
import { createAggregates } from '../../../src/commands/aggregates.ts';
import type { Outcome } from '../../../src/commands/binding.ts';
import { bindings } from '../../../src/commands/bindings.ts';
import { mailToken } from '../../../src/commands/identity/mailToken.ts';
import { otpCode } from '../../../src/commands/identity/otpCode.ts';
import { createJudge } from '../../../src/commands/lines.ts';
import { createCommands } from '../../../src/commands/pipeline.ts';
import { postgresSnapshots } from '../../../src/commands/snapshots.ts';
import { deciders } from '../../../src/domain/catalogue.ts';
import type { Actor } from '../../../src/domain/decider.ts';
import { account } from '../../../src/domain/identity/account/index.ts';
import { createCodec } from '../../../src/eventstore/codec.ts';
import { keyRing } from '../../../src/eventstore/keyRing.ts';
import { type EventStore, StoreUnavailable } from '../../../src/eventstore/port.ts';
import { postgresEventStore } from '../../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../../src/masterKeys.ts';
import { noLookups } from '../../support/lookups.ts';
import { testDatabase } from '../../support/postgres.ts';

const system: Actor = { id: 'policy:test', kind: 'system', permissions: ['*:*'], verified: true };
const nobody: Actor = { id: 'anonymous', kind: 'anonymous', permissions: [], verified: false };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PASSWORD = 'Correct-horse-7';

/** Processes that share a log and a clock, and nothing else. Every password is right that reads `Correct-horse-7`. */
const cluster = async (t: Test) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const pool = new pg.Pool({ connectionString, options: '-c search_path=convene' });
  const log = postgresEventStore({ connectionString });
  t.teardown(async () => {
    await log.close();
    await pool.end();
  });
  const clock = { now: new Date('2026-03-02T10:00:00.000Z') };
  /** A process; it dies before it appends the event of the type `diesBefore`, when one is named. */
  const node = (diesBefore?: string) => {
    const store: EventStore = {
      ...log,
      append: async (stream, expected, events) => {
        if (events.some(({ type }) => type === diesBefore)) throw new StoreUnavailable('The process died');
        return log.append(stream, expected, events);
      },
    };
    const codec = createCodec(deciders, keyRing(pool, masterKeys('one')));
    const aggregates = createAggregates({ store, codec, snapshots: postgresSnapshots(pool, 'these rules') });
    const { execute, reads } = createCommands({
      aggregates,
      judge: createJudge({ store, codec, aggregates }),
      hashKey: Buffer.alloc(32, 1),
      lookups: noLookups,
      passwords: { hash: async () => 'hash', verify: async (clear) => clear === PASSWORD, current: () => true },
      now: () => clock.now,
    });
    const send = (name: string, input: unknown, actor: Actor = system): Promise<Outcome> => {
      const binding = bindings.find(({ command }) => command.name === name);
      if (binding === undefined) throw new Error(`There is no command ${name}`);
      return execute(binding, { input, actor, correlationId: randomUUID() });
    };
    return { send, reads };
  };
  const register = async (email: string): Promise<Actor> => {
    const person = { email, password: PASSWORD, displayName: 'Ada', acceptTerms: true };
    const { data } = must(await node().send('RegisterAccount', person, nobody));
    return { id: (data as { userId: string }).userId, kind: 'user', permissions: [], verified: true };
  };
  const wait = (ms: number): void => {
    clock.now = new Date(clock.now.getTime() + ms);
  };
  return { node, register, wait };
};
type Cluster = Awaited<ReturnType<typeof cluster>>;

const must = (outcome: Outcome): Extract<Outcome, { ok: true }> => {
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.message}`);
  return outcome;
};
const reasonOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : outcome.reason);

t.test('the address that an account asked to change to', async (t) => {
  const { node, register, wait } = await cluster(t);
  const [ada, bob] = [await register('ada@x.io'), await register('bob@x.io')];
  const change = ({ node }: Pick<Cluster, 'node'>, who: Actor, newEmail: string) =>
    node().send('ChangeEmail', { newEmail, password: PASSWORD }, who);
  const tokenOf = async (who: Actor): Promise<string> => {
    const { reads } = node();
    const { emailChange } = (await reads.load(account, who.id)).state;
    return mailToken(reads.hash, 'email-change', { accountId: who.id, requestId: emailChange?.requestId ?? '' });
  };
  const registration = (email: string) => ({ email, password: PASSWORD, displayName: 'C', acceptTerms: true });

  t.test('is kept for it until the token has expired, and is free then', async (t) => {
    must(await change({ node }, ada, 'new@x.io'));
    const token = await tokenOf(ada);
    wait(24 * HOUR);
    t.equal(reasonOf(await change({ node }, bob, 'new@x.io')), 'email-taken');
    t.equal(reasonOf(await node().send('VerifyEmail', { token }, nobody)), 'token-invalid');
    wait(MINUTE);
    must(await change({ node }, bob, 'new@x.io'));
    t.equal(reasonOf(await change({ node }, ada, 'new@x.io')), 'email-taken', 'to its former owner too');
    must(await node().send('VerifyEmail', { token: await tokenOf(bob) }, nobody));
  });
  t.test('is free when another was asked for instead', async (t) => {
    must(await change({ node }, ada, 'first@x.io'));
    must(await change({ node }, ada, 'second@x.io'));
    t.equal(reasonOf(await node().send('RegisterAccount', registration('first@x.io'), nobody)), 'email-taken');
    wait(10_000);
    must(await node().send('RegisterAccount', registration('first@x.io'), nobody));
    t.equal(reasonOf(await node().send('RegisterAccount', registration('second@x.io'), nobody)), 'email-taken');
  });
  t.test('is free when the process died before the request was noted', async (t) => {
    const dying = node('EmailChangeRequested');
    await t.rejects(dying.send('ChangeEmail', { newEmail: 'lost@x.io', password: PASSWORD }, ada));
    t.equal(reasonOf(await node().send('RegisterAccount', registration('lost@x.io'), nobody)), 'email-taken');
    wait(10_000);
    must(await node().send('RegisterAccount', registration('lost@x.io'), nobody));
  });
  t.test('is still confirmed after a process died on the way', async () => {
    must(await change({ node }, ada, 'third@x.io'));
    const token = await tokenOf(ada);
    await t.rejects(node('EmailChanged').send('VerifyEmail', { token }, nobody));
    must(await node().send('VerifyEmail', { token }, nobody));
  });
  t.test('is not given back while the account has it', async (t) => {
    const { reads, send } = node();
    const { emailHash = '' } = (await reads.load(account, ada.id)).state;
    must(await send('ReleaseEmail', { accountId: ada.id, emailHash }));
    t.equal(reasonOf(await send('RegisterAccount', registration('third@x.io'), nobody)), 'email-taken');
    wait(HOUR);
    t.equal(reasonOf(await send('RegisterAccount', registration('third@x.io'), nobody)), 'email-taken');
  });
});

t.test('a telephone number', async (t) => {
  const { node, register, wait } = await cluster(t);
  const [ada, bob, cid] = [await register('ada@x.io'), await register('bob@x.io'), await register('cid@x.io')];
  const number = '+4930555000';
  const add = async (who: Actor) => {
    wait(MINUTE);
    const { data } = must(await node().send('AddPhoneNumber', { number }, who));
    const { id, challengeId } = data as { id: string; challengeId: string };
    return { phoneNumberId: id, code: otpCode(node().reads.hash, challengeId) };
  };
  const verifiedOf = async (who: Actor): Promise<boolean> =>
    (await node().reads.load(account, who.id)).state.phones.some(({ verified }) => verified);

  t.test('is verified for one account only, until that gives it up', async (t) => {
    const mine = await add(ada);
    must(await node().send('VerifyPhoneNumber', mine, ada));
    const yours = await add(bob);
    t.equal(reasonOf(await node().send('VerifyPhoneNumber', yours, bob)), 'number-taken');
    wait(HOUR);
    must(await node().send('RemovePhoneNumber', { phoneNumberId: mine.phoneNumberId }, ada));
    const numberHash = (await node().reads.load(account, bob.id)).state.phones[0]?.numberHash;
    must(await node().send('ReleasePhoneNumber', { accountId: ada.id, numberHash }));
    must(await node().send('RemovePhoneNumber', { phoneNumberId: yours.phoneNumberId }, bob));
    must(await node().send('VerifyPhoneNumber', await add(bob), bob));
    must(await node().send('ReleasePhoneNumber', { accountId: ada.id, numberHash }));
    t.ok(await verifiedOf(bob));
    must(await node().send('ReleasePhoneNumber', { accountId: bob.id, numberHash }));
    t.equal(
      reasonOf(await node().send('VerifyPhoneNumber', await add(cid), cid)),
      'number-taken',
      'nor given back while it is held',
    );
    const [phone] = (await node().reads.load(account, bob.id)).state.phones;
    must(await node().send('RemovePhoneNumber', { phoneNumberId: phone?.id }, bob));
    wait(HOUR);
    const [waiting] = (await node().reads.load(account, cid.id)).state.phones;
    must(await node().send('RemovePhoneNumber', { phoneNumberId: waiting?.id }, cid));
    must(await node().send('VerifyPhoneNumber', await add(cid), cid));
    t.ok(await verifiedOf(cid), 'free even before the release is noted');
  });
  t.test('goes to whoever proves it when the process of another died on the way', async (t) => {
    const { node, register, wait } = await cluster(t);
    const [dan, eve] = [await register('dan@x.io'), await register('eve@x.io')];
    const send = async (who: Actor) => {
      wait(MINUTE);
      const { data } = must(await node().send('AddPhoneNumber', { number }, who));
      const { id, challengeId } = data as { id: string; challengeId: string };
      return { phoneNumberId: id, code: otpCode(node().reads.hash, challengeId) };
    };
    await t.rejects(node('PhoneNumberVerified').send('VerifyPhoneNumber', await send(dan), dan));
    must(await node().send('VerifyPhoneNumber', await send(eve), eve));
    const of = async (who: Actor) => (await node().reads.load(account, who.id)).state.phones;
    t.match(await of(eve), [{ verified: true }]);
    t.strictSame(await of(dan), [], 'and whatever the other had under way comes to nothing');
  });
});

t.test('a request for another password', async (t) => {
  const { node, register, wait } = await cluster(t);
  const ada = await register('ada@x.io');
  const { reads } = node();
  const begin = async (): Promise<string> => {
    const { emailHash = '' } = (await node().reads.load(account, ada.id)).state;
    must(await node().send('StartPasswordReset', { accountId: ada.id, emailHash }));
    const { reset } = (await node().reads.load(account, ada.id)).state;
    return mailToken(reads.hash, 'password-reset', { accountId: ada.id, requestId: reset?.requestId ?? '' });
  };
  const choose = (token: string) => node().send('ResetPassword', { token, newPassword: 'Another-horse-8' }, nobody);
  const token = await begin();
  wait(HOUR);
  t.equal(reasonOf(await choose(token)), 'token-invalid', 'ends after an hour');
  const next = await begin();
  wait(HOUR - 1);
  t.equal(reasonOf(await choose(next)), 'ok');
});

t.test('an agent code', async (t) => {
  const { node, register } = await cluster(t);
  const [ada, bob] = [await register('ada@x.io'), await register('bob@x.io')];
  const logIn = (agentCode: string, password = PASSWORD) => node().send('LogIn', { agentCode, password }, nobody);
  const claim = (who: Actor) => node().send('ClaimAgentCode', { accountId: who.id, agentCode: 'AG01' });

  t.equal(reasonOf(await logIn('AG01')), 'credentials-wrong', 'names nobody at first');
  must(await claim(ada));
  t.match(must(await logIn('ag01')).data, { accountId: ada.id }, 'names its account, however it is written');
  t.equal(reasonOf(await logIn('AG01', 'Wrong-horse-7')), 'credentials-wrong', 'but does not suffice');
  must(await claim(ada));
  t.equal(reasonOf(await claim(bob)), 'agent-code-taken', 'and never names another');
});
