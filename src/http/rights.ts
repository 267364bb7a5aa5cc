import type { Kysely } from 'kysely';
import { cacheOf } from '../cacheOf.ts';
import { effectivePermissions } from '../domain/access/hierarchy.ts';
import { categoryOf, idOf } from '../eventstore/event.ts';
import { type Position, START } from '../eventstore/port.ts';
import { gathered } from '../gathered.ts';
import { heldRoles, roleAssignments } from '../projections/access/roleAssignments.ts';
import { allRoles, hierarchyOf, roles } from '../projections/access/roles.ts';
import { ReadModelBehind, WAIT_MS } from '../projections/caughtUp.ts';
import { accounts, standingsOf } from '../projections/identity/accounts.ts';
import type { ReadModels } from '../projections/index.ts';
import type { Progress } from '../projections/progress.ts';
import type { Rights, RightsOf } from './deps.ts';

/** Milliseconds that rights may be used again without another look. */
const TTL = 1_000;
const ACCOUNTS = 20_000;

type Roles = ReturnType<typeof hierarchyOf>;
type Cached = { readonly rights: Rights; readonly until: number };

/** Rights with a way to tell them of changes. */
export type CachedRights = RightsOf & {
  /** To be called for every stream that has grown, here or elsewhere: what it may change is read afresh. */
  readonly changed: (stream: string, position: Position) => void;
};

/** The read models that rights are made of. */
const SOURCES = [accounts, roleAssignments, roles].map(({ name }) => name);

/**
 * The effective permissions of accounts: those of the roles assigned to them, inherited ones included, while the
 * assignment lasts. Read from the read models, once those show every change this process knows of, and kept for at most
 * a second. When the read models cannot be reached it throws: nothing is allowed by default.
 */
export const createRights = ({
  db,
  progress,
  now = () => new Date(),
}: {
  readonly db: Kysely<ReadModels>;
  readonly progress: Pick<Progress, 'reached'>;
  readonly now?: () => Date;
}): CachedRights => {
  const cache = cacheOf<string, Cached>(ACCOUNTS);
  const changes = cacheOf<string, Position>(ACCOUNTS);
  const loading = new Map<string, Promise<Rights | undefined>>();
  let rolesChanged = START;
  let known: { readonly roles: Promise<Roles>; readonly until: number } | undefined;

  const currentRoles = (time: number): Promise<Roles> => {
    if (known !== undefined && known.until > time) return known.roles;
    const all = allRoles(db).then(hierarchyOf);
    known = { roles: all, until: time + TTL };
    all.catch(() => {
      known = undefined;
    });
    return all;
  };

  /** Account and assignments of everybody whose request has just come in, in one go. */
  const heldBy = gathered(async (accountIds) => {
    const [standings, assignments] = await Promise.all([standingsOf(db, accountIds), heldRoles(db, accountIds, now())]);
    const assigned = Map.groupBy(assignments, ({ account_id }) => account_id);
    return new Map(
      standings.map((account) => [
        account.account_id,
        { account, assignments: assigned.get(account.account_id) ?? [] },
      ]),
    );
  });

  const read = async (accountId: string): Promise<Rights | undefined> => {
    const changed = changes.get(accountId) ?? START;
    let wanted = rolesChanged;
    if (changed > wanted) wanted = changed;
    if (wanted > START && !(await progress.reached(SOURCES, wanted, WAIT_MS))) throw new ReadModelBehind(SOURCES);
    const time = now().getTime();
    const [held, roles] = await Promise.all([heldBy(accountId), currentRoles(time)]);
    if (held === undefined) return undefined;
    const { account, assignments } = held;
    const active = account.status === 'active';
    const roleIds = assignments.map(({ role_id }) => role_id).filter((roleId) => roles[roleId] !== undefined);
    const rights: Rights = {
      permissions: active ? effectivePermissions(roles, roleIds) : [],
      roles: roleIds.map((roleId) => roles[roleId]?.name ?? ''),
      plan: account.plan,
      verified: account.email_verified || account.phone_verified,
      active,
    };
    const ends = assignments.map(({ expires_at }) => (expires_at === null ? Infinity : Date.parse(expires_at)));
    if ((changes.get(accountId) ?? START) === changed)
      cache.set(accountId, { rights, until: Math.min(time + TTL, ...ends) });
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
    changed: (stream, position) => {
      const category = categoryOf(stream);
      if (category === 'roleCatalog') {
        if (position > rolesChanged) rolesChanged = position;
        known = undefined;
        cache.clear();
      } else if (category === 'account' || category === 'userAccess') {
        const accountId = idOf(stream);
        if (position > (changes.get(accountId) ?? START)) changes.set(accountId, position);
        cache.delete(accountId);
        loading.delete(accountId);
      }
    },
  };
};
