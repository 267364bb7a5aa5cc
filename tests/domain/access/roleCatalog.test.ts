import t from 'tap';
import { BUILT_IN } from '../../../src/domain/access/permissions.ts';
import {
  abandonRoleDeletion,
  beginRoleDeletion,
  definePermission,
  defineRole,
  deleteRole,
  describePermission,
  grantPermissionToRole,
  type RoleCatalogEvent,
  retirePermission,
  revokePermissionFromRole,
  roleCatalog,
  seedSystemRoles,
  setRoleParents,
  updateRole,
} from '../../../src/domain/access/roleCatalog/index.ts';
import { SYSTEM_ROLES } from '../../../src/domain/access/systemRoles.ts';
import { id, newId, now, spec, system, user } from '../../support/spec.ts';

const given = spec(roleCatalog);
const admin = user(id('admin'), '*:*');
const editor = user(id('editor'), 'manage:roles', 'read:own-appointments');
const nobody = { heldRoleIds: [] };

const role = (
  name: string,
  { permissions = [], parents = [] }: { permissions?: string[]; parents?: string[] } = {},
): RoleCatalogEvent => ({
  type: 'RoleDefined',
  data: {
    roleId: id(name),
    name,
    description: '',
    permissions,
    parentRoleIds: parents.map(id),
    system: false,
    definedAt: now.toISOString(),
  },
});
/** `a` inherits from nothing, `b` from `a`, and so on. */
const chain = (...names: readonly string[]) =>
  names.map((name, index) => role(name, { parents: names.slice(index - 1, index) }));
const seeded = () => given().when(seedSystemRoles, {}, system).outcome as readonly RoleCatalogEvent[];

t.test('the system roles', async (t) => {
  t.test('are defined once, parents before children', async (t) => {
    const events = seeded();
    t.equal(events.length, Object.keys(SYSTEM_ROLES).length);
    given(...events)
      .when(seedSystemRoles, {}, system)
      .nothing();
    const defined = new Set<string>();
    for (const event of events) {
      if (event.type !== 'RoleDefined') continue;
      t.ok(event.data.parentRoleIds.every((parent) => defined.has(parent)));
      defined.add(event.data.roleId);
    }
  });
  t.test('that are missing are added, and the others stay as they are', async (t) => {
    const [first, ...others] = seeded();
    const { outcome } = given(...others).when(seedSystemRoles, {}, system);
    t.strictSame(outcome, [first]);
  });
  t.test('take their names from roles of the same name, which get another', async (t) => {
    const { outcome } = given(role('agent'), role('agent_2')).when(seedSystemRoles, {}, system);
    const [renamed, ...defined] = outcome as readonly RoleCatalogEvent[];
    t.strictSame(renamed, { type: 'RoleUpdated', data: { roleId: id('agent'), changed: { name: 'agent_3' } } });
    t.strictSame(defined, seeded());
  });
});

