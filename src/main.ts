import { parseConfig } from './config.ts';
import { lockDataFolder } from './dataFolder.ts';
import { openEmbedded } from './embeddedPostgres.ts';
import { adminPasswordFile } from './secrets.ts';
import { StartupProblem } from './startupProblem.ts';

/** How long a stop may take, in milliseconds. What is not finished then was promised to nobody. */
const DRAIN_LIMIT = 10_000;

/** One Ctrl-C arrives several times: from the terminal, from npm, from the launcher. Milliseconds in which it counts once. */
const SAME_KEYPRESS = 500;

const config = (() => {
  try {
    return parseConfig(process.env);
  } catch (error) {
    return fail(error);
  }
})();

let stopAsked: number | undefined;
// Before the rest is loaded, which takes a second: a folder that another one has is told of at once.
const lock = config.databaseUrl === undefined ? await lockDataFolder(config.dataDir).catch(fail) : undefined;
// The database comes up while the rest of the service is still being loaded.
const embedded = openEmbedded(config, lock);
const starting = import('./service.ts').then(({ startService }) => startService(config, embedded));
embedded.catch(() => {});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stopOrEnd);
// The channel to the launcher: closed when that was killed.
process.on('disconnect', () => stopOrEnd());

try {
  const { url } = await starting;
  if (stopAsked === undefined) announce(config.publicUrl ?? url);
} catch (error) {
  fail(error);
}

function stopOrEnd(): void {
  const now = performance.now();
  if (stopAsked === undefined) {
    stopAsked = now;
    void stop();
  } else if (now - stopAsked > SAME_KEYPRESS) {
    process.exit(1);
  }
}

/** Drains and ends with 0; with 1 when the limit passes first. */
async function stop(): Promise<void> {
  setTimeout(() => {
    console.error(`Convene was not done within ${DRAIN_LIMIT / 1000} s and ends now.`);
    process.exit(1);
  }, DRAIN_LIMIT).unref();
  try {
    const service = await starting.catch(() => undefined);
    await service?.stop();
    process.exit(0);
  } catch (error) {
    fail(error);
  }
}

function announce(url: string): void {
  const password =
    config.adminPassword === undefined
      ? `the password in ${adminPasswordFile(config.dataDir)}`
      : 'the password in CONVENE_ADMIN_PASSWORD';
  const stored = [
    ...(config.eventStoreUrl === undefined ? [] : ['events in the EventStoreDB of EVENTSTORE_URL']),
    ...(config.databaseUrl === undefined ? [] : ['tables in the PostgreSQL of DATABASE_URL']),
    `${config.databaseUrl === undefined ? 'PostgreSQL and files' : 'files'} in ${config.dataDir}`,
  ];
  console.log(
    [
      '',
      `  Convene            ${url}`,
      ...(config.roles.has('api') ? [`  API reference      ${url}/docs`] : []),
      `  Data               ${stored.join(', ')}`,
      `  Administrator      ${config.adminEmail}, with ${password}`,
      '  Stop               Ctrl-C, or SIGTERM: what is under way is finished first',
      '',
    ].join('\n'),
  );
}

/** Ends with 1: a StartupProblem by its sentence alone, anything else as the fault of the program that it is. */
function fail(error: unknown): never {
  if (error instanceof StartupProblem) console.error(error.message);
  else console.error('Convene failed:', error);
  process.exit(1);
}
