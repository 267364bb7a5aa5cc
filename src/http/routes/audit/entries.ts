import { z } from 'zod';
import { actorTypes, outcomes } from '../../../audit/entry.ts';
import { shownData } from '../../../audit/past.ts';
import { catalogue } from '../../../domain/catalogue.ts';
import type { Recorded } from '../../../eventstore/event.ts';
import type { AuditEntry } from '../../../projections/audit/auditEntries.ts';
import { namesOf } from '../../../projections/audit/search.ts';
import type { Deps } from '../../app.ts';
import { eventsOfEntries } from './events.ts';

/** An entry of the audit trail as answers show it. */
export const Entry = z.object({
  id: z.string().describe('The id of the event'),
  at: z.string(),
  position: z.string(),
  userId: z.string().nullable().describe('The acting account; null for the system and unknown callers'),
  actorType: z.enum(actorTypes),
  actorName: z.string().nullable(),
  accountId: z.string().nullable().describe('The account concerned'),
  action: z.string(),
  eventType: z.string(),
  context: z.string(),
  targetType: z.string(),
  targetId: z.string(),
  stream: z.string(),
  version: z.int().describe('Place of the event in its stream, from 0'),
  outcome: z.enum(outcomes),
  command: z.string(),
  code: z.string().nullable().describe('The code that a refused request was answered with'),
  method: z.string().nullable(),
  path: z.string().nullable().describe('The pattern of the route'),
  count: z.int().nullable().describe('How many refused requests the entry stands for'),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  correlationId: z.string(),
  causationId: z.string().nullable(),
  summary: z.string(),
});
export type Entry = z.output<typeof Entry>;

/** Event types that say where a request came from. The read model keeps no address: it is read from the log. */
const withAddress: ReadonlySet<string> = new Set(
  Object.entries(catalogue).flatMap(([type, schema]) => ('ip' in schema.shape ? [type] : [])),
);

const textIn = (data: unknown, name: string): string | null => {
  const value = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : null;
};

/** Where a command is called first of all, as method and pattern. */
const routeOf = ({ bindings }: Pick<Deps, 'bindings'>, name: string): readonly (string | undefined)[] => {
  const path = bindings.find(({ command }) => command.name === name)?.path;
  const [method, url] = (typeof path === 'string' ? path : path?.[0])?.split(' ') ?? [];
  return url === undefined ? [] : [method, `/api/v1${url}`];
};

const entryOfRow = (
  row: AuditEntry,
  name: string | undefined,
  event: Recorded | undefined,
  [method, path]: readonly (string | undefined)[],
): Entry => ({
  id: row.id,
  at: row.at,
  position: row.position,
  userId: row.user_id,
  actorType: row.actor_type as Entry['actorType'],
  actorName: name ?? null,
  accountId: row.account_id,
  action: row.action,
  eventType: row.type,
  context: row.context,
  targetType: row.target_type,
  targetId: row.target_id,
  stream: row.stream,
  version: row.revision,
  outcome: row.outcome as Entry['outcome'],
  command: row.command,
  code: row.code,
  method: row.method ?? method ?? null,
  path: row.path ?? path ?? null,
  count: row.count,
  ip: textIn(event?.data, 'ip'),
  userAgent: textIn(event?.data, 'userAgent'),
  correlationId: row.correlation_id,
  causationId: row.causation_id,
  summary: row.summary,
});

/** Entries with the names of those who acted and the addresses they came from. */
export const entriesOf = async (deps: Deps, rows: readonly AuditEntry[]): Promise<Entry[]> => {
  const [names, events] = await Promise.all([
    namesOf(
      deps.db,
      rows.flatMap(({ user_id }) => user_id ?? []),
    ),
    eventsOfEntries(
      deps,
      rows.filter(({ type }) => withAddress.has(type)),
    ),
  ]);
  return rows.map((row) =>
    entryOfRow(row, names.get(row.user_id ?? ''), events.get(row.id), routeOf(deps, row.command)),
  );
};

/** An event of a history as answers show it. */
export const HistoryEvent = z.object({
  version: z.int().describe('Place in the history asked for, from 0'),
  id: z.string(),
  type: z.string(),
  at: z.string(),
  position: z.string(),
  actorId: z.string(),
  actorType: z.enum(actorTypes),
  command: z.string(),
  correlationId: z.string(),
  causationId: z.string().nullable(),
  data: z.unknown().describe('Personal fields masked without read:audit-pii; secrets left out'),
});

export const historyEvent = (event: Recorded, version: number, personal: boolean): z.output<typeof HistoryEvent> => {
  const { actor, command, correlationId, causationId } = event.metadata;
  return {
    version,
    id: event.id,
    type: event.type,
    at: event.recordedAt,
    position: String(event.position),
    actorId: actor.id,
    actorType: actor.kind === 'anonymous' ? 'external' : actor.kind,
    command,
    correlationId,
    causationId: causationId ?? null,
    data: shownData(event, personal),
  };
};