t.test('defining a role', async (t) => {
  t.test('puts it into the catalogue with each permission once', async () => {
    const permissions = ['read:own-appointments', 'read:own-appointments'];
    given()
      .when(defineRole, { name: 'scheduler', permissions }, admin)
      .then({
        type: 'RoleDefined',
        data: {
          roleId: newId('role'),
          name: 'scheduler',
          description: '',
          permissions: ['read:own-appointments'],
          parentRoleIds: [],
          system: false,
          definedAt: now.toISOString(),
        },
      });
  });
  t.test('may use a permission that was defined', async (t) => {
    const close = { name: 'close:offices', description: 'Close', context: 'booking' as const };
    const { outcome } = given({ type: 'PermissionDefined', data: close }).when(
      defineRole,
      { name: 'closer', permissions: ['close:offices'] },
      admin,
    );
    t.notMatch(outcome, { reason: String });
  });
  t.test('takes a description of several lines, and no other control characters', async (t) => {
    const described = (description: string) => given().when(defineRole, { name: 'closer', description }, admin);
    t.match(described('Closes offices:\n\tall of them').outcome, [{ data: { description: /\n\tall/ } }]);
    described('Closes\u0007').rejected('input-invalid', 'description');
  });
  t.test('is refused for a permission that is in no catalogue', async () =>
    given()
      .when(defineRole, { name: 'pilot', permissions: ['fly:moon'] }, admin)
      .rejected('permission-unknown', 'permissions'),
  );
  t.test('is refused for the permission to do everything', async () =>
    given()
      .when(defineRole, { name: 'second_admin', permissions: ['*:*'] }, admin)
      .rejected('permission-reserved', 'permissions'),
  );
  t.test('is refused for a parent that does not exist', async () =>
    given()
      .when(defineRole, { name: 'child', parentRoleIds: [id('none')] }, admin)
      .rejected('parent-unknown', 'parentRoleIds'),
  );
  t.test('is refused for a permission that its issuer does not hold', async () =>
    given()
      .when(defineRole, { name: 'reader', permissions: ['read:users'] }, editor)
      .rejected('privilege-escalation'),
  );
  t.test('is refused for a parent that gives more than its issuer holds', async () =>
    given(role('parent', { permissions: ['read:users'] }))
      .when(defineRole, { name: 'child', parentRoleIds: [id('parent')] }, editor)
      .rejected('privilege-escalation'),
  );
  t.test('is refused for a name that is taken', async () =>
    given(role('scheduler')).when(defineRole, { name: 'scheduler' }, admin).rejected('role-name-taken', 'name'),
  );
  t.test('allows a chain of five roles and no longer one', async (t) => {
    const four = chain('one', 'two', 'three', 'four');
    const fifth = given(...four).when(defineRole, { name: 'five', parentRoleIds: [id('four')] }, admin);
    t.notMatch(fifth.outcome, { reason: String });
    given(...chain('one', 'two', 'three', 'four', 'five'))
      .when(defineRole, { name: 'six', parentRoleIds: [id('five')] }, admin)
      .rejected('hierarchy-too-deep', 'parentRoleIds');
  });
  t.test('is refused for a name with capitals, a colon or too few letters', async () => {
    for (const name of ['Scheduler', 'a:b', 'ab'])
      given().when(defineRole, { name }, admin).rejected('input-invalid', 'name');
  });
});

t.test('setting parents', async (t) => {
  t.test('replaces them', async () =>
    given(role('one'), role('two'))
      .when(setRoleParents, { roleId: id('two'), parentRoleIds: [id('one')] }, admin, nobody)
      .then({ type: 'RoleParentsSet', data: { roleId: id('two'), parentRoleIds: [id('one')] } }),
  );
  t.test('to what they are changes nothing', async () =>
    given(...chain('one', 'two'))
      .when(setRoleParents, { roleId: id('two'), parentRoleIds: [id('one')] }, admin, nobody)
      .nothing(),
  );
  t.test('is refused when a role would inherit from itself', async () => {
    const roles = chain('one', 'two', 'three');
    for (const parent of ['one', 'three'])
      given(...roles)
        .when(setRoleParents, { roleId: id('one'), parentRoleIds: [id(parent)] }, admin, nobody)
        .rejected('hierarchy-cycle');
  });
  t.test('is refused when a chain through the role gets too long', async () =>
    given(...chain('one', 'two', 'three'), ...chain('four', 'five', 'six'))
      .when(setRoleParents, { roleId: id('four'), parentRoleIds: [id('three')] }, admin, nobody)
      .rejected('hierarchy-too-deep'),
  );
  t.test('is refused for unknown roles', async () => {
    given()
      .when(setRoleParents, { roleId: id('x'), parentRoleIds: [] }, admin, nobody)
      .rejected('role-unknown');
    given(role('one'))
      .when(setRoleParents, { roleId: id('one'), parentRoleIds: [id('x')] }, admin, nobody)
      .rejected('parent-unknown');
  });
});

t.test('updating a role', async (t) => {
  const scheduler = role('scheduler', { permissions: ['read:own-appointments'] });
  const roleId = id('scheduler');
  t.test('replaces the fields given', async () =>
    given(scheduler)
      .when(updateRole, { roleId, name: 'planner', permissions: ['book:appointments'] }, admin, nobody)
      .then(
        { type: 'RoleUpdated', data: { roleId, changed: { name: 'planner' } } },
        { type: 'PermissionGrantedToRole', data: { roleId, permission: 'book:appointments' } },
        { type: 'PermissionRevokedFromRole', data: { roleId, permission: 'read:own-appointments' } },
      ),
  );
  t.test('with what it is changes nothing', async () =>
    given(scheduler).when(updateRole, { roleId, name: 'scheduler', description: '' }, admin, nobody).nothing(),
  );
  t.test('is refused to one who holds the role, directly or by inheritance', async () => {
    const child = role('child', { parents: ['scheduler'] });
    for (const held of ['scheduler', 'child'])
      given(scheduler, child)
        .when(updateRole, { roleId, description: 'Mine' }, editor, { heldRoleIds: [id(held)] })
        .rejected('own-role');
  });
  t.test('is refused for a version that is not the latest', async () =>
    given(scheduler)
      .when(updateRole, { roleId, description: 'x', version: 1 }, admin, nobody)
      .rejected('stale-version'),
  );
  t.test('is refused for another name of a system role, and for anything of admin', async () => {
    given(...seeded())
      .when(updateRole, { roleId: SYSTEM_ROLES.free.roleId, name: 'gratis' }, admin, nobody)
      .rejected('system-role');
    given(...seeded())
      .when(updateRole, { roleId: SYSTEM_ROLES.admin.roleId, description: 'x', permissions: ['*:*'] }, admin, nobody)
      .rejected('role-unchangeable');
  });
  t.test('is refused for an unknown role', async () =>
    given().when(updateRole, { roleId }, admin, nobody).rejected('role-unknown'),
  );
});

