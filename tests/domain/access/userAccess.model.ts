import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SYSTEM_ROLES } from '../../../src/domain/access/systemRoles.ts';
import * as commands from '../../../src/domain/access/userAccess.ts';
import {
  assignRole,
  completeAdministratorRelease,
  expireRoleAssignment,
  liveRoleIds,
  revokeRole,
  userAccess,
  withdrawAssignment,
} from '../../../src/domain/access/userAccess.ts';
import { model, movesIn, named, person } from '../../support/model.ts';
import { system } from '../../support/spec.ts';

const HOUR = 3_600_000;
const ADMIN = SYSTEM_ROLES.admin.roleId;
const ROLES = [
  { roleId: ADMIN, name: 'admin', permissions: ['*:*'] },
  { roleId: SYSTEM_ROLES.premium.roleId, name: 'premium', permissions: ['share:planners'] },
  { roleId: named('scheduler'), name: 'scheduler', permissions: ['read:own-appointments'] },
  { roleId: named('closer'), name: 'closer', permissions: ['close:offices'] },
];
const owner = person('owner', '*:*');
/** `clerk` holds what the role scheduler gives, and what premium gives, but not more. */
const PEOPLE = [
  person('root', '*:*'),
  person('clerk', 'assign:roles', 'read:own-appointments', 'share:planners'),
  system,
  owner,
];
const accountId = owner.id;

type Held = { readonly assignmentId: string; readonly ends: number };
type World = { readonly held: Map<string, Held>; readonly letGo: string[]; account: 'unknown' | 'active' | 'inactive' };
const on = movesIn<World>();
const live = ({ held }: World, roleId: string, now: Date): Held | undefined => {
  const found = held.get(roleId);
  return found !== undefined && now.getTime() < found.ends ? found : undefined;
};
const isPlan = (name: string): boolean => ['free', 'premium', 'enterprise'].includes(name);

/** A role that may be unknown, and who asks. */
const asked = fc.record({
  role: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...ROLES, ...ROLES.slice(0, 1)) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  actor: fc.constantFrom(...PEOPLE, ...PEOPLE.slice(0, 1)),
});

/** Whether the role is about to be deleted. */
const closed = fc.constantFrom(false, false, false, true);

