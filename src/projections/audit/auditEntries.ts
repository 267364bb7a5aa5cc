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
};
export type AuditEntry = RowOf<typeof columns>;

/** Every event has its entry: the fold is made from the catalogue, so that no type can be forgotten. */
const fold = Object.fromEntries(
  Object.keys(catalogue).map((type) => [
    type,
    (_row: AuditEntry | undefined, event: Recorded): AuditEntry => entryOf(event),
  ]),
) as unknown as Projection<typeof columns, EventType>['fold'];

/** What happened, who did it, to what: one entry for each event of the log, under the event's own id. */
export const auditEntries = projection({
  name: 'audit_entries',
  version: 1,
  columns,
  key: { column: 'id', of: (event: Recorded) => event.id },
  indexes: [
    ['position'],
    ['at'],
    ['user_id', 'position'],
    ['account_id', 'position'],
    ['action', 'position'],
    ['target_type', 'target_id', 'position'],
    ['stream', 'revision'],
    ['correlation_id', 'position'],
  ],
  fold,
});
