import { setTimeout as pause } from 'node:timers/promises';
import { deciders } from '../domain/catalogue.ts';
import { deadLetters, decide, type Obeyed, requestRebuild } from '../projections/control.ts';
import { projections } from '../projections/index.ts';
import type { AnyProjection } from '../projections/projection.ts';
import { type ProjectionStatus, projectionStatus } from '../projections/status.ts';
import { NotVerifiable, type Verification, verify } from '../projections/verify.ts';
import { type CliCommand, CliProblem, type Context } from './command.ts';
import { type OpenLog, withDatabase, withLog } from './openLog.ts';

const known: readonly AnyProjection[] = projections;

const named = (name: string | undefined): AnyProjection => {
  const projection = known.find((each) => each.name === name);
  if (projection === undefined)
    throw new CliProblem(`There is no read model ${name}. convene projections list shows all.`);
  return projection;
};

/** Columns as wide as their widest cell. */
const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};

const lagOf = ({ lagEvents, lagSeconds }: ProjectionStatus): string =>
  lagEvents === 0 ? 'none' : `${lagEvents} events, ${Math.ceil(lagSeconds)} s`;

const parkedOf = ({ parked, retrying, incomplete }: ProjectionStatus): string =>
  [
    ...(parked > 0 ? [`${parked} parked`] : []),
    ...(retrying > 0 ? [`${retrying} retrying`] : []),
    ...(incomplete ? ['incomplete'] : []),
  ].join(', ');

const list: CliCommand = {
  name: 'projections list',
  summary: 'Shows how far every read model has come, and the events that could not be handled.',
  run: (_args, context) =>
    withLog(context, async ({ pool, store }) => {
      const statuses = await projectionStatus(pool, store, known);
      const header = ['read model', 'version', 'position', 'lag', 'state', 'set aside', 'last error'];
      const rows = statuses.map((status) => [
        status.name,
        String(status.version),
        String(status.position),
        lagOf(status),
        status.building === undefined ? status.state : `building (${status.building})`,
        parkedOf(status),
        status.lastError ?? '',
      ]);
      for (const line of table([header, ...rows])) context.print(line);
      const { letters, total } = await deadLetters(pool);
      if (total === 0) return 0;
      context.print('');
      context.print(
        total > letters.length ? `Dead letters (the oldest ${letters.length} of ${total}):` : 'Dead letters:',
      );
      const facts = letters.map(({ id, name, stream, revision, type, error, attempts, nextAttempt }) => [
        id,
        name,
        `${type} ${revision}@${stream}`,
        error,
        `${attempts} attempts`,
        nextAttempt === null ? 'waits for retry or skip' : `next at ${nextAttempt}`,
      ]);
      for (const line of table(facts)) context.print(line);
      return 0;
    }),
};

const POLL_MS = 500;
const START_MS = 10_000;

/** Shows how far the rebuild has come until the new table is live. False when nobody begins with it. */
const followed = async (name: string, { pool, store }: OpenLog, context: Context): Promise<boolean> => {
  const projection = named(name);
  const asked = Date.now();
  const head = Number(await store.head());
  for (let begun = false; ; ) {
    const [status] = await projectionStatus(pool, store, [projection]);
    begun ||= status?.building !== undefined;
    if (status === undefined || status.state !== 'building') {
      context.progress(name, head, head);
      return true;
    }
    if (!begun && Date.now() - asked > START_MS) return false;
    context.progress(name, Math.min(Number(status.building ?? 0), Math.max(0, head - 1)), head);
    await pause(POLL_MS);
  }
};

const rebuild: CliCommand = {
  name: 'projections rebuild',
  summary: 'Fills a read model anew beside the live one and puts it in its place. Queries go on meanwhile.',
  positionals: ['name'],
  options: { detach: { type: 'boolean', describe: 'Do not wait until it is done.' } },
  run: ({ positionals, options }, context) =>
    withLog(context, async (log) => {
      const { name } = named(positionals.name);
      const obeyed = await requestRebuild(log.pool, name);
      if (obeyed === 'unknown')
        throw new CliProblem(`The read model ${name} does not exist yet: start the service first.`);
      if (obeyed === 'rebuilding') throw new CliProblem(`The read model ${name} is being rebuilt already.`);
      if (options.detach === true) context.print(`The service will rebuild ${name}.`);
      else if (await followed(name, log, context)) context.print(`${name} is rebuilt.`);
      else context.print(`No process runs the read models at the moment: ${name} is rebuilt as soon as one does.`);
      return 0;
    }),
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const verdict = (name: string, summary: string, about: 'retry' | 'skip', answer: string): CliCommand => ({
  name,
  summary,
  positionals: ['id'],
  run: ({ positionals: { id = '' } }, context) =>
    withDatabase(context, async (pool) => {
      const obeyed: Obeyed = UUID.test(id) ? await decide(pool, id, about) : 'unknown';
      if (obeyed === 'unknown')
        throw new CliProblem(`There is no dead letter ${id}. convene projections list shows all.`);
      if (obeyed === 'rebuilding') throw new CliProblem('Its read model is being rebuilt: wait until that is done.');
      context.print(answer);
      return 0;
    }),
});

const retry = verdict(
  'projections retry',
  'Handles the event of a dead letter again, then what waits behind it.',
  'retry',
  'It will be tried again at once. convene projections list shows what came of it.',
);

const skip = verdict(
  'projections skip',
  'Passes over the event of a dead letter; its read model stays incomplete until it is rebuilt.',
  'skip',
  'The event will be passed over at once, and what waits behind it follows.',
);

const report = (name: string, verification: Verification, print: (line: string) => void): void => {
  const { rows, differing, differences, position, parked, unfoldable } = verification;
  if (parked > 0) print(`${name}: ${parked} parked streams were left out from where they wait.`);
  if (unfoldable > 0) print(`${name}: ${unfoldable} events cannot be folded and were passed over.`);
  if (differing === 0) print(`${name}: all ${rows} rows agree with the log at position ${position}.`);
  else print(`${name}: ${differing} rows disagree with the log at position ${position}.`);
  for (const { key, problem, columns } of differences)
    print(`  ${key}: ${problem === 'different' ? `other values in ${columns.join(', ')}` : `${problem} row`}`);
};

const verifyCommand: CliCommand = {
  name: 'projections verify',
  summary: 'Folds the log afresh and compares every row with the live read model; exit code 1 when one differs.',
  positionals: ['name?'],
  run: ({ positionals }, context) =>
    withLog(context, async ({ pool, store, codec }) => {
      const chosen = positionals.name === undefined ? known : [named(positionals.name)];
      let failed = false;
      for (const projection of chosen) {
        const { name } = projection;
        try {
          const verification = await verify(projection, {
            pool,
            store,
            decode: codec.decode,
            aggregates: deciders,
            onProgress: (position, of) => context.progress(name, Number(position), Number(of)),
          });
          failed ||= verification.differing > 0;
          report(name, verification, context.print);
        } catch (error) {
          if (!(error instanceof NotVerifiable)) throw error;
          failed = true;
          context.print(`${error.message}.`);
        }
      }
      return failed ? 1 : 0;
    }),
};

/** What operators do about read models. */
export const projectionCommands: readonly CliCommand[] = [list, rebuild, retry, skip, verifyCommand];
