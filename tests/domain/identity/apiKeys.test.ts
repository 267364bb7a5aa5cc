import t from 'tap';
import {
  type ApiKeysEvent,
  apiKeys,
  createApiKey,
  MAX_KEY_LIFE,
  MAX_KEYS,
  type NewKeyFacts,
  revokeApiKey,
} from '../../../src/domain/identity/apiKeys.ts';
import { id, newId, now, spec, user } from '../../support/spec.ts';

const given = spec(apiKeys);
const owner = user(id('owner'), 'read:planners', 'write:planners');
const admin = user(id('admin'), '*:*');
const made: NewKeyFacts = { keyHash: 'a'.repeat(64), prefix: 'ak_live_abcd', unknown: [] };
const input = { name: 'Import', permissions: ['read:planners'] };
const after = (ms: number): string => new Date(now.getTime() + ms).toISOString();

const created = (keyId: string, more: { expiresAt?: string } = {}): ApiKeysEvent => ({
  type: 'ApiKeyCreated',
  data: {
    keyId,
    accountId: owner.id,
    name: 'Import',
    keyHash: made.keyHash,
    prefix: made.prefix,
    permissions: ['read:planners'],
    createdAt: now.toISOString(),
    ...more,
  },
});
const revoked = (keyId: string, by: 'owner' | 'admin' = 'owner'): ApiKeysEvent => ({
  type: 'ApiKeyRevoked',
  data: { keyId, accountId: owner.id, by },
});
const many = (count: number) => Array.from({ length: count }, (_, index) => created(id(`key ${index}`)));

t.test('making a key', async (t) => {
  t.test('stores its hash and what it may do', async () =>
    given()
      .when(createApiKey, input, owner, made)
      .then(created(newId('key'))),
  );
  t.test('names each permission once, and may give it an end', async () => {
    const expiresAt = after(MAX_KEY_LIFE);
    given()
      .when(createApiKey, { ...input, permissions: ['read:planners', 'read:planners'], expiresAt }, owner, made)
      .then(created(newId('key'), { expiresAt }));
  });
  t.test('is refused with an end that is past or too far', async () => {
    given()
      .when(createApiKey, { ...input, expiresAt: after(0) }, owner, made)
      .rejected('expiry-past', 'expiresAt');
    given()
      .when(createApiKey, { ...input, expiresAt: after(MAX_KEY_LIFE + 1) }, owner, made)
      .rejected('expiry-too-late', 'expiresAt');
  });
  t.test('is refused for permissions that its owner does not hold, or that nobody knows', async () => {
    for (const permission of ['*:*', 'read:users'])
      given()
        .when(createApiKey, { ...input, permissions: [permission] }, owner, made)
        .rejected('privilege-escalation');
    given()
      .when(createApiKey, { ...input, permissions: ['fly:moon'] }, admin, { ...made, unknown: ['fly:moon'] })
      .rejected('permission-unknown', 'permissions');
  });
  t.test('is refused without a permission, a name, or with too many', async () => {
    const crowd = Array.from({ length: 51 }, (_, index) => `read:thing-${index}`);
    for (const wrong of [{ permissions: [] }, { permissions: crowd }, { name: ' ' }, { name: 'x'.repeat(101) }])
      given()
        .when(createApiKey, { ...input, ...wrong }, admin, made)
        .rejected('input-invalid');
  });
  t.test('is refused above twenty live ones; those that ended do not count', async () => {
    given(...many(MAX_KEYS))
      .when(createApiKey, input, owner, made)
      .rejected('too-many-api-keys');
    given(...many(MAX_KEYS - 1))
      .when(createApiKey, input, owner, made)
      .then(created(newId('key')));
    given(...many(MAX_KEYS), revoked(id('key 7')))
      .when(createApiKey, input, owner, made)
      .then(created(newId('key')));
    given(...many(MAX_KEYS - 1), created(id('old'), { expiresAt: after(0) }))
      .when(createApiKey, input, owner, made)
      .then(created(newId('key')));
  });
});

t.test('revoking a key', async (t) => {
  const keyId = id('key 0');
  t.test('is for its owner and for administrators, and twice is the same', async () => {
    given(...many(1))
      .when(revokeApiKey, { keyId }, owner)
      .then(revoked(keyId));
    given(...many(1))
      .when(revokeApiKey, { keyId, accountId: owner.id }, admin)
      .then(revoked(keyId, 'admin'));
    given(...many(1), revoked(keyId))
      .when(revokeApiKey, { keyId }, owner)
      .nothing();
  });
  t.test('of somebody else, or of a key that is not there, finds none', async () => {
    given(...many(1))
      .when(revokeApiKey, { keyId, accountId: owner.id }, user(id('other')))
      .rejected('api-key-unknown');
    given(...many(1))
      .when(revokeApiKey, { keyId: id('none') }, owner)
      .rejected('api-key-unknown');
  });
});
