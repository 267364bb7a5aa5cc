import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isBuiltIn } from '../../../src/domain/access/permissions.ts';
import * as commands from '../../../src/domain/access/roleCatalog/index.ts';
import {
  abandonRoleDeletion,
  beginRoleDeletion,
  definePermission,
  defineRole,
  deleteRole,
  describePermission,
  grantPermissionToRole,
  retirePermission,
  revokePermissionFromRole,
  roleCatalog,
  seedSystemRoles,
  setRoleParents,
  updateRole,
} from '../../../src/domain/access/roleCatalog/index.ts';
import { SYSTEM_ROLES, type SystemRole } from '../../../src/domain/access/systemRoles.ts';
import type { Actor } from '../../../src/domain/decider.ts';
import { model, movesIn, named, person } from '../../support/model.ts';

const SYSTEM: readonly (readonly [string, SystemRole])[] = Object.entries(SYSTEM_ROLES);
const ADMIN = SYSTEM_ROLES.admin.roleId;
const root = person('root', '*:*');
const keeper = person('keeper', 'manage:roles', 'read:roles', 'close:offices', 'read:own-appointments');

/** What it allows in the words of the service. */
const WORDS_OF_READ_ROLES = 'Read roles, permissions and assignments';

type Role = { name: string; description: string; permissions: Set<string>; parents: Set<string>; system: boolean };
/** Roles in the order of their definition; what the keeper holds. */
type World = {
  readonly roles: Map<string, Role>;
  readonly words: Map<string, string>;
  /** The deletion that has closed a role. */
  readonly closed: Map<string, string>;
  holds: string | undefined;
};
type Graph = ReadonlyMap<string, { readonly parents: ReadonlySet<string> }>;
const on = movesIn<World>();

/** Every chain upwards from a role; a chain that comes back to itself ends there. */
const chains = (graph: Graph, from: string, below: readonly string[] = []): readonly (readonly string[])[] => {
  const chain = [...below, from];
  const parents = below.includes(from) ? [] : [...(graph.get(from)?.parents ?? [])];
  return parents.length === 0 ? [chain] : parents.flatMap((parent) => chains(graph, parent, chain));
};
const above = (graph: Graph, from: readonly string[]): Set<string> =>
  new Set(from.flatMap((role) => chains(graph, role).flat()));
const given = ({ roles }: World, from: readonly string[]): string[] =>
  [...above(roles, from)].flatMap((role) => [...(roles.get(role)?.permissions ?? [])]);

/** What is wrong with a hierarchy of roles. */
const broken = (graph: Graph): string | undefined => {
  const all = [...graph.keys()].flatMap((role) => chains(graph, role));
  if (all.some((chain) => new Set(chain).size < chain.length)) return 'hierarchy-cycle';
  return all.some((chain) => chain.length > 5) ? 'hierarchy-too-deep' : undefined;
};
const withParents = (world: World, roleId: string, parents: readonly string[]): Graph =>
  new Map<string, { parents: ReadonlySet<string> }>([...world.roles, [roleId, { parents: new Set(parents) }]]);

const may = ({ permissions }: Actor, all: readonly string[]): boolean =>
  permissions.includes('*:*') || all.every((one) => permissions.includes(one));
const isKnown = ({ words }: World, permission: string): boolean => isBuiltIn(permission) || words.has(permission);
/** Why somebody may not change a role: not while he holds it, and never the role admin. */
const untouchable = (world: World, roleId: string, actor: Actor): string | undefined => {
  const own = actor === keeper && world.holds !== undefined && above(world.roles, [world.holds]).has(roleId);
  return own ? 'own-role' : roleId === ADMIN ? 'role-unchangeable' : undefined;
};

/** Why a role may not be deleted: besides, not one of the service, and none that others inherit from. */
const undeletable = (world: World, roleId: string, actor: Actor): string | undefined => {
  const role = world.roles.get(roleId);
  if (role === undefined) return 'role-unknown';
  const refused = untouchable(world, roleId, actor);
  if (refused !== undefined) return refused;
  if (role.system) return 'system-role';
  return [...world.roles.values()].some(({ parents }) => parents.has(roleId)) ? 'role-inherited' : undefined;
};
/** One of two deletions. */
const deletionOf = (first: boolean): string => named(first ? 'a deletion' : 'another deletion');

