import { until } from '../world/until.ts';
import type { Fault } from './fault.ts';

const TIMES = 3;
const SOME = 10;

const cutSessions: Fault = {
  name: 'cut-sessions',
  topologies: ['one', 'two', 'split'],
  strike: async ({ world, acknowledgements, say }) => {
    say(`pg_terminate_backend of every session, ${TIMES} times`);
    for (let time = 0; time < TIMES; time += 1) {
      await world
        .pool()
        .query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
        );
      await acknowledgements(SOME);
    }
  },
};

/** Appends reach the log and their answers do not: the case in which a caller cannot know. */
const loseAnswers: Fault = {
  name: 'lose-answers',
  topologies: ['one', 'two'],
  store: 'postgres',
  strike: async ({ world, acknowledgements, say }) => {
    say(
      `the network from PostgreSQL to the service goes silent until something is stored, then resets, ${TIMES} times`,
    );
    const head = async (): Promise<bigint> => {
      const { rows } = await world.pool().query<{ position: string }>('select position::text from log.head');
      return BigInt(rows[0]?.position ?? 0);
    };
    for (let time = 0; time < TIMES; time += 1) {
      const before = await head();
      world.network.muffle();
      // An idle load would store nothing more: then there is nothing to lose either.
      await until('an append without an answer', async () => (await head()) > before, 2_000).catch(() => {});
      world.network.cut();
      await acknowledgements(SOME);
    }
  },
};

const resetNetwork: Fault = {
  name: 'reset-network',
  topologies: ['one', 'two'],
  strike: async ({ world, acknowledgements, failures, say }) => {
    say('the network to PostgreSQL resets, then is down until requests fail, then comes back');
    world.network.cut();
    await acknowledgements(SOME);
    const noticed = failures(SOME);
    await world.network.down();
    await noticed;
    await world.network.raise();
  },
};

export const connectionFaults: readonly Fault[] = [cutSessions, loseAnswers, resetNetwork];
