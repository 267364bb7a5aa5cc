import { z } from 'zod';
import { positionAt, verifyChain } from '../audit/chain/verify.ts';
import { type Position, START } from '../eventstore/port.ts';
import { type CliCommand, CliProblem } from './command.ts';
import { type OpenLog, withLog } from './openLog.ts';

const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

/** A position as it is; an instant as the first position recorded then or later. Undefined: beyond the chain. */
const placeOf = async (name: string, text: string, { pool, store }: OpenLog): Promise<Position | undefined> => {
  if (/^\d{1,19}$/.test(text)) return BigInt(text);
  if (!instant.safeParse(text).success)
    throw new CliProblem(`--${name} takes a position or an instant such as 2027-03-01T09:30:00Z.`);
  return positionAt(pool, store, new Date(text).toISOString());
};

const wording = {
  altered: 'was altered',
  missing: 'is missing',
  inserted: 'was inserted',
} as const;

const verify: CliCommand = {
  name: 'audit verify',
  summary: 'Computes the hash chain over the log again and names the first break; exit code 1 when there is one.',
  options: {
    from: { type: 'string', describe: 'Begin at this position or instant; what lies before it is taken as recorded.' },
    to: { type: 'string', describe: 'End before this position or instant.' },
  },
  run: ({ options }, context) =>
    withLog(context, async (log) => {
      const { pool, store } = log;
      const from = typeof options.from === 'string' ? await placeOf('from', options.from, log) : START + 1n;
      const end = typeof options.to === 'string' ? await placeOf('to', options.to, log) : undefined;
      if (from === undefined || (end !== undefined && end <= from)) {
        context.print('Nothing is chained between these two.');
        return 0;
      }
      const { checked, to, brokenAt } = await verifyChain({
        pool,
        store,
        from,
        to: end === undefined ? undefined : end - 1n,
        onProgress: (position, of) => context.progress('audit chain', Number(position), Number(of)),
      });
      if (brokenAt !== undefined) {
        const { position, eventId, kind, of } = brokenAt;
        const what =
          of === 'event' ? `event ${eventId}` : `the record of ${eventId === '' ? 'the end' : `event ${eventId}`}`;
        context.print(
          `Broken at position ${position}: ${what} ${wording[kind]}. ${checked} events before it are whole.`,
        );
        return 1;
      }
      context.print(`Unbroken: ${checked} events checked, up to position ${to}.`);
      if (end === undefined && (await store.head()) > to)
        context.print('Later events are not chained yet: the process with role projector does it.');
      return 0;
    }),
};

/** What auditors do about the log. */
export const auditCommands: readonly CliCommand[] = [verify];
