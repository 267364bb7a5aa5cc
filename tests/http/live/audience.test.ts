import { EventEmitter, once } from 'node:events';
import t, { type Test } from 'tap';
import type { Audience, Listening } from '../../../src/http/live/audience.ts';
import { defaultLimits } from '../../../src/http/live/limits.ts';
import { createLive, type LiveParts } from '../../../src/http/live/live.ts';
import { createRelay } from '../../../src/http/live/relay.ts';
import type { Delivery } from '../../../src/http/live/topics.ts';
import { testDatabase } from '../../support/postgres.ts';
import { createLog, kinds } from './log.ts';

const anna = { id: 'anna', kind: 'user' as const, permissions: [], verified: true, sessionId: 'of anna' };

const setUp = async (t: Test, parts: Partial<LiveParts> = {}) => {
  const log = createLog();
  const live = await createLive({
    ...log,
    kinds: kinds.map((kind) => ({ kind })),
    reads: { load: async () => ({ state: undefined as never, revision: undefined }) },
    limits: defaultLimits,
    standing: async (actor) => actor,
    activeOf: async () => true,
    observe: () => undefined,
    onError: (error) => t.fail(String(error)),
    ...parts,
  });
  t.teardown(live.close);
  const told = new EventEmitter();
  const heard: Delivery[] = [];
  let lost: string | undefined;
  const listen = async (topic: string) => {
    const place = await live.enter(anna, () => undefined);
    const opened = await place?.open(topic, undefined, {
      deliver: (delivery) => {
        heard.push(delivery);
        told.emit('told');
      },
      lost: ({ code }) => {
        lost = code;
        told.emit('told');
      },
    });
    if (opened?.kind !== 'open') throw new Error('Refused');
    return opened;
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await once(told, 'told');
  };
  return { ...log, live, listen, heard, until, lost: () => lost };
};

t.test('an audience is told who joins, is there and leaves, whichever way', async (t) => {
  const acts: string[] = [];
  const note =
    (act: string) =>
    ({ kind, id, accountId }: Listening): void => {
      acts.push(`${accountId} ${act} ${kind} ${id}`);
    };
  const audience: Audience = { joined: note('joined'), alive: note('alive at'), left: note('left') };
  const { live, listen, append, until, lost } = await setUp(t, { audiences: () => [audience] });
  const room = await listen('room:a');
  t.strictSame(acts, [], 'nobody before it has what is due');
  room.alive();
  room.start();
  room.alive();
  room.close();
  room.close();
  t.strictSame(acts.splice(0), ['anna joined room a', 'anna alive at room a', 'anna left room a']);
  (await listen('room:b')).start();
  append('room-b', 'ShownOut', { accountId: 'anna' });
  await until(() => lost() !== undefined);
  t.strictSame(acts, ['anna joined room b', 'anna left room b']);
  t.equal(live.hub.listeners(), 0);
});

t.test('what is told without being stored comes in order, and has no place in the log', async (t) => {
  const { live, listen, append, heard, until } = await setUp(t);
  const room = await listen('room:a');
  room.start();
  live.tell('room:a', { event: 'room:noise', data: { loud: true } });
  live.tell('room:b', { event: 'room:noise', data: { loud: false } });
  append('room-a', 'Said', { text: 'stored' });
  await until(() => heard.length === 2);
  t.match(heard[0], { position: undefined, frames: [{ event: 'room:noise', topic: 'room:a', data: { loud: true } }] });
  t.notOk('seq' in (heard[0]?.frames[0] ?? {}));
  t.match(heard[1], { frames: [{ event: 'room:said', seq: '10' }] });
});

t.test('rights', async (t) => {
  t.test('are looked at again after an event of the account: a topic that they opened is lost', async (t) => {
    let verified = true;
    const { listen, append, heard, until, lost } = await setUp(t, {
      standing: async (actor) => ({ ...actor, verified }),
    });
    (await listen('room:a')).start();
    append('userAccess-bert', 'Said', { text: 'about somebody else' });
    append('room-a', 'Said', { text: 'heard' });
    await until(() => heard.length === 1);
    t.equal(lost(), undefined);
    verified = false;
    append('userAccess-anna', 'Said', { text: 'about her' });
    await until(() => lost() !== undefined);
    t.equal(lost(), 'FORBIDDEN');
  });
  t.test('of everybody are looked at again after an event of the roles', async (t) => {
    let verified = true;
    const { listen, append, until, lost } = await setUp(t, { standing: async (actor) => ({ ...actor, verified }) });
    (await listen('room:a')).start();
    verified = false;
    append('roleCatalog-all', 'Said', { text: 'a role is gone' });
    await until(() => lost() !== undefined);
    t.equal(lost(), 'FORBIDDEN');
  });
});

t.test('nodes tell each other, and themselves nothing', async (t) => {
  const { pool } = await testDatabase(t);
  const told = new EventEmitter();
  const heard: string[] = [];
  const errors: string[] = [];
  const relays = ['one', 'two'].map((name) =>
    createRelay({
      pool,
      heard: (topic, { event, data }, at) => {
        heard.push(`${name}: ${topic} ${event} ${JSON.stringify(data)} ${at}`);
        told.emit('told');
      },
      onError: (error) => errors.push(String(error)),
    }),
  );
  const [one] = relays;
  // Both must listen first: what is told before is lost.
  const listening = async () =>
    (
      await pool.query(`select from pg_stat_activity
         where datname = current_database() and query = 'listen "convene_live"' and state = 'idle'`)
    ).rowCount;
  while ((await listening()) !== 2) await new Promise((resolve) => setImmediate(resolve));
  one?.send('room:a', { event: 'room:noise', data: 'x'.repeat(8_000) }, 'then');
  t.match(errors, [/too long/]);
  one?.send('room:a', { event: 'room:noise', data: [1] }, 'now');
  while (heard.length === 0) await once(told, 'told');
  t.strictSame(heard, ['two: room:a room:noise [1] now']);
  await pool.query(`select pg_notify('convene_live', 'nonsense')`);
  while (errors.length < 3) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all(relays.map(({ close }) => close()));
});