/** The roles of one account: who may give and take them, and when they end. */
export const userAccessModel = model({
  decider: userAccess,
  commands,
  world: (): World => ({ held: new Map(), letGo: [], account: 'active' }),
  waits: [1, HOUR - 1, HOUR],
  lives: 300,
  moves: {
    'the account is': on(
      fc.constantFrom('unknown' as const, 'inactive' as const, 'active' as const, 'active' as const),
      (account, world) => {
        world.account = account;
        return undefined;
      },
    ),
    assign: on(
      fc.record({ asked, byName: fc.boolean(), hours: fc.constantFrom(null, null, null, 0, 1, 2), closed }),
      ({ asked: { role, actor }, byName, hours, closed }, world, { now, newId }) => {
        const ends = hours === null ? Number.POSITIVE_INFINITY : now.getTime() + hours * HOUR;
        const roleId = role?.roleId ?? named('no role');
        return {
          command: assignRole,
          input: {
            accountId,
            ...(byName ? { roleName: role?.name ?? 'nobody' } : { roleId }),
            ...(hours === null ? {} : { expiresAt: new Date(ends).toISOString() }),
          },
          actor,
          facts: { role: role && { ...role, closed }, account: world.account },
          expect: () => {
            if (ends <= now.getTime()) return 'expiry-past';
            if (world.account === 'unknown') return 'account-unknown';
            if (role === undefined) return 'role-unknown';
            if (actor === owner) return 'own-roles';
            const may = (permission: string) =>
              actor.permissions.includes('*:*') || actor.permissions.includes(permission);
            if (!role.permissions.every(may)) return 'privilege-escalation';
            if (actor !== system && isPlan(role.name)) return 'plan-role';
            if (world.account === 'inactive' && actor !== system) return 'account-inactive';
            if (closed) return 'role-being-deleted';
            if (live(world, roleId, now) !== undefined) return actor === system ? [] : 'already-assigned';
            const before = world.held.has(roleId) ? ['RoleAssignmentExpired'] : [];
            world.held.set(roleId, { assignmentId: newId('assignment'), ends });
            return [...before, { type: 'RoleAssigned', data: { roleId, assignedBy: actor.id } }];
          },
        };
      },
      4,
    ),
    'let go': on(fc.constant(undefined), (_none, { held, letGo }) => {
      const counted = held.get(ADMIN);
      if (counted !== undefined) letGo.push(counted.assignmentId);
      return undefined;
    }),
    revoke: on(
      asked,
      ({ role, actor }, world, { now }) => {
        const roleId = role?.roleId ?? named('no role');
        return {
          command: revokeRole,
          input: { accountId, roleId },
          actor,
          facts: { role, accountKnown: world.account !== 'unknown', releasedAssignmentIds: [...world.letGo] },
          expect: () => {
            if (world.account === 'unknown') return 'account-unknown';
            if (role === undefined) return 'role-unknown';
            const may = (permission: string) =>
              actor.permissions.includes('*:*') || actor.permissions.includes(permission);
            if (!role.permissions.every(may)) return 'privilege-escalation';
            const found = live(world, roleId, now);
            if (found === undefined) return 'not-assigned';
            if (actor !== system && isPlan(role.name)) return 'plan-role';
            const counts = roleId === ADMIN && found.ends === Number.POSITIVE_INFINITY;
            if (counts && !world.letGo.includes(found.assignmentId)) return 'administrator-counted';
            world.held.delete(roleId);
            return [{ type: 'RoleRevoked', data: { roleId, revokedBy: actor.id } }];
          },
        };
      },
      2,
    ),
    'complete the release': on(fc.nat(1), (ago, world) => {
      const assignmentId = world.letGo.at(-1 - ago) ?? named('no assignment');
      return {
        command: completeAdministratorRelease,
        input: { accountId, assignmentId },
        actor: system,
        twice: 'nothing',
        expect: () => {
          if (world.held.get(ADMIN)?.assignmentId !== assignmentId) return [];
          world.held.delete(ADMIN);
          return [{ type: 'RoleRevoked', data: { roleId: ADMIN } }];
        },
      };
    }),
    withdraw: on(
      fc.record({ role: fc.constantFrom(...ROLES), current: fc.boolean(), roleGone: fc.boolean() }),
      ({ role: { roleId }, current, roleGone }, world) => {
        const held = world.held.get(roleId);
        const assignmentId = (current ? held?.assignmentId : undefined) ?? named('no assignment');
        return {
          command: withdrawAssignment,
          input: { accountId, roleId, assignmentId },
          actor: system,
          facts: { roleGone },
          twice: 'nothing',
          expect: () => {
            if (!roleGone || held?.assignmentId !== assignmentId) return [];
            world.held.delete(roleId);
            return [{ type: 'RoleRevoked', data: { roleId } }];
          },
        };
      },
    ),
    expire: on(fc.constantFrom(...ROLES), ({ roleId }, world, { now }) => ({
      command: expireRoleAssignment,
      input: { accountId, roleId },
      actor: system,
      twice: 'nothing',
      expect: () => {
        if (!world.held.has(roleId) || live(world, roleId, now) !== undefined) return [];
        world.held.delete(roleId);
        return ['RoleAssignmentExpired'];
      },
    })),
  },
  seen: (state, { now }) => [...liveRoleIds(state, now)].sort(),
  expected: (world, { now }) => [...world.held.keys()].filter((roleId) => live(world, roleId, now)).sort(),
  always: (_state, _world, history) => {
    const own = history.filter((event) => event.type === 'RoleAssigned' && event.data.assignedBy === accountId);
    assert.equal(own.length, 0, 'nobody gives himself a role');
  },
  refusals: [
    'expiry-past',
    'account-unknown',
    'role-unknown',
    'own-roles',
    'privilege-escalation',
    'plan-role',
    'account-inactive',
    'already-assigned',
    'role-being-deleted',
    'not-assigned',
    'administrator-counted',
  ],
});
