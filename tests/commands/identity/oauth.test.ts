import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t, { type Test } from 'tap';
import { createAggregates } from '../../../src/commands/aggregates.ts';
import type { Outcome } from '../../../src/commands/binding.ts';
import { bindings } from '../../../src/commands/bindings.ts';
import { createJudge } from '../../../src/commands/lines.ts';
import { createCommands } from '../../../src/commands/pipeline.ts';
import { postgresSnapshots } from '../../../src/commands/snapshots.ts';
import { deciders } from '../../../src/domain/catalogue.ts';
import type { Actor } from '../../../src/domain/decider.ts';
import type { IdentityProvider } from '../../../src/domain/identity/signIn.ts';
import { createCodec } from '../../../src/eventstore/codec.ts';
import { keyRing } from '../../../src/eventstore/keyRing.ts';
import { type EventStore, StoreUnavailable } from '../../../src/eventstore/port.ts';
import { postgresEventStore } from '../../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../../src/masterKeys.ts';
import { noLookups } from '../../support/lookups.ts';
import { testDatabase } from '../../support/postgres.ts';

const nobody: Actor = { id: 'anonymous', kind: 'anonymous', permissions: [], verified: false };
const REDIRECT = 'https://app.example.org/signed-in';

type Person = { readonly subject: string; readonly email: string; readonly emailVerified: boolean };

/** A provider in memory: its codes and ID tokens say themselves who it is. */
const provider: IdentityProvider = {
  authorizationUrl: async ({ state, nonce, codeVerifier }) => ({
    url: `https://provider.test/?${new URLSearchParams({ state, nonce, codeVerifier })}`,
  }),
  identify: async ({ code }) => JSON.parse(code) as Person,
  verifyIdToken: async (idToken) => JSON.parse(idToken) as Person,
};

/** Processes that share a log and a clock, and nothing else. */
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
    const { execute } = createCommands({
      aggregates,
      judge: createJudge({ store, codec, aggregates }),
      hashKey: Buffer.alloc(32, 1),
      lookups: noLookups,
      passwords: { hash: async () => 'hash', verify: async () => true, current: () => true },
      signIn: { providers: { google: provider }, redirectUris: [REDIRECT] },
      now: () => clock.now,
    });
    const send = (name: string, input: unknown, actor: Actor = nobody): Promise<Outcome> => {
      const binding = bindings.find(({ command }) => command.name === name);
      if (binding === undefined) throw new Error(`There is no command ${name}`);
      return execute(binding, { input, actor, correlationId: randomUUID() });
    };
    /** By an ID token, every one of which is another. */
    const signIn = (person: Person): Promise<Outcome> =>
      send('CompleteOAuthSignIn', { provider: 'google', idToken: JSON.stringify({ ...person, jti: randomUUID() }) });
    return { send, signIn };
  };
  const count = async (type: string): Promise<number> => {
    const { rows } = await pool.query('select count(*)::int as n from log.events where type = $1', [type]);
    return rows[0].n;
  };
  const wait = (ms: number): void => {
    clock.now = new Date(clock.now.getTime() + ms);
  };
  return { node, count, wait };
};

const must = (outcome: Outcome): Extract<Outcome, { ok: true }> => {
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.message}`);
  return outcome;
};
const dataOf = (outcome: Outcome) => must(outcome).data as Readonly<Record<string, string>>;
const reasonOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : outcome.reason);
const somebody = (): Person => {
  const subject = randomUUID();
  return { subject, email: `${subject}@x.io`, emailVerified: true };
};

t.test('fifty sign-ins of one new person on three nodes open one account', async (t) => {
  const { node, count } = await cluster(t);
  const nodes = [node(), node(), node()];
  const person = somebody();
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, index) => nodes[index % nodes.length]?.signIn(person) ?? Promise.reject()),
  );
  t.equal(new Set(outcomes.map((outcome) => dataOf(outcome).accountId)).size, 1);
  t.equal(await count('AccountRegistered'), 1);
  t.equal(await count('OAuthIdentityLinked'), 1);
});

t.test('a sign-in may go over several nodes, and ends with its time', async (t) => {
  const { node, wait } = await cluster(t);
  const code = JSON.stringify(somebody());
  const begin = async () => {
    const started = dataOf(
      await node().send('StartOAuthSignIn', { provider: 'google', redirect_uri: REDIRECT, state: 'of the client' }),
    );
    const state = new URL(started.authorizationUrl ?? '').searchParams.get('state') ?? '';
    return { provider: 'google', state, browser: started.browser, code };
  };
  const goOn = async () => {
    const back = dataOf(await node().send('ContinueOAuthSignIn', await begin()));
    return {
      provider: 'google',
      code: new URL(back.redirect ?? '').searchParams.get('code'),
      state: 'of the client',
    };
  };
  const complete = (input: object) => node().send('CompleteOAuthSignIn', input);
  t.ok(dataOf(await complete(await goOn())).accountId);

  const begun = await begin();
  wait(10 * 60_000);
  t.equal(reasonOf(await node().send('ContinueOAuthSignIn', begun)), 'state-invalid');
  const [inTime, late] = [await goOn(), await goOn()];
  wait(59_999);
  must(await complete(inTime));
  wait(1);
  t.equal(reasonOf(await complete(late)), 'sign-in-invalid');
});

t.test('a process that dies', async (t) => {
  const { node, count, wait } = await cluster(t);
  t.test('before the account came about keeps the person out for ten seconds', async (t) => {
    const person = somebody();
    await t.rejects(node('AccountRegistered').signIn(person));
    t.equal(reasonOf(await node().signIn(person)), 'identity-taken');
    wait(10_000);
    const { accountId } = dataOf(await node().signIn(person));
    t.equal(dataOf(await node().signIn(person)).accountId, accountId);
    t.equal(await count('RegistrationAbandoned'), 1, 'the account that did not come about never does');
  });
  t.test('before the identity is linked leaves the account as it was', async (t) => {
    const person = somebody();
    const registration = { email: person.email, password: 'Correct-horse-7', displayName: 'Ada', acceptTerms: true };
    const { userId } = dataOf(await node().send('RegisterAccount', registration));
    await t.rejects(node('OAuthIdentityLinked').signIn(person));
    t.equal(dataOf(await node().signIn(person)).accountId, userId, 'the account may try again at once');
  });
  t.test('before the login is open has linked the identity', async (t) => {
    const person = somebody();
    await t.rejects(node('LoginSessionStarted').signIn(person));
    t.ok(dataOf(await node().signIn(person)).accountId);
  });
});
