import type pg from 'pg';
import { uuid7 } from '../../uuid.ts';
import type { Registry } from './registry.ts';

/** Seconds that a place stays taken without a word of its node. */
const LEASE_SECONDS = 90;
const RENEW_MS = 30_000;

/** Takes the lowest free place. Two who want the same one wait for each other, and the second finds it taken. */
const TAKE = `
  insert into convene.live_places as held (account_id, place, node, holder, expires_at)
  select $1, place, $2, $3, now() + $4 * interval '1 second' from generate_series(1, $5::integer) place
  where not exists (
    select from convene.live_places other
    where other.account_id = $1 and other.place = place.place and other.expires_at > now()
  )
  order by place limit 1
  on conflict (account_id, place) do update
    set node = excluded.node, holder = excluded.holder, expires_at = excluded.expires_at
    where held.expires_at <= now()
  returning place`;

export type Places = {
  /** Takes one of the account's places on all nodes; undefined when all are taken. The function gives it back. */
  readonly enter: (accountId: string) => Promise<(() => void) | undefined>;
  /** Keeps the places of this node for longer, and frees those of nodes that died. Happens by itself too; never rejects. */
  readonly renew: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * The places of accounts over all nodes: rows of the database that their node renews, so that those of a node that died
 * are free again after {@link LEASE_SECONDS}. While the database is away only the places of this node count.
 */
export const createPlaces = (of: {
  readonly pool: pg.Pool;
  readonly local: Registry;
  readonly limit: number;
  readonly onError: (error: unknown) => void;
}): Places => {
  const { pool, local, limit, onError } = of;
  const node = uuid7();
  const release = (accountId: string, holder: string): void => {
    pool
      .query('delete from convene.live_places where account_id = $1 and holder = $2', [accountId, holder])
      .catch(onError);
  };
  const renew = async (): Promise<void> => {
    try {
      const lease = `update convene.live_places set expires_at = now() + $2 * interval '1 second' where node = $1`;
      await pool.query(lease, [node, LEASE_SECONDS]);
      await pool.query('delete from convene.live_places where expires_at < now()');
    } catch (error) {
      onError(error);
    }
  };
  const renewing = setInterval(() => void renew(), RENEW_MS);
  renewing.unref();

  /** Each try that fails has met somebody who took the place meanwhile, so as many tries as places are enough. */
  const take = async (accountId: string, holder: string): Promise<boolean> => {
    for (let tries = 0; tries < limit; tries += 1) {
      const values = [accountId, node, holder, LEASE_SECONDS, limit];
      if (((await pool.query(TAKE, values)).rowCount ?? 0) > 0) return true;
    }
    return false;
  };

  return {
    enter: async (accountId) => {
      const leave = local.enter(accountId);
      if (leave === undefined) return undefined;
      const holder = uuid7();
      try {
        if (await take(accountId, holder))
          return () => {
            leave();
            release(accountId, holder);
          };
      } catch (error) {
        onError(error);
        return leave;
      }
      leave();
      return undefined;
    },
    renew,
    close: async () => {
      clearInterval(renewing);
      await pool.query('delete from convene.live_places where node = $1', [node]).catch(onError);
    },
  };
};
