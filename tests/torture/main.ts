/**
 * `npm run torture`: attacks a service of its own and checks what it promised. Exits with 0 when nothing was found, with 1
 * when something was, with 2 when the command line could not be understood.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { faultsFor } from './faults/index.ts';
import { chosenFaults, torture } from './torture.ts';

const USAGE = `Usage: npm run torture -- [options]

  --rounds <n>                 Rounds, each with one fault (20).
  --seed <n>                   Replays the choices of a seed; a new one is drawn and printed otherwise.
  --faults <a,b>               Draw from these only.
  --store <store>              postgres, or eventstoredb: the stand-in of the tests, or a real server (postgres).
  --eventstore-command <cmd>   Starts a real EventStoreDB; {data} and {port} in it are replaced.
  --clients <n>                Clients (32).
  --commands <n>               Commands of each client in a round (12).
  --freeze <seconds>           How long what is frozen stays frozen (3; 20 for a real EventStoreDB).

Faults of the store postgres: ${faultsFor('postgres')
  .map(({ name }) => name)
  .join(', ')}
Faults of the store eventstoredb: ${faultsFor('eventstoredb')
  .map(({ name }) => name)
  .join(', ')}`;

const wholeNumber = (name: string, text: string, least: number): number => {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least)
    throw new RangeError(`--${name} must be a whole number from ${least}`);
  return Number(text);
};

const optionsOf = (argv: readonly string[]) => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '20' },
      seed: { type: 'string' },
      faults: { type: 'string', default: '' },
      store: { type: 'string', default: 'postgres' },
      'eventstore-command': { type: 'string' },
      clients: { type: 'string', default: '32' },
      commands: { type: 'string', default: '12' },
      freeze: { type: 'string' },
    },
  });
  if (values.help) return undefined;
  const { store } = values;
  if (store !== 'postgres' && store !== 'eventstoredb')
    throw new RangeError('--store must be postgres or eventstoredb');
  const eventStoreCommand = values['eventstore-command'];
  if (eventStoreCommand !== undefined && store !== 'eventstoredb')
    throw new RangeError('--eventstore-command goes with --store eventstoredb');
  const faults = values.faults.split(',').filter((name) => name !== '');
  chosenFaults(store, faults);
  const freeze = values.freeze ?? (eventStoreCommand === undefined ? '3' : '20');
  return {
    rounds: wholeNumber('rounds', values.rounds, 1),
    seed: values.seed === undefined ? randomInt(1_000_000) : wholeNumber('seed', values.seed, 0),
    faults,
    store,
    eventStoreCommand,
    clients: wholeNumber('clients', values.clients, 6),
    commands: wholeNumber('commands', values.commands, 1),
    freezeMs: wholeNumber('freeze', freeze, 1) * 1000,
    thorough: true,
  } as const;
};

const parse = () => {
  try {
    return optionsOf(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
};

// What was started is ended by its watcher as soon as this process is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

const options = parse();
if (options === undefined) {
  console.log(USAGE);
} else {
  const began = performance.now();
  console.log(`Seed ${options.seed}, ${options.rounds} rounds, store ${options.store}`);
  const { rounds, violations, events, outcomes } = await torture({ ...options, print: (line) => console.log(line) });
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const figures = `${rounds} rounds, ${outcomes?.commands ?? 0} commands, ${events} events, ${seconds} s, seed ${options.seed}`;
  console.log(
    violations.length === 0
      ? `Nothing was lost, doubled or bent: ${figures}`
      : `${violations.length} violations: ${figures}`,
  );
  process.exit(violations.length === 0 ? 0 : 1);
}
