import t from 'tap';
import { testDatabase } from '../support/postgres.ts';
import { fuzz } from './fuzz/fuzz.ts';
import { unreachable } from './fuzz/tour.ts';

t.test('requests by chance', async (t) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const seed = 20_271;
  const { failures, unreached, operations, requests, statuses, canaries, rawCases } = await fuzz({
    requests: 1_000,
    seed,
    connectionString,
  });
  for (const { what, index, reproduce } of failures) t.fail(`seed ${seed}, case ${index}: ${what}\n${reproduce}`);
  t.same(failures, [], 'break nothing and learn nothing');
  t.ok(operations > 100 && requests > 2_000, `${requests} requests to ${operations} operations`);
  t.same(unreached, [], `every operation but ${Object.keys(unreachable).join()} succeeded once`);
  t.ok(canaries > 15 && rawCases > 30);
  for (const status of [200, 201, 400, 401, 403, 404, 409, 412, 415, 422])
    t.ok(statuses[status], `some were ${status}`);
});
