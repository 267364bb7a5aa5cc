import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import { effectivePermissions } from '../domain/access/hierarchy.ts';
import { categoryOf } from '../eventstore/event.ts';
import type { Fact } from '../eventstore/feed.ts';
import { assignmentsOf } from '../projections/access/roleAssignments.ts';
import { allRoles } from '../projections/access/roles.ts';
import { accountOf } from '../projections/identity/accounts.ts';
import type { ReadModels } from '../projections/index.ts';
import type { Rights, RightsOf } from './deps.ts';

/** Milliseconds that an answer may be used again; the shorter one while a change may still be on its way to the read model. */
const TTL = 1_000;
const TTL_IN_CHANGE = 50;
const CHANGE = 2_000;
const ACCOUNTS = 20_000;

type Roles = Readonly<
  Record<string, { name: string; permissions: readonly string[]; parentRoleIds: readonly string[] }>
>;
type Cached = { readonly rights: Rights; readonly until: number };

/** Rights with a way to tell them of new events. */
export type CachedRights = RightsOf & {
  /** To be called with every event of the log: what it changes is read afresh. */
  readonly observe: (event: Fact) => void;
};

const accountIdOf = ({ data }: Fact): string | undefined =>
  typeof data === 'object' && data !== null && 'accountId' in data && typeof data.accountId === 'string'
    ? data.accountId
    : undefined;

/**
 * The effective permissions of accounts: those of the roles assigned to them, inherited ones included, while the
 * assignment lasts. Read from the read models and kept for at most a second. When the read models cannot be reached it
 * throws: nothing is allowed by default.
 */
export const createRights = ({
  db,
  now = () => new Date(),
}: {
  readonly db: Kysely<ReadModels>;
  readonly now?: () => Date;
}): CachedRights => {
  const cache = new LRUCache<string, Cached>({ max: ACCOUNTS });
  const changes = new LRUCache<string, number>({ max: ACCOUNTS });
  const loading = new Map<string, Promise<Rights | undefined>>();
  let rolesChanged = Number.NEGATIVE_INFINITY;
  let known: { readonly roles: Promise<Roles>; readonly until: number } | undefined;

  const ttl = (changed: number, time: number): number => (time - changed < CHANGE ? TTL_IN_CHANGE : TTL);

  const currentRoles = (time: number): Promise<Roles> => {
    if (known !== undefined && known.until > time) return known.roles;
    const roles = allRoles(db).then((rows) =>
      Object.fromEntries(
        rows.map(({ role_id, name, permissions, parent_role_ids }) => [
          role_id,
          { name, permissions, parentRoleIds: parent_role_ids },
        ]),
      ),
    );
    known = { roles, until: time + ttl(rolesChanged, time) };
    roles.catch(() => {
      known = undefined;
    });
    return roles;
  };

  const read = async (accountId: string): Promise<Rights | undefined> => {
    const at = now();
    const time = at.getTime();
    const [account, assignments, roles] = await Promise.all([
      accountOf(db, accountId),
      assignmentsOf(db, accountId, at),
      currentRoles(time),
    ]);
    if (account === undefined) return undefined;
    const active = account.status === 'active';
    const held = assignments.map(({ role_id }) => role_id).filter((roleId) => roles[roleId] !== undefined);
    const rights: Rights = {
      permissions: active ? effectivePermissions(roles, held) : [],
      roles: held.map((roleId) => roles[roleId]?.name ?? ''),
      plan: account.plan,
      verified: account.email_verified,
      active,
    };
    const ends = assignments.map(({ expires_at }) => (expires_at === null ? Infinity : Date.parse(expires_at)));
    const changed = Math.max(rolesChanged, changes.get(accountId) ?? Number.NEGATIVE_INFINITY);
    cache.set(accountId, { rights, until: Math.min(time + ttl(changed, now().getTime()), ...ends) });
    return rights;
  };

  return {
    of: (accountId) => {
      const cached = cache.get(accountId);
      if (cached !== undefined && cached.until > now().getTime()) return cached.rights;
      const underWay = loading.get(accountId);
      if (underWay !== undefined) return underWay;
      const load = read(accountId).finally(() => loading.delete(accountId));
      loading.set(accountId, load);
      return load;
    },
    observe: (event) => {
      const category = categoryOf(event.stream);
      if (category === 'roleCatalog') {
        rolesChanged = now().getTime();
        known = undefined;
        cache.clear();
      } else if (category === 'userAccess' || category === 'account') {
        const accountId = accountIdOf(event);
        if (accountId === undefined) return;
        changes.set(accountId, now().getTime());
        cache.delete(accountId);
      }
    },
  };
};
