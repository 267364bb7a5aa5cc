import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import t from 'tap';
import { createApiKeys } from '../../src/http/apiKeys.ts';
import type { ReadModels } from '../../src/projections/index.ts';
import { eventually, sharedService } from '../support/service.ts';

const service = await sharedService();
const owner = await service.user();

const pool = new pg.Pool({ connectionString: service.connectionString, options: '-c search_path=read,convene' });
const db = new Kysely<ReadModels>({ dialect: new PostgresDialect({ pool }) });
t.teardown(() => pool.end());

/** Another process, which does not know the key of the service: it calls the hash by the key itself. */
const node = (clock: { now: Date }, hashOf: string) =>
  createApiKeys({ db, pool, hash: () => hashOf, log: { warn: () => {} }, now: () => clock.now });
const made = async () => {
  const { body } = await owner.post('/auth/api-keys', { name: 'Import', permissions: ['read:own-profile'] });
  // Waits for the read model.
  await owner.get('/auth/api-keys');
  const { rows } = await pool.query('select key_hash from read.api_keys where key_id = $1', [body.data.id]);
  return { id: body.data.id as string, key: body.data.key as string, hash: rows[0].key_hash as string };
};

t.test('a key in another process', async (t) => {
  const clock = { now: new Date() };
  t.test('is known by its hash, and to nobody else', async (t) => {
    const { id, key, hash } = await made();
    const expected = { keyId: id, accountId: owner.accountId, permissions: ['read:own-profile'] };
    t.strictSame(await node(clock, hash).of(key), expected);
    t.equal(await node(clock, 'another').of(key), undefined);
    t.equal(await node(clock, hash).of(`${key}x`), undefined, 'what is no key is not looked for');
  });
  t.test(
    'that was revoked counts no more after a second, and not at all once that process has heard of it',
    async (t) => {
      const { id, key, hash } = await made();
      const [deaf, hearing] = [node(clock, hash), node(clock, hash)];
      t.ok((await deaf.of(key)) && (await hearing.of(key)));
      await owner.delete(`/auth/api-keys/${id}`);
      await eventually(
        () => owner.get('/auth/api-keys?status=revoked'),
        ({ body }) => body.data.items.some((one: { readonly id: string }) => one.id === id),
      );
      hearing.observe({
        type: 'ApiKeyRevoked',
        data: { keyId: randomUUID(), accountId: owner.accountId, by: 'owner' },
      });
      t.ok(await hearing.of(key), 'another key is none of its business');
      hearing.observe({ type: 'ApiKeyRevoked', data: { keyId: id, accountId: owner.accountId, by: 'owner' } });
      t.equal(await hearing.of(key), undefined);
      t.ok(await deaf.of(key), 'remembered');
      clock.now = new Date(clock.now.getTime() + 1_000);
      t.equal(await deaf.of(key), undefined);
    },
  );
  t.test('is noted at most once a minute, whichever process it is used in', async (t) => {
    const { id, key, hash } = await made();
    const lastUse = async (): Promise<string | undefined> => {
      const { rows } = await pool.query('select last_used_at from convene.api_key_uses where key_id = $1', [id]);
      return rows[0] && new Date(rows[0].last_used_at).toISOString();
    };
    const begun = clock.now;
    const first = node(clock, hash);
    await first.of(key);
    await eventually(lastUse, (at) => at !== undefined);
    clock.now = new Date(begun.getTime() + 59_999);
    await node(clock, hash).of(key);
    clock.now = new Date(begun.getTime() + 60_000);
    await first.of(key);
    t.equal(await eventually(lastUse, (at) => at !== begun.toISOString()), clock.now.toISOString());
  });
});
