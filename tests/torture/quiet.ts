import { until } from './world/until.ts';
import type { World } from './world/world.ts';

/** Waits until every projection, policy and the audit chain have come to the end of the log, and the end moves no more. */
export const quiet = (world: World): Promise<bigint> =>
  until('the end of all work', async () => {
    const end = async (): Promise<bigint> => {
      if (world.eventStore === undefined) {
        const { rows } = await world.pool().query<{ position: string }>('select position::text from log.head');
        return BigInt(rows[0]?.position ?? 0);
      }
      return world.withStore((store) => store.head());
    };
    const head = await end();
    const { rows } = await world.pool().query<{ position: string }>(
      `select least(
         (select min(position) from convene.checkpoints where slot = 'live'),
         (select position from convene.audit_chain_head))::text as position`,
    );
    return BigInt(rows[0]?.position ?? 0) >= head && (await end()) === head && head;
  });
