import { until } from './world/until.ts';
import type { World } from './world/world.ts';

/** The position where the log ends now. */
const end = async (world: World): Promise<bigint> => {
  if (world.eventStore === undefined) {
    const { rows } = await world.pool().query<{ position: string }>('select position::text from log.head');
    return BigInt(rows[0]?.position ?? 0);
  }
  return world.withStore((store) => store.head());
};

/** Waits until every projection, policy and the audit chain have come to the end of the log, and tells that end. */
const quiet = (world: World): Promise<bigint> =>
  until('the end of all work', async () => {
    const head = await end(world);
    const { rows } = await world.pool().query<{ position: string }>(
      `select least(
         (select min(position) from convene.checkpoints where slot = 'live'),
         (select position from convene.audit_chain_head))::text as position`,
    );
    return BigInt(rows[0]?.position ?? 0) >= head && (await end(world)) === head && head;
  });

/**
 * What `look` sees while nothing happens. Whether a job of the queue is still at work cannot be known (one that a crash cut
 * off looks the same), so it looks again when something was appended meanwhile.
 */
export const inQuiet = async <T>(world: World, look: (world: World) => Promise<T>): Promise<T> => {
  for (;;) {
    const head = await quiet(world);
    const seen = await look(world);
    if ((await end(world)) === head) return seen;
  }
};