const NAMES = ['role_a', 'role_b', 'role_c', 'role_d', 'role_e', 'role_f', 'role_g', 'agent', 'provider'];
const PERMISSIONS = ['close:offices', 'open:offices', 'read:roles', 'read:own-appointments'];
const permission = fc.constantFrom(...PERMISSIONS, ...PERMISSIONS, '*:*');
const actor = fc.constantFrom(root, root, keeper);
/** The how many-th role, the newest being 0; a role that never was when there are not so many. */
const place = fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(30) });
/** Often the newest role, so that chains grow. */
const places = fc.oneof(fc.constant([0]), fc.uniqueArray(place, { maxLength: 2 }));
const fewPermissions = fc.oneof(
  { weight: 3, arbitrary: fc.constant<string[]>([]) },
  fc.uniqueArray(permission, { maxLength: 2 }),
);
const roleAt = ({ roles }: World, ago: number): string => [...roles.keys()].at(-1 - ago) ?? named('no role');
/** The role that was closed last, or any. */
const closedOr = (world: World, place: number, closed: boolean): string =>
  (closed ? [...world.closed.keys()].at(-1) : undefined) ?? roleAt(world, place);
const rolesAt = (world: World, which: readonly number[]): string[] => [
  ...new Set(which.map((ago) => roleAt(world, ago))),
];
const facts = ({ holds }: World, who: Actor) => ({
  heldRoleIds: who === keeper && holds !== undefined ? [holds] : [],
});
const same = (a: Iterable<string>, b: Iterable<string>): boolean => String([...a].sort()) === String([...b].sort());

