import { entryOf } from '../../audit/entry.ts';
import { catalogue, type EventType } from '../../domain/catalogue.ts';
import type { Recorded } from '../../eventstore/event.ts';
import {
  instant,
  integer,
  nullable,
  type Projection,
  position,
  projection,
  type RowOf,
  text,
  uuid,
} from '../projection.ts';

const columns = {
  id: uuid,
  position,
  at: instant,
  user_id: nullable(text),
  actor_id: text,
  actor_type: text,
  account_id: nullable(text),
  action: text,
  type: text,
  context: text,
  target_type: text,
  target_id: text,
  stream: text,
  revision: integer,
  outcome: text,
  role_id: nullable(text),
  permission: nullable(text),
  command: text,
  correlation_id: text,
  causation_id: nullable(text),
  session_id: nullable(text),
  summary: text,
  code: nullable(text),
  method: nullable(text),
  path: nullable(text),
  /** Refusals that the event stands for. */
  count: nullable(integer),
  /** Refusals of its minute that the entry stands for, those of later events included. */
  total: nullable(integer),
  /** The entry whose counting the event goes on with. */
  continues: nullable(text),
  ip_hash: nullable(text),
};
export type AuditEntry = RowOf<typeof columns>;

const entry = (_row: AuditEntry | undefined, event: Recorded): AuditEntry => {
  const of = entryOf(event);
  return { ...of, total: of.count };
};

/** The entry of a denial; the first of its minute counts what later events add. */
const denied = (row: AuditEntry | undefined, event: Recorded<'AccessDenied'>, key: string): AuditEntry | undefined =>
  key === event.id ? entry(row, event) : row && { ...row, total: (row.total ?? 0) + event.data.count };

/** Every event has its entry: the fold is made from the catalogue, so that no type can be forgotten. */
const fold = {
  ...Object.fromEntries(Object.keys(catalogue).map((type) => [type, entry])),
  AccessDenied: denied,
} as unknown as Projection<typeof columns, EventType>['fold'];

const touched = (event: Recorded): string | readonly string[] =>
  event.type === 'AccessDenied' && event.data.continues !== undefined ? [event.id, event.data.continues] : event.id;

/** What happened, who did it, to what: one entry for each event of the log, under the event's own id. */
export const auditEntries = projection({
  name: 'audit_entries',
  version: 2,
  columns,
  key: { column: 'id', of: touched },
  indexes: [
    ['position'],
    ['at'],
    ['user_id', 'position'],
    ['account_id', 'position'],
    ['action', 'position'],
    ['target_type', 'target_id', 'position'],
    ['stream', 'revision'],
    ['correlation_id', 'position'],
    ['ip_hash', 'position'],
  ],
  fold,
});
