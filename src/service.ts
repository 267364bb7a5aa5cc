import { Kysely, PostgresDialect } from 'kysely';
import { runChain } from './audit/chain/run.ts';
import { bootstrap } from './bootstrap.ts';
import { createAggregates } from './commands/aggregates.ts';
import type { Outcome } from './commands/binding.ts';
import { bindings } from './commands/bindings.ts';
import { keyedHash } from './commands/keyedHash.ts';
import { createJudge } from './commands/lines.ts';
import { createPasswords } from './commands/passwords.ts';
import { passwordThreads } from './commands/passwordThreads.ts';
import { createCommands } from './commands/pipeline.ts';
import { domainFingerprint, postgresSnapshots } from './commands/snapshots.ts';
import { type Config, publicUrlOf } from './config.ts';
import { deciders } from './domain/catalogue.ts';
import { type EmbeddedPostgres, openEmbedded } from './embeddedPostgres.ts';
import { createCodec } from './eventstore/codec.ts';
import type { Recorded } from './eventstore/event.ts';
import { createFeed, type Fact } from './eventstore/feed.ts';
import { follow } from './eventstore/following.ts';
import { keyRing } from './eventstore/keyRing.ts';
import type { EventStore, Position } from './eventstore/port.ts';
import { postgresEventStore } from './eventstore/postgres/index.ts';
import { exportLookups } from './files/appointments.ts';
import { createApiKeys } from './http/apiKeys.ts';
import { createApp } from './http/app.ts';
import { originAllowed } from './http/headers.ts';
import { createPresence } from './http/presence.ts';
import { createRights } from './http/rights.ts';
import { createSessions } from './http/sessions.ts';
import { openCalendars } from './integrations/calendar/index.ts';
import { openChannels } from './integrations/channels.ts';
import { openConnectors } from './integrations/connectors/index.ts';
import { mailbox } from './integrations/email.ts';
import { openSignIn } from './integrations/oauth/index.ts';
import { createLog, type Logger } from './log.ts';
import { MasterKeyUnknown, masterKeys } from './masterKeys.ts';
import { createMetrics, type Metrics, measured } from './metrics.ts';
import { migrate } from './migrations/index.ts';
import { createExecute } from './policies/execute.ts';
import { policies, registerPolicies, runPolicies } from './policies/index.ts';
import { createPool } from './postgres/pool.ts';
import { createAnalyticsViews } from './projections/analytics/views.ts';
import { createCaughtUp } from './projections/caughtUp.ts';
import { projections, type ReadModels } from './projections/index.ts';
import { createLookups } from './projections/lookups.ts';
import { createProgress } from './projections/progress.ts';
import { runProjections } from './projections/runner.ts';
import { prepareTables } from './projections/slots.ts';
import { projectionStatus } from './projections/status.ts';
import { type Secrets, secretsOf } from './secrets.ts';
import { StartupProblem } from './startupProblem.ts';
import { uuid7 } from './uuid.ts';

/** A running service. */
export type Service = {
  /** Where it listens. */
  readonly url: string;
  /** Drains: no new connections, running requests answered, appends finished, positions saved, database stopped. */
  readonly stop: () => Promise<void>;
};

/** Most connections of requests and commands, and of projections and policies: ten together while somebody develops. */
const poolSizes = ({ served }: Config) => (served ? { asked: 20, consuming: 10 } : { asked: 6, consuming: 4 });
/** The key of keyed hashes is kept like that of a person, and survives a change of the master key. */
const HASH_KEY = 'service:hash';

const outcomeOf = (outcome: Outcome): string =>
  outcome.ok ? (outcome.replayed ? 'replayed' : 'done') : outcome.reason;

const explain = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'no answer';

/** Closes what was opened, last first; one that fails does not keep the others open. */
const closer = () => {
  const steps: (() => unknown)[] = [];
  return {
    add: (step: () => unknown): void => {
      steps.push(step);
    },
    run: async (): Promise<void> => {
      const errors: unknown[] = [];
      for (const step of steps.splice(0).reverse())
        await Promise.resolve()
          .then(step)
          .catch((error: unknown) => errors.push(error));
      if (errors.length > 0) throw errors[0];
    },
  };
};

/** Loaded only when it is asked for: its client takes longer to load than the rest of the service. */
const openEventStoreDb = async (connectionString: string): Promise<EventStore> => {
  const { eventStoreDb } = await import('./eventstore/eventstoredb/index.ts');
  return eventStoreDb({ connectionString });
};

