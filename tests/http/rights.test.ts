import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import t from 'tap';
import { createRights } from '../../src/http/rights.ts';
import { createSessions } from '../../src/http/sessions.ts';
import type { ReadModels } from '../../src/projections/index.ts';
import { eventually, sharedService } from '../support/service.ts';

const service = await sharedService();
const admin = await service.admin();
const somebody = await service.user();

const pool = new pg.Pool({ connectionString: service.connectionString, options: '-c search_path=read,convene' });
const db = new Kysely<ReadModels>({ dialect: new PostgresDialect({ pool }) });
t.teardown(() => pool.end());

const progress = { reached: async () => true };

t.test('rights', async (t) => {
  const clock = { now: new Date() };
  const rights = createRights({ db, progress, now: () => clock.now });
  t.test('are those of the roles, and unknown for accounts that are not there', async (t) => {
    t.match(await rights.of(somebody.accountId), { roles: ['free'], plan: 'free', verified: true, active: true });
    t.match(await rights.of(admin.accountId), { permissions: ['*:*'] });
    t.equal(await rights.of('00000000-0000-4000-8000-000000000000'), undefined);
  });
  t.test('come from memory for a second, then from the read model', async (t) => {
    const known = rights.of(somebody.accountId);
    t.notOk(known instanceof Promise);
    clock.now = new Date(clock.now.getTime() + 1_001);
    t.ok(rights.of(somebody.accountId) instanceof Promise);
  });
  t.test('are read afresh after an event that changes them', async (t) => {
    await rights.of(somebody.accountId);
    const fromMemory = () => !(rights.of(somebody.accountId) instanceof Promise);
    for (const stream of [`userAccess-${somebody.accountId}`, `account-${somebody.accountId}`, 'roleCatalog-all']) {
      rights.changed(stream, 1n);
      t.notOk(fromMemory(), stream);
      await rights.of(somebody.accountId);
    }
    rights.changed('estimationSession-x', 1n);
    t.ok(fromMemory(), 'others do not matter');
  });
  t.test('are not told while the read models are behind what this process knows', async (t) => {
    const late = createRights({ db, progress: { reached: async () => false }, now: () => clock.now });
    t.match(await late.of(somebody.accountId), { roles: ['free'] });
    late.changed(`userAccess-${somebody.accountId}`, 9n);
    await t.rejects(async () => late.of(somebody.accountId), { name: 'ReadModelBehind' });
  });
  t.test('end with the assignment, though no event has told so yet', async (t) => {
    const end = new Date(Date.now() + 3_600_000);
    const assignment = { roleName: 'auditor', expiresAt: end.toISOString() };
    const { status } = await admin.post(`/rbac/users/${somebody.accountId}/roles`, assignment);
    t.equal(status, 201);
    const held = async () => (await createRights({ db, progress, now: () => clock.now }).of(somebody.accountId))?.roles;
    clock.now = new Date(end.getTime() - 500);
    await eventually(held, (roles) => roles?.includes('auditor') === true);
    const kept = createRights({ db, progress, now: () => clock.now });
    t.ok((await kept.of(somebody.accountId))?.roles.includes('auditor'));
    clock.now = end;
    t.strictSame((await kept.of(somebody.accountId))?.roles, ['free']);
  });
});

t.test('a database out of reach allows nothing', async (t) => {
  const closed = new pg.Pool({ connectionString: service.connectionString });
  await closed.end();
  const unreachable = new Kysely<ReadModels>({ dialect: new PostgresDialect({ pool: closed }) });
  await t.rejects(async () => createRights({ db: unreachable, progress }).of(admin.accountId));
  await t.rejects(async () =>
    createSessions({ db: unreachable }).alive('00000000-0000-4000-8000-000000000000', admin.accountId),
  );
});

t.test('sessions', async (t) => {
  const { rows } = await pool.query('select session_id from login_sessions where account_id = $1', [
    somebody.accountId,
  ]);
  const sessionId: string = rows[0].session_id;
  const clock = { now: new Date() };
  const sessions = createSessions({ db, now: () => clock.now });
  const alive = (id: string) => sessions.alive(id, somebody.accountId);
  t.equal(await sessions.alive(sessionId, admin.accountId), false, "somebody else's");
  t.equal(await alive(sessionId), true);
  t.equal(sessions.alive(sessionId, admin.accountId), false, 'from memory too');
  t.equal(alive(sessionId), true, 'from memory');
  clock.now = new Date(clock.now.getTime() + 8 * 86_400_000);
  t.equal(await alive(sessionId), false, 'after its time');
  t.equal(await alive('00000000-0000-4000-8000-000000000000'), false, 'never was');
  clock.now = new Date();
  t.equal(await alive(sessionId), true);
  sessions.observe({ type: 'LoginSessionRevoked', data: { sessionId } } as never);
  t.equal(alive(sessionId), false, 'revoked');
});
