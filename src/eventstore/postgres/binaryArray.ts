/** Object ids of element types in Postgres. */
const OID = { int4: 23, text: 25, uuid: 2950 } as const;

const HEADER = 20;
const header = (buffer: Buffer, oid: number, length: number, nulls = false): void => {
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(nulls ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16);
};

/**
 * One-dimensional arrays in Postgres' binary wire format (array_recv). The text format would quote and escape every
 * JSON document twice; node-postgres sends a Buffer as a binary parameter just as it is.
 */
export const textArray = (values: readonly (string | null)[]): Buffer => {
  let size = HEADER;
  for (const value of values) size += 4 + (value === null ? 0 : Buffer.byteLength(value));
  const buffer = Buffer.allocUnsafe(size);
  header(buffer, OID.text, values.length, values.includes(null));
  let at = HEADER;
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    const written = buffer.write(value, at + 4);
    buffer.writeInt32BE(written, at);
    at += 4 + written;
  }
  return buffer;
};

export const int4Array = (values: readonly number[]): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER + values.length * 8);
  header(buffer, OID.int4, values.length);
  let at = HEADER;
  for (const value of values) {
    buffer.writeInt32BE(4, at);
    buffer.writeInt32BE(value, at + 4);
    at += 8;
  }
  return buffer;
};

/** Of UUIDs in their usual spelling with hyphens. */
export const uuidArray = (values: readonly string[]): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER + values.length * 20);
  header(buffer, OID.uuid, values.length);
  let at = HEADER;
  for (const value of values) {
    buffer.writeInt32BE(16, at);
    buffer.write(value.replaceAll('-', ''), at + 4, 'hex');
    at += 20;
  }
  return buffer;
};