const openStore = async ({ eventStoreUrl }: Config, databaseUrl: string): Promise<EventStore> => {
  const store =
    eventStoreUrl === undefined
      ? postgresEventStore({ connectionString: databaseUrl })
      : await openEventStoreDb(eventStoreUrl);
  try {
    await store.head();
    return store;
  } catch (error) {
    await store.close();
    const name = eventStoreUrl === undefined ? 'PostgreSQL' : 'EventStoreDB of EVENTSTORE_URL';
    throw new StartupProblem(`The event log cannot be reached: ${name} (${explain(error)})`);
  }
};

/** The clock that rules are told. */
type Clock = () => Date;

/**
 * Starts everything that the configured roles ask for. Throws StartupProblem for what the operator has to mend.
 * `embedded` is the embedded database where it was begun before, `now` another clock for rules than the machine's.
 */
export const startService = async (
  config: Config,
  embedded = openEmbedded(config),
  now: Clock = () => new Date(),
): Promise<Service> => {
  const closing = closer();
  closing.add(async () => (await embedded)?.stop());
  try {
    const url = await start(config, await embedded, now, closing.add);
    return { url, stop: closing.run };
  } catch (error) {
    await closing.run().catch(() => {});
    throw error;
  }
};

type OnStop = (step: () => unknown) => void;
type Parts = { readonly log: Logger; readonly metrics: Metrics };

const withMasterKey = (error: unknown): never => {
  if (!(error instanceof MasterKeyUnknown)) throw error;
  throw new StartupProblem(
    'CONVENE_MASTER_KEY is not the one that the stored keys are wrapped by; name that one, or in CONVENE_MASTER_KEY_PREVIOUS',
  );
};

/** The database with its schema, the log on top of it, and what reads and writes events. */
const openLog = async (config: Config, secrets: Secrets, databaseUrl: string, parts: Parts, onStop: OnStop) => {
  const { log, metrics } = parts;
  const lost = (error: Error): void => log.warn({ error: explain(error) }, 'idle connection lost');
  const { asked, consuming } = poolSizes(config);
  const pool = createPool(databaseUrl, asked, lost);
  onStop(() => pool.end());
  await pool.query('select 1').catch((error: unknown) => {
    throw new StartupProblem(`The database cannot be reached (${explain(error)}): look at DATABASE_URL`);
  });
  await migrate(pool);
  const consumers = createPool(databaseUrl, consuming, lost, { unflushed: true });
  onStop(() => consumers.end());

  const keys = keyRing(pool, masterKeys(secrets.masterKey, config.masterKeyPrevious));
  const hashKey = (await keys.toSeal([HASH_KEY]).catch(withMasterKey)).get(HASH_KEY);
  if (!hashKey) throw new StartupProblem('The key of keyed hashes was erased from table convene.subject_keys');
  const store = measured(await openStore(config, databaseUrl), metrics);
  onStop(() => store.close());
  const codec = createCodec(deciders, keys);
  const feed = createFeed({ store, decode: codec.decode });
  onStop(() => feed.close());
  return { pool, consumers, keys, hashKey, store, codec, feed };
};
type Log = Awaited<ReturnType<typeof openLog>>;

