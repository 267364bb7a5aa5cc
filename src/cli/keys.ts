import { rewrapKeys } from '../eventstore/rewrapping.ts';
import { masterKeys } from '../masterKeys.ts';
import { secretsOf } from '../secrets.ts';
import type { CliCommand } from './command.ts';
import { withDatabase } from './openLog.ts';

const rewrap: CliCommand = {
  name: 'keys rewrap',
  summary: 'Wraps every stored key by CONVENE_MASTER_KEY, so that CONVENE_MASTER_KEY_PREVIOUS is needed no longer.',
  run: (_args, context) =>
    withDatabase(context, async (pool) => {
      const { config } = context;
      const master = masterKeys((await secretsOf(config)).masterKey, config.masterKeyPrevious);
      const { rows } = await pool.query<{ count: string }>(
        'select count(*) from convene.subject_keys where wrapped is not null',
      );
      const total = Number(rows[0]?.count);
      const { rewrapped, already, unreadable } = await rewrapKeys(pool, master, (done) =>
        context.progress('keys', Math.min(done, total), total),
      );
      context.print(`Wrapped anew: ${rewrapped}. Wrapped by CONVENE_MASTER_KEY before: ${already}.`);
      if (unreadable === 0) return 0;
      context.print(`Opened by neither master key, and left as they are: ${unreadable}.`);
      return 1;
    }),
};

/** What operators do about keys. */
export const keyCommands: readonly CliCommand[] = [rewrap];