t.test('granting a permission to a role', async (t) => {
  const roleId = id('scheduler');
  const permission = 'read:own-appointments';
  t.test('adds it, once', async () => {
    const granted = { type: 'PermissionGrantedToRole' as const, data: { roleId, permission } };
    given(role('scheduler')).when(grantPermissionToRole, { roleId, permission }, editor, nobody).then(granted);
    given(role('scheduler'), granted).when(grantPermissionToRole, { roleId, permission }, editor, nobody).nothing();
  });
  t.test('is refused beyond what its issuer holds', async () =>
    given(role('scheduler'))
      .when(grantPermissionToRole, { roleId, permission: 'read:users' }, editor, nobody)
      .rejected('privilege-escalation'),
  );
  t.test('is refused for unknown roles and permissions and for everything', async () => {
    given().when(grantPermissionToRole, { roleId, permission }, admin, nobody).rejected('role-unknown');
    const to = (name: string) =>
      given(role('scheduler')).when(grantPermissionToRole, { roleId, permission: name }, admin, nobody);
    to('fly:moon').rejected('permission-unknown');
    to('*:*').rejected('permission-reserved');
  });
});

t.test('revoking a permission from a role', async (t) => {
  const roleId = id('scheduler');
  const permission = 'read:own-appointments';
  t.test('takes it away, once', async () => {
    const revoked = { type: 'PermissionRevokedFromRole' as const, data: { roleId, permission } };
    const holding = role('scheduler', { permissions: [permission] });
    given(holding).when(revokePermissionFromRole, { roleId, permission }, editor, nobody).then(revoked);
    given(holding, revoked).when(revokePermissionFromRole, { roleId, permission }, editor, nobody).nothing();
  });
  t.test('leaves admin alone', async () =>
    given(...seeded())
      .when(revokePermissionFromRole, { roleId: SYSTEM_ROLES.admin.roleId, permission: '*:*' }, admin, nobody)
      .rejected('role-unchangeable'),
  );
});

t.test('permissions', async (t) => {
  const data = { name: 'close:offices', description: 'Close an office', context: 'booking' as const };
  t.test('are defined once, and not over built-in ones', async () => {
    given().when(definePermission, data, admin).then({ type: 'PermissionDefined', data });
    given({ type: 'PermissionDefined', data }).when(definePermission, data, admin).rejected('permission-name-taken');
    given()
      .when(definePermission, { ...data, name: 'read:users' }, admin)
      .rejected('permission-name-taken');
    given()
      .when(definePermission, { ...data, name: '*:*' }, admin)
      .rejected('input-invalid', 'name');
  });
  t.test('get other words', async () => {
    const words = { name: data.name, description: 'Close an office for a day' };
    const defined = { type: 'PermissionDefined' as const, data };
    given(defined).when(describePermission, words, admin).then({ type: 'PermissionDescribed', data: words });
    given(defined)
      .when(describePermission, { ...words, description: data.description }, admin)
      .nothing();
    given().when(describePermission, words, admin).rejected('permission-unknown');
  });
  t.test('get other words when they are built in, too', async () => {
    const words = { name: 'read:users', description: 'Look people up' };
    const described = { type: 'PermissionDescribed' as const, data: words };
    given().when(describePermission, words, admin).then(described);
    given(described).when(describePermission, words, admin).nothing();
    given()
      .when(describePermission, { ...words, description: BUILT_IN['read:users'].description }, admin)
      .nothing();
    given(described)
      .when(definePermission, { ...words, context: 'identity' }, admin)
      .rejected('permission-name-taken');
    given(described).when(retirePermission, { name: words.name }, admin).rejected('permission-built-in');
  });
});