/** The command pipeline, and what knows of every change at once: rights, login sessions, aggregates in memory. */
const openCommands = async (
  config: Config,
  { pool, keys, hashKey, store, codec, feed }: Log,
  publicUrl: string,
  { parts, now }: { readonly parts: Parts; readonly now: Clock },
  onStop: OnStop,
) => {
  const { log, metrics } = parts;
  const db = new Kysely<ReadModels>({ dialect: new PostgresDialect({ pool }) });
  const progress = createProgress({
    pool,
    log: (error) => log.warn({ error: explain(error) }, 'progress not published'),
  });
  onStop(() => progress.close());
  const rights = createRights({ db, progress, now });
  const sessions = createSessions({ db, now });
  const apiKeys = createApiKeys({ db, pool, hash: keyedHash(hashKey), log, now });
  const aggregates = createAggregates({ store, codec, snapshots: postgresSnapshots(pool, await domainFingerprint()) });
  const appended = (stream: string, position: Position, facts: readonly Pick<Fact, 'type' | 'data'>[]): void => {
    rights.changed(stream, position);
    for (const fact of facts) {
      sessions.observe(fact);
      apiKeys.observe(fact);
    }
  };
  const channels = await openChannels(config, { pool, hash: keyedHash(hashKey), log });
  const signIn = await openSignIn(config.signIn, publicUrl);
  const connectors = await openConnectors(config.signIn, {
    publicUrl,
    allowed: (origin) => originAllowed(config, origin),
  });
  const { calendars, circuits: ofCalendars } = openCalendars(config.calendars);
  const caughtUp = createCaughtUp(progress);
  const threads = passwordThreads();
  onStop(threads.close);
  const commands = createCommands({
    aggregates,
    judge: createJudge({ store, codec, aggregates, appended }),
    hashKey,
    lookups: {
      ...createLookups({ db, pool, head: store.head, caughtUp, now }),
      ...exportLookups({ db, head: store.head, caughtUp }),
    },
    now,
    passwords: createPasswords(config.passwordCost, threads),
    signIn,
    connectors,
    textable: () => channels.sms.available(),
    adminEmail: config.adminEmail,
    destroyKey: keys.erase,
    observe: (command, outcome) => metrics.commands.inc({ command, outcome: outcomeOf(outcome) }),
  });
  const noticed = (event: Fact): void => {
    aggregates.observe(event as Recorded);
    rights.changed(event.stream, event.position);
    sessions.observe(event);
    apiKeys.observe(event);
  };
  const following = follow(feed, noticed, (error) => log.error({ error: explain(error) }, 'following the log'));
  onStop(() => feed.close().then(() => following));
  const circuits = [...channels.circuits, ...signIn.circuits, ...connectors.circuits, ...ofCalendars];
  // What routes ask of it.
  const asked = { db, caughtUp, rights, sessions, apiKeys, noticed, circuits, commands };
  return { asked, progress, channels, calendars, threads };
};

const start = async (
  config: Config,
  embedded: EmbeddedPostgres | undefined,
  now: Clock,
  onStop: OnStop,
): Promise<string> => {
  const secrets = await secretsOf(config);
  const parts: Parts = { log: createLog(config), metrics: createMetrics() };
  const { log } = parts;
  if (config.unused.length > 0) log.warn({ variables: config.unused }, 'set, but without effect in this version');

  const databaseUrl = config.databaseUrl ?? embedded?.connectionString ?? '';
  const events = await openLog(config, secrets, databaseUrl, parts, onStop);
  const { pool, consumers, store, codec, feed } = events;
  const publicUrl = publicUrlOf(config);
  const opened = await openCommands(config, events, publicUrl, { parts, now }, onStop);
  const { asked, progress, channels, calendars, threads } = opened;
  const { commands } = asked;

  await prepareTables(pool, store, projections, createAnalyticsViews);
  if (config.roles.has('projector')) {
    const runner = runProjections({
      pool: consumers,
      feed,
      store,
      decode: codec.decode,
      log,
      aggregates: deciders,
      projections,
      progress,
      afterSwap: createAnalyticsViews,
    });
    onStop(() => runner.close());
    const chain = runChain({ pool: consumers, feed, store, log });
    onStop(() => chain.close());
  }
  await registerPolicies(pool, store, policies);
  if (config.roles.has('policies')) {
    const observeJob = (job: string, outcome: string): void => parts.metrics.jobs.inc({ job, outcome });
    const of = {
      ...channels,
      calendars,
      pool: consumers,
      feed,
      store,
      codec,
      log,
      commands,
      databaseUrl,
      publicUrl,
      sender: mailbox(config.mailFrom).address,
      observeJob,
    };
    const runner = await runPolicies(of);
    onStop(() => runner.close());
  }
  await bootstrap({ commands, config, secrets });
  if (!config.roles.has('api')) return 'no HTTP: this process has no role api';

  const presence = createPresence({
    pool,
    onError: (error) => log.warn({ error: explain(error) }, 'presence not known'),
  });
  onStop(() => presence.close());
  const execute = createExecute(commands, bindings);
  presence.onChange(({ sessionId }, present) => {
    if (present) return;
    const id = uuid7();
    const cause = { policy: 'estimation-presence', commandId: id, causationId: id, correlationId: id };
    execute('RevealWhenComplete', { sessionId }, cause).catch((error: unknown) =>
      log.warn({ error: explain(error) }, 'nobody asked for the reveal'),
    );
  });

  const app = await createApp({
    ...parts,
    ...asked,
    config,
    secrets,
    pool,
    store,
    feed,
    codec,
    bindings,
    progress: () => projectionStatus(pool, store, projections),
    presence,
  });
  onStop(() => {
    app.drain();
    threads.hurry();
    return app.close();
  });
  return app.listen({ host: config.host, port: config.port }).catch((error: unknown) => {
    throw new StartupProblem(
      `Port ${config.port} of ${config.host} cannot be used (${explain(error)}): set PORT or HOST`,
    );
  });
};
