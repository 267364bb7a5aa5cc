import { mkdir } from 'node:fs/promises';
import type pg from 'pg';
import { deciders } from '../../../src/domain/catalogue.ts';
import { type Codec, createCodec } from '../../../src/eventstore/codec.ts';
import { eventStoreDb } from '../../../src/eventstore/eventstoredb/index.ts';
import { keyRing } from '../../../src/eventstore/keyRing.ts';
import type { EventStore } from '../../../src/eventstore/port.ts';
import { postgresEventStore } from '../../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../../src/masterKeys.ts';
import { createPool } from '../../../src/postgres/pool.ts';
import { link } from '../../eventstore/standIn/link.ts';
import { postgresLog, storedLog } from '../checks/log.ts';
import type { LogEvent } from '../checks/violation.ts';
import { type Database, startDatabase } from './database.ts';
import { type EventStoreServer, startRealServer, startStandIn } from './eventStore.ts';
import { createNode, type Node } from './node.ts';
import { Stuck, until } from './until.ts';
import type { Watcher } from './watcher.ts';

export const ADMIN = { email: 'admin@example.org', password: 'Torture-Horse-7' };
/** Every role in one process. */
export const ALL = ['api', 'projector', 'policies'] as const;
export type Topology = 'one' | 'two' | 'split';

/** Everything that runs, and the driver's own undisturbed way to log and tables. */
export type World = {
  readonly folder: string;
  readonly watcher: Watcher;
  readonly database: Database;
  /** The network between the service and Postgres. */
  readonly network: Awaited<ReturnType<typeof link>>;
  /** Undefined: the log lies in Postgres. */
  readonly eventStore: EventStoreServer | undefined;
  /** Two places for processes of the service. */
  readonly nodes: readonly [Node, Node];
  /** Processes that should be running, by the topology of the round. */
  readonly wanted: () => readonly Node[];
  /** Brings the processes into this order: `one` with all roles, `two` of these, or `split` into api and the rest. */
  readonly arrange: (topology: Topology) => Promise<void>;
  /** Environment of the service, for its commands. */
  readonly environment: Readonly<Record<string, string>>;
  readonly pool: () => pg.Pool;
  readonly log: () => Promise<{ readonly events: readonly LogEvent[]; readonly head: bigint }>;
  /** Lets `use` read the log as the service does, straight from its store. */
  readonly withStore: <T>(use: (store: EventStore, codec: Codec) => Promise<T>) => Promise<T>;
  /** Settles once a process answers requests and says that it is ready. */
  readonly usable: () => Promise<Node>;
  readonly close: () => Promise<void>;
};

export type WorldOptions = {
  readonly folder: string;
  readonly watcher: Watcher;
  readonly store: 'postgres' | 'eventstoredb';
  readonly eventStoreCommand: string | undefined;
  readonly note: (line: string) => void;
};

const MASTER_KEY = 'torture-master-key-of-a-service-that-nobody-else-uses';

const rolesFor: Readonly<Record<Topology, readonly (readonly string[])[]>> = {
  one: [ALL],
  two: [ALL, ALL],
  split: [['api'], ['projector', 'policies']],
};

/** Starts the stores and prepares two processes, none of which runs yet. */
export const createWorld = async (options: WorldOptions): Promise<World> => {
  const { folder, watcher, note } = options;
  await mkdir(`${folder}/files`, { recursive: true });
  const database = await startDatabase(folder, watcher);
  const eventStore =
    options.store === 'postgres'
      ? undefined
      : options.eventStoreCommand === undefined
        ? await startStandIn()
        : await startRealServer(options.eventStoreCommand, folder, watcher);
  const network = await link(database.port);
  const address = new URL(database.connectionString);
  address.port = String(network.port);
  const environment = {
    NODE_ENV: 'test',
    DATABASE_URL: address.href,
    ...(eventStore === undefined ? {} : { EVENTSTORE_URL: eventStore.connectionString }),
    CONVENE_ADMIN_EMAIL: ADMIN.email,
    CONVENE_ADMIN_PASSWORD: ADMIN.password,
    JWT_SECRET: 'torture-secret-of-a-service-that-nobody-else-uses',
    CONVENE_MASTER_KEY: MASTER_KEY,
    PASSWORD_COST: '4',
    RATE_LIMIT_SCALE: '1000000',
    LOG_LEVEL: 'info',
  };
  const nodes = [
    await createNode({ name: 'service-1', folder, environment, watcher, note }),
    await createNode({ name: 'service-2', folder, environment, watcher, note }),
  ] as const;
  let wanted: readonly Node[] = [];

  // The driver reads through a pool that a killed server may break at any time.
  let reading: pg.Pool | undefined;
  const pool = (): pg.Pool => {
    reading ??= createPool(database.connectionString, 6, () => {});
    return reading;
  };

  const arrange = async (topology: Topology): Promise<void> => {
    const roles = rolesFor[topology];
    const others = nodes.filter((node, index) => node.isAlive() && node.roles().join() !== (roles[index] ?? []).join());
    for (const node of others) node.signal('SIGTERM');
    await Promise.all(others.map((node) => node.ended()));
    wanted = nodes.slice(0, roles.length);
    await Promise.all(wanted.map((node, index) => (node.isAlive() ? undefined : node.start(roles[index] ?? ALL))));
  };

  const withStore: World['withStore'] = async (use) => {
    const store =
      eventStore === undefined
        ? postgresEventStore({ connectionString: database.connectionString })
        : eventStoreDb({ connectionString: eventStore.connectionString });
    try {
      return await use(store, createCodec(deciders, keyRing(pool(), masterKeys(MASTER_KEY))));
    } finally {
      await store.close();
    }
  };

  let looking: Promise<Node> | undefined;
  const usable = (): Promise<Node> => {
    looking ??= until('a process that is ready', async () => {
      for (const node of wanted) {
        const fell = node.fell();
        if (fell !== undefined) throw new Stuck(`${node.name} ended by itself: ${fell}`);
        if (node.isAlive() && node.roles().includes('api') && (await node.isReady())) return node;
      }
      return undefined;
    }).finally(() => {
      looking = undefined;
    });
    return looking;
  };

  return {
    folder,
    watcher,
    database,
    network,
    eventStore,
    nodes,
    wanted: () => wanted,
    arrange,
    environment,
    pool,
    log: () => (eventStore === undefined ? postgresLog(pool()) : withStore((store) => storedLog(store))),
    withStore,
    usable,
    close: async () => {
      for (const node of nodes) {
        node.signal('SIGCONT');
        node.signal('SIGKILL');
      }
      await Promise.all(nodes.filter((node) => node.isAlive()).map((node) => node.ended()));
      await reading?.end();
      network.close();
      await eventStore?.close();
      await database.stop();
    },
  };
};
