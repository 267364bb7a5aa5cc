import type pg from 'pg';
import type { EventStore } from '../../../src/eventstore/port.ts';
import type { LogEvent } from './violation.ts';

type Raw = {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly recordedAt: string;
  readonly data: string;
  readonly metadata: string;
};

const fieldsOf = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

const parsed = ({ data, metadata, ...event }: Raw): LogEvent => {
  const { command, commandId, correlationId, actor } = fieldsOf(metadata);
  const id = typeof actor === 'object' && actor !== null && 'id' in actor ? actor.id : undefined;
  return {
    ...event,
    data: fieldsOf(data),
    metadata: {
      command: String(command),
      commandId: String(commandId),
      correlationId: String(correlationId),
      actor: String(id),
    },
  };
};

/** The whole log as it lies in Postgres, read with plain SQL, and what the log itself takes for its end. */
export const postgresLog = async (
  pool: Pick<pg.Pool, 'query'>,
): Promise<{ readonly events: readonly LogEvent[]; readonly head: bigint }> => {
  const { rows } = await pool.query<Omit<Raw, 'position'> & { readonly position: string }>(
    `select position::text, stream, revision, id, type, data, metadata,
       to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "recordedAt"
     from log.events order by log.events.position`,
  );
  const head = await pool.query<{ position: string }>('select position::text from log.head');
  return {
    events: rows.map((row) => parsed({ ...row, position: BigInt(row.position) })),
    head: BigInt(head.rows[0]?.position ?? 0),
  };
};

const PAGE = 5_000;

/** The whole log through the door of the event store, for the store that has no SQL. */
export const storedLog = async (
  store: Pick<EventStore, 'readAll'>,
): Promise<{ readonly events: readonly LogEvent[]; readonly head: bigint }> => {
  const events: LogEvent[] = [];
  for (let after = 0n; ; ) {
    const batch = await store.readAll(after, { limit: PAGE });
    events.push(...batch.events.map(parsed));
    if (batch.position === after) return { events, head: events.at(-1)?.position ?? 0n };
    after = batch.position;
  }
};
