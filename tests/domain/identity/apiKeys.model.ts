import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/apiKeys.ts';
import { apiKeys, createApiKey, MAX_KEY_LIFE, revokeApiKey } from '../../../src/domain/identity/apiKeys.ts';
import { model, movesIn, named, person } from '../../support/model.ts';

const DAY = 86_400_000;
const owner = person('owner', 'read:planners', 'write:planners');
const keeper = person('keeper', 'write:users');
const stranger = person('stranger');

type Key = { revoked: boolean; readonly ends: number };
/** Keys in the order they were made. */
type World = { readonly keys: Map<string, Key> };
const on = movesIn<World>();
const live = ({ keys }: World, now: Date): number =>
  [...keys.values()].filter(({ revoked, ends }) => !revoked && now.getTime() < ends).length;

/** The keys of one account: twenty live ones at most, within what their owner may. */
export const apiKeysModel = model({
  decider: apiKeys,
  commands,
  world: (): World => ({ keys: new Map() }),
  waits: [DAY],
  length: 100,
  lives: 150,
  moves: {
    create: on(
      fc.record({
        permission: fc.oneof(
          { weight: 12, arbitrary: fc.constantFrom('read:planners', 'write:planners') },
          { weight: 1, arbitrary: fc.constantFrom('read:users', 'fly:moon') },
        ),
        days: fc.oneof(
          { weight: 12, arbitrary: fc.constantFrom(undefined, undefined, undefined, 3) },
          { weight: 1, arbitrary: fc.constantFrom(0, 1, 366) },
        ),
      }),
      ({ permission, days }, world, { now, newId }) => {
        const ends = days === undefined ? Number.POSITIVE_INFINITY : now.getTime() + days * DAY;
        const known = permission !== 'fly:moon';
        return {
          command: createApiKey,
          input: {
            name: 'Key',
            permissions: [permission],
            ...(days === undefined ? {} : { expiresAt: new Date(ends).toISOString() }),
          },
          actor: owner,
          facts: { keyHash: 'hash', prefix: 'ak_live_abcd', unknown: known ? [] : [permission] },
          expect: () => {
            if (ends <= now.getTime()) return 'expiry-past';
            if (days !== undefined && days * DAY > MAX_KEY_LIFE) return 'expiry-too-late';
            if (!known) return 'permission-unknown';
            if (permission === 'read:users') return 'privilege-escalation';
            if (live(world, now) === 20) return 'too-many-api-keys';
            world.keys.set(newId('key'), { revoked: false, ends });
            return [{ type: 'ApiKeyCreated', data: { accountId: owner.id, permissions: [permission] } }];
          },
        };
      },
      30,
    ),
    revoke: on(
      fc.record({ actor: fc.constantFrom(owner, owner, keeper, stranger), ago: fc.nat(25) }),
      ({ actor, ago }, { keys }) => {
        const keyId = [...keys.keys()].at(-1 - ago) ?? named('no key');
        return {
          command: revokeApiKey,
          input: { keyId, accountId: owner.id },
          actor,
          twice: 'nothing',
          expect: () => {
            const key = keys.get(keyId);
            if (key === undefined || actor === stranger) return 'api-key-unknown';
            if (key.revoked) return [];
            key.revoked = true;
            return [{ type: 'ApiKeyRevoked', data: { keyId, by: actor === owner ? 'owner' : 'admin' } }];
          },
        };
      },
    ),
  },
  seen: ({ keys }) => Object.entries(keys).map(([id, { revoked }]) => ({ id, revoked })),
  expected: ({ keys }) => [...keys].map(([id, { revoked }]) => ({ id, revoked })),
  always: (_state, world, _history, { now }) => assert.ok(live(world, now) <= 20, 'twenty at most'),
  refusals: [
    'expiry-past',
    'expiry-too-late',
    'permission-unknown',
    'privilege-escalation',
    'too-many-api-keys',
    'api-key-unknown',
  ],
});