t.test('retiring a permission', async (t) => {
  const defined: RoleCatalogEvent = {
    type: 'PermissionDefined',
    data: { name: 'close:offices', description: 'Close', context: 'booking' },
  };
  const retire = { name: 'close:offices' };
  t.test('takes it out of the catalogue', async () => {
    const { outcome, state } = given(defined).when(retirePermission, retire, admin);
    t.strictSame(outcome, [{ type: 'PermissionRetired', data: retire }]);
    t.strictSame(state.permissions, {});
  });
  t.test('leaves its name free for another', async () =>
    given(defined, { type: 'PermissionRetired', data: retire })
      .when(definePermission, defined.data as never, admin)
      .then(defined),
  );
  t.test('is refused while a role holds it', async () =>
    given(defined, role('closer', { permissions: ['close:offices'] }))
      .when(retirePermission, retire, admin)
      .rejected('permission-in-use'),
  );
  t.test('is refused for one that is built in or unknown', async () => {
    given().when(retirePermission, { name: 'read:roles' }, admin).rejected('permission-built-in');
    given().when(retirePermission, { name: '*:*' }, admin).rejected('permission-built-in');
    given().when(retirePermission, retire, admin).rejected('permission-unknown');
  });
});

t.test('deleting a role', async (t) => {
  const roleId = id('a');
  const deletionId = id('deletion');
  const facts = { ...nobody, deletionId, assigned: false };
  const begun: RoleCatalogEvent = { type: 'RoleDeletionBegun', data: { roleId, deletionId } };
  const other: RoleCatalogEvent = { type: 'RoleDeletionBegun', data: { roleId, deletionId: id('other') } };
  const begin = { roleId, deletionId };
  t.test('closes it, and then it is gone', async (t) => {
    given(role('a')).when(beginRoleDeletion, begin, admin, nobody).then(begun);
    given(role('a'), begun).when(beginRoleDeletion, begin, admin, nobody).nothing();
    const { outcome, state } = given(role('a'), begun).when(deleteRole, { roleId }, admin, facts);
    t.strictSame(outcome, [{ type: 'RoleDeleted', data: { roleId, name: 'a' } }]);
    t.strictSame(state.roles, {});
  });
  t.test('is no change of its version', async (t) => {
    const { state } = given(role('a')).when(beginRoleDeletion, begin, admin, nobody);
    t.match(state.roles[roleId], { version: 0, deletionId });
  });
  t.test('is refused while somebody holds it, another inherits from it, or it belongs to the service', async () => {
    given(role('a'), begun)
      .when(deleteRole, { roleId }, admin, { ...facts, assigned: true })
      .rejected('role-assigned');
    given(...chain('a', 'b'))
      .when(beginRoleDeletion, begin, admin, nobody)
      .rejected('role-inherited');
    given(role('a'), begun, role('b', { parents: ['a'] }))
      .when(deleteRole, { roleId }, admin, facts)
      .rejected('role-inherited');
    const free = { ...begin, roleId: SYSTEM_ROLES.free.roleId };
    given(...seeded())
      .when(beginRoleDeletion, free, admin, nobody)
      .rejected('system-role');
    given(...seeded())
      .when(beginRoleDeletion, { ...begin, roleId: SYSTEM_ROLES.admin.roleId }, admin, nobody)
      .rejected('role-unchangeable');
  });
  t.test('is refused to whoever holds it himself, and for one that is not there', async () => {
    given(role('a'))
      .when(beginRoleDeletion, begin, editor, { heldRoleIds: [roleId] })
      .rejected('own-role');
    given().when(beginRoleDeletion, begin, admin, nobody).rejected('role-unknown');
    given().when(deleteRole, { roleId }, admin, facts).rejected('role-unknown');
  });
  t.test('comes to nothing when another deletion has begun, or it was given up', async () => {
    given(role('a'), begun, other).when(deleteRole, { roleId }, admin, facts).rejected('role-being-deleted');
    given(role('a'), begun, other).when(abandonRoleDeletion, begin, system).nothing();
    const abandoned: RoleCatalogEvent = { type: 'RoleDeletionAbandoned', data: begin };
    given(role('a'), begun).when(abandonRoleDeletion, begin, system).then(abandoned);
    given(role('a'), begun, abandoned).when(abandonRoleDeletion, begin, system).nothing();
    given(role('a'), begun, abandoned).when(deleteRole, { roleId }, admin, facts).rejected('role-being-deleted');
  });
});