/** All roles: names that are theirs alone, permissions that exist, no cycle, five in a chain at most. */
export const roleCatalogModel = model({
  decider: roleCatalog,
  commands,
  world: (): World => ({ roles: new Map(), words: new Map(), closed: new Map(), holds: undefined }),
  length: 50,
  lives: 150,
  moves: {
    'the keeper holds': on(fc.option(place), (ago, world) => {
      world.holds = ago === null ? undefined : roleAt(world, ago);
      return undefined;
    }),
    seed: on(fc.constant({}), (input, { roles }) => ({
      command: seedSystemRoles,
      input,
      twice: 'nothing',
      expect: () => {
        const missing = SYSTEM.filter(([, { roleId }]) => !roles.has(roleId));
        // Whoever has taken a name that the service needs is given another one.
        const moving = [...roles.values()].filter((role) => missing.some(([name]) => name === role.name));
        for (const role of moving) role.name = `${role.name}_2`;
        for (const [name, { roleId, description, permissions, parents }] of missing)
          roles.set(roleId, {
            name,
            description,
            permissions: new Set(permissions),
            parents: new Set(parents.map((one) => new Map(SYSTEM).get(one)?.roleId ?? '')),
            system: true,
          });
        return [...moving.map(() => 'RoleUpdated'), ...missing.map(() => 'RoleDefined')];
      },
    })),
    'name a permission': on(
      fc.record({
        name: fc.constantFrom('close:offices', 'open:offices', 'read:roles'),
        description: fc.constant('one'),
      }),
      ({ name, description }, world) => ({
        command: definePermission,
        input: { name, description, context: 'booking' },
        actor: root,
        expect: () => {
          if (isKnown(world, name)) return 'permission-name-taken';
          world.words.set(name, description);
          return ['PermissionDefined'];
        },
      }),
      2,
    ),
    'describe a permission': on(
      fc.record({
        name: fc.constantFrom('close:offices', 'open:offices', 'read:roles'),
        description: fc.constantFrom('one', 'another', WORDS_OF_READ_ROLES),
      }),
      (input, world) => ({
        command: describePermission,
        input,
        actor: root,
        twice: 'nothing',
        expect: () => {
          const { name, description } = input;
          if (!isBuiltIn(name) && !world.words.has(name)) return 'permission-unknown';
          if ((world.words.get(name) ?? WORDS_OF_READ_ROLES) === description) return [];
          world.words.set(name, description);
          return ['PermissionDescribed'];
        },
      }),
    ),
    'retire a permission': on(
      fc.constantFrom('close:offices', 'open:offices', 'close:offices', 'open:offices', 'read:roles'),
      (name, world) => ({
        command: retirePermission,
        input: { name },
        actor: root,
        expect: () => {
          if (isBuiltIn(name)) return 'permission-built-in';
          if (!world.words.has(name)) return 'permission-unknown';
          if ([...world.roles.values()].some(({ permissions }) => permissions.has(name))) return 'permission-in-use';
          world.words.delete(name);
          return ['PermissionRetired'];
        },
      }),
      4,
    ),
    'begin a deletion': on(
      fc.record({ who: actor, place, first: fc.boolean() }),
      ({ who, place, first }, world) => {
        const roleId = roleAt(world, place);
        const deletionId = deletionOf(first);
        return {
          command: beginRoleDeletion,
          input: { roleId, deletionId },
          actor: who,
          facts: facts(world, who),
          twice: 'nothing',
          expect: () => {
            const refused = undeletable(world, roleId, who);
            if (refused !== undefined) return refused;
            if (world.closed.get(roleId) === deletionId) return [];
            world.closed.set(roleId, deletionId);
            return ['RoleDeletionBegun'];
          },
        };
      },
      4,
    ),
    'abandon a deletion': on(
      fc.record({ place, closed: fc.boolean(), first: fc.boolean() }),
      ({ place, closed, first }, world) => {
        const roleId = closedOr(world, place, closed);
        const deletionId = deletionOf(first);
        return {
          command: abandonRoleDeletion,
          input: { roleId, deletionId },
          twice: 'nothing',
          expect: () => {
            if (world.closed.get(roleId) !== deletionId) return [];
            world.closed.delete(roleId);
            return ['RoleDeletionAbandoned'];
          },
        };
      },
    ),
    delete: on(
      fc.record({ who: actor, place, closed: fc.boolean(), first: fc.boolean(), assigned: fc.boolean() }),
      ({ who, place, closed, first, assigned }, world) => {
        const roleId = closedOr(world, place, closed);
        const deletionId = deletionOf(first);
        return {
          command: deleteRole,
          input: { roleId },
          actor: who,
          facts: { ...facts(world, who), deletionId, assigned },
          expect: () => {
            const refused = undeletable(world, roleId, who);
            if (refused !== undefined) return refused;
            if (assigned) return 'role-assigned';
            if (world.closed.get(roleId) !== deletionId) return 'role-being-deleted';
            world.closed.delete(roleId);
            world.roles.delete(roleId);
            return ['RoleDeleted'];
          },
        };
      },
      4,
    ),
    define: on(
      fc.record({
        who: actor,
        name: fc.constantFrom(...NAMES),
        held: fewPermissions,
        places,
      }),
      ({ who, name, held, places }, world, { newId }) => {
        const parentRoleIds = rolesAt(world, places);
        return {
          command: defineRole,
          input: { name, permissions: held, parentRoleIds },
          actor: who,
          expect: () => {
            if (held.includes('*:*')) return 'permission-reserved';
            if (!held.every((one) => isKnown(world, one))) return 'permission-unknown';
            if (!parentRoleIds.every((parent) => world.roles.has(parent))) return 'parent-unknown';
            if (!may(who, [...held, ...given(world, parentRoleIds)])) return 'privilege-escalation';
            if ([...world.roles.values()].some((role) => role.name === name)) return 'role-name-taken';
            const wrong = broken(withParents(world, newId('role'), parentRoleIds));
            if (wrong !== undefined) return wrong;
            const role = {
              name,
              description: '',
              permissions: new Set(held),
              parents: new Set(parentRoleIds),
              system: false,
            };
            world.roles.set(newId('role'), role);
            return ['RoleDefined'];
          },
        };
      },
      6,
    ),
    update: on(
      fc.record({
        who: actor,
        place,
        name: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
        held: fc.option(fc.uniqueArray(permission, { maxLength: 2 }), { nil: undefined }),
        parents: fc.option(places, { nil: undefined }),
        version: fc.constantFrom(undefined, undefined, undefined, undefined, 1000),
      }),
      ({ who, place, name, held, parents, version }, world) => {
        const roleId = roleAt(world, place);
        const parentRoleIds = parents && rolesAt(world, parents);
        const optional = Object.entries({ name, permissions: held, parentRoleIds, version });
        return {
          command: updateRole,
          input: { roleId, ...Object.fromEntries(optional.filter(([, value]) => value !== undefined)) },
          actor: who,
          facts: facts(world, who),
          expect: () => {
            const role = world.roles.get(roleId);
            if (roleId !== ADMIN && held?.includes('*:*')) return 'permission-reserved';
            if (roleId !== ADMIN && !held?.every((one) => isKnown(world, one)) && held) return 'permission-unknown';
            if (role === undefined) return 'role-unknown';
            if (!(parentRoleIds ?? []).every((parent) => world.roles.has(parent))) return 'parent-unknown';
            const more = (held ?? []).filter((one) => !role.permissions.has(one));
            const newParents = (parentRoleIds ?? []).filter((parent) => !role.parents.has(parent));
            if (!may(who, [...more, ...given(world, newParents)])) return 'privilege-escalation';
            const forbidden = untouchable(world, roleId, who);
            if (forbidden !== undefined) return forbidden;
            // Nobody gets as far as that in one life.
            if (version !== undefined) return 'stale-version';
            if (role.system && name !== undefined && name !== role.name) return 'system-role';
            if ([...world.roles].some(([id, other]) => id !== roleId && other.name === name)) return 'role-name-taken';
            const wrong = parentRoleIds && broken(withParents(world, roleId, parentRoleIds));
            if (wrong !== undefined) return wrong;
            const less = held === undefined ? [] : [...role.permissions].filter((one) => !held.includes(one));
            const moved = parentRoleIds !== undefined && !same(parentRoleIds, role.parents);
            const renamed = name !== undefined && name !== role.name;
            if (renamed) role.name = name;
            if (held !== undefined) role.permissions = new Set(held);
            if (parentRoleIds !== undefined) role.parents = new Set(parentRoleIds);
            return [
              ...(renamed ? ['RoleUpdated'] : []),
              ...more.map(() => 'PermissionGrantedToRole'),
              ...less.map(() => 'PermissionRevokedFromRole'),
              ...(moved ? ['RoleParentsSet'] : []),
            ];
          },
        };
      },
      3,
    ),
    grant: on(
      fc.record({ who: actor, place, permission }),
      ({ who, place, permission }, world) => {
        const roleId = roleAt(world, place);
        return {
          command: grantPermissionToRole,
          input: { roleId, permission },
          actor: who,
          facts: facts(world, who),
          twice: 'nothing',
          expect: () => {
            const role = world.roles.get(roleId);
            if (role === undefined) return 'role-unknown';
            if (!isKnown(world, permission)) return 'permission-unknown';
            if (!may(who, [permission])) return 'privilege-escalation';
            const forbidden = untouchable(world, roleId, who);
            if (forbidden !== undefined) return forbidden;
            if (permission === '*:*') return 'permission-reserved';
            if (role.permissions.has(permission)) return [];
            role.permissions.add(permission);
            return ['PermissionGrantedToRole'];
          },
        };
      },
      2,
    ),
    take: on(
      fc.record({ who: actor, place, permission }),
      ({ who, place, permission }, world) => {
        const roleId = roleAt(world, place);
        return {
          command: revokePermissionFromRole,
          input: { roleId, permission },
          actor: who,
          facts: facts(world, who),
          twice: 'nothing',
          expect: () => {
            const role = world.roles.get(roleId);
            if (role === undefined) return 'role-unknown';
            return (
              untouchable(world, roleId, who) ??
              (role.permissions.delete(permission) ? ['PermissionRevokedFromRole'] : [])
            );
          },
        };
      },
      2,
    ),
    'set parents': on(
      fc.record({ who: actor, place, places }),
      ({ who, place, places }, world) => {
        const roleId = roleAt(world, place);
        const parentRoleIds = rolesAt(world, places);
        return {
          command: setRoleParents,
          input: { roleId, parentRoleIds },
          actor: who,
          facts: facts(world, who),
          twice: 'nothing',
          expect: () => {
            const role = world.roles.get(roleId);
            if (role === undefined) return 'role-unknown';
            if (!parentRoleIds.every((parent) => world.roles.has(parent))) return 'parent-unknown';
            const newParents = parentRoleIds.filter((parent) => !role.parents.has(parent));
            if (!may(who, given(world, newParents))) return 'privilege-escalation';
            const forbidden = untouchable(world, roleId, who) ?? broken(withParents(world, roleId, parentRoleIds));
            if (forbidden !== undefined) return forbidden;
            if (same(parentRoleIds, role.parents)) return [];
            role.parents = new Set(parentRoleIds);
            return ['RoleParentsSet'];
          },
        };
      },
      6,
    ),
  },
  seen: ({ roles, permissions }) => ({
    words: permissions,
    roles: Object.entries(roles).map(([id, { name, permissions, parentRoleIds, system, deletionId }]) => ({
      id,
      name,
      permissions: [...permissions].sort(),
      parents: [...parentRoleIds].sort(),
      system,
      deletionId,
    })),
  }),
  expected: ({ roles, words, closed }) => ({
    words: Object.fromEntries(words),
    roles: [...roles].map(([id, { name, permissions, parents, system }]) => ({
      id,
      name,
      permissions: [...permissions].sort(),
      parents: [...parents].sort(),
      system,
      deletionId: closed.get(id),
    })),
  }),
  always: ({ roles }) => {
    const graph: Graph = new Map(
      Object.entries(roles).map(([id, { parentRoleIds }]) => [id, { parents: new Set(parentRoleIds) }]),
    );
    assert.equal(broken(graph), undefined, 'no cycle, and five in a chain at most');
    const names = Object.values(roles).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, 'names are unique');
    for (const [id, { permissions }] of Object.entries(roles))
      assert.ok(id === ADMIN || !permissions.includes('*:*'), 'only admin holds *:*');
  },
  refusals: [
    'permission-name-taken',
    'permission-built-in',
    'permission-unknown',
    'permission-reserved',
    'parent-unknown',
    'privilege-escalation',
    'role-name-taken',
    'hierarchy-cycle',
    'hierarchy-too-deep',
    'role-unknown',
    'own-role',
    'role-unchangeable',
    'stale-version',
    'system-role',
    'permission-in-use',
    'role-inherited',
    'role-assigned',
    'role-being-deleted',
  ],
});
