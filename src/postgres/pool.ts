import pg from 'pg';

const { TIMESTAMPTZ, TIMESTAMP, DATE, INT8 } = pg.types.builtins;

/** `2026-01-31 09:05:00.123+00` of a session that speaks UTC, as ISO-8601 with milliseconds. */
const iso = (timestamp: string): string => {
  const at = timestamp.indexOf(' ');
  // Behind the seconds: nothing, or a fraction without its last zeros.
  const fraction = timestamp.slice(at + 10, -3);
  return `${timestamp.slice(0, at)}T${timestamp.slice(at + 1, at + 9)}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
};
const asText = (value: string): string => value;

/** Rows carry instants as ISO-8601 text, dates as `YYYY-MM-DD`, and bigint as text: what JSON can hold without loss. */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => {
    if (oid === TIMESTAMPTZ) return iso;
    if (oid === DATE || oid === INT8 || oid === TIMESTAMP) return asText;
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

/**
 * Connections to the read models and the service's own tables. `lost` is told of idle connections that broke.
 * `unflushed`: commits do not wait for the disk, so a crash of the database may take the last ones back, all of each;
 * for what is made again from the log.
 */
export const createPool = (
  connectionString: string,
  max: number,
  lost: (error: Error) => void,
  { unflushed = false }: { readonly unflushed?: boolean } = {},
): pg.Pool => {
  const pool = new pg.Pool({
    connectionString,
    max,
    types: rowTypes,
    options: `-c search_path=read,convene,public -c timezone=UTC${unflushed ? ' -c synchronous_commit=off' : ''}`,
    application_name: 'convene',
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  pool.on('error', (error) => {
    // The end of the pool does not wait for each connection's own: what breaks then was given up already.
    if (!pool.ending) lost(error);
  });
  // One that breaks in somebody's hands, between two statements, fails the next one; the event itself, which nobody
  // else hears, would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
};
