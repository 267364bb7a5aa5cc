import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import t, { type Test } from 'tap';
import { createPlaces } from '../../../src/http/live/places.ts';
import { createRegistry } from '../../../src/http/live/registry.ts';
import { testDatabase } from '../../support/postgres.ts';

const LIMIT = 2;

const placesOn = (pool: pg.Pool, errors: string[] = []) =>
  createPlaces({
    pool,
    local: createRegistry(LIMIT),
    limit: LIMIT,
    onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
  });

const setUp = async (t: Test) => {
  const { pool } = await testDatabase(t, { migrate: true });
  const errors: string[] = [];
  const nodes = [placesOn(pool, errors), placesOn(pool, errors)] as const;
  t.teardown(() => Promise.all(nodes.map(({ close }) => close())));
  const rows = async (): Promise<readonly { place: number; left: number }[]> =>
    (
      await pool.query<{ place: number; left: number }>(
        'select place, extract(epoch from expires_at - now())::integer as left from convene.live_places order by place',
      )
    ).rows;
  return { pool, nodes, errors, rows, account: randomUUID() };
};

t.test('places', async (t) => {
  t.test('are kept by their node, and free when it has been silent for too long', async (t) => {
    const { pool, nodes, errors, rows, account } = await setUp(t);
    const [one, two] = nodes;
    t.ok(await one.enter(account));
    t.ok(await two.enter(account));
    t.equal(await one.enter(account), undefined);
    t.equal(await two.enter(account), undefined);
    await pool.query(`update convene.live_places set expires_at = now() + interval '60 seconds'`);
    await one.renew();
    t.strictSame(
      (await rows()).map(({ left }) => left > 60),
      [true, false],
    );
    await pool.query(`update convene.live_places set expires_at = now() - interval '1 second' where place = 2`);
    t.ok(await one.enter(account), 'is taken over');
    await pool.query(`update convene.live_places set expires_at = now() - interval '1 second'`);
    await pool.query(`update convene.live_places set node = $1 where place = 1`, [randomUUID()]);
    await one.renew();
    t.strictSame(
      (await rows()).map(({ place }) => place),
      [2],
      'what nobody renewed is gone',
    );
    await one.close();
    t.strictSame(await rows(), [], 'and with the node the rest');
    t.strictSame(errors, []);
  });

  t.test('are those of the node alone while the database is away', async (t) => {
    const errors: string[] = [];
    const lost = { query: () => Promise.reject(new Error('lost')) } as unknown as pg.Pool;
    const places = placesOn(lost, errors);
    const leave = await places.enter(randomUUID());
    t.ok(leave);
    const account = randomUUID();
    for (let n = 0; n < LIMIT; n += 1) t.ok(await places.enter(account));
    t.equal(await places.enter(account), undefined);
    await places.renew();
    await places.close();
    t.ok(
      errors.every((message) => message === 'lost'),
      'and that is told',
    );
    t.equal(errors.length, 1 + LIMIT + 2);
  });
});
