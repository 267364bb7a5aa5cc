import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';

/** Seconds a standby needs at most to notice that the leader is gone, in milliseconds. */
const POLL_MS = 1_000;

export type LeadershipOptions = {
  readonly config: pg.ClientConfig;
  /** Names what is led; the same name is led by one process at a time. */
  readonly name: string;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Runs while this process leads. The signal is aborted when leadership is lost or given up; leadership passes on when this settles. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
};

export type Leadership = {
  readonly leads: () => boolean;
  /** Gives leadership up, after `lead` has settled. */
  readonly close: () => Promise<void>;
};

const connect = async (config: pg.ClientConfig): Promise<pg.Client> => {
  const client = new pg.Client({ ...config, keepAlive: true, application_name: 'convene-leader' });
  // An error on an idle connection is followed by its end, which is what matters.
  client.on('error', () => {});
  await client.connect();
  return client;
};

/**
 * Elects one leader among all processes on a database: whoever holds a session-level advisory lock. Losing the
 * connection is losing the lock. A leader that does not know yet that it was replaced does no harm, because its
 * checkpoints have another owner by then.
 */
export const leadership = ({ config, name, log, lead }: LeadershipOptions): Leadership => {
  const closing = new AbortController();
  let leading = false;
  const rest = (ms: number): Promise<unknown> => pause(ms, undefined, { signal: closing.signal }).catch(() => {});

  const term = async (client: pg.Client): Promise<void> => {
    const lost = new AbortController();
    client.once('end', () => lost.abort(new Error('Connection lost')));
    for (;;) {
      if (closing.signal.aborted || lost.signal.aborted) return;
      const { rows } = await client.query<{ held: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as held',
        [`convene/${name}`],
      );
      if (rows[0]?.held) break;
      await rest(POLL_MS);
    }
    leading = true;
    log.info({ leader: name }, 'leading');
    try {
      await lead(AbortSignal.any([closing.signal, lost.signal]));
    } finally {
      leading = false;
    }
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      let client: pg.Client | undefined;
      try {
        client = await connect(config);
        await term(client);
      } catch (error) {
        log.warn({ leader: name, error: error instanceof Error ? error.name : 'Error' }, 'leadership interrupted');
      } finally {
        await client?.end().catch(() => {});
      }
      await rest(POLL_MS * (0.5 + Math.random() / 2));
    }
  };
  const running = run();

  return {
    leads: () => leading,
    close: async () => {
      closing.abort(new Error('Closed'));
      await running;
    },
  };
};
