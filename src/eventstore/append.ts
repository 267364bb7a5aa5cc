/** What both adapters check before a store sees an append: a store that met such input would answer late, wrongly, or never. */

import { AppendTooLarge, type Expected, InvalidEvent, MAX_APPEND_BYTES, type NewEvent } from './port.ts';

/** Longest name of a stream, in UTF-16 units: well within the index entries of either store. */
export const MAX_STREAM_NAME = 400;
/** Longest name of an event type, in UTF-16 units. */
export const MAX_TYPE_NAME = 200;
/** Bytes of metadata that one append may carry, 8 MiB: keeps the whole message far from EventStoreDB's 20 MB. */
export const MAX_METADATA_BYTES = 8 * MAX_APPEND_BYTES;
/** Most events that one read gives, and the default of `readStream`. */
export const MAX_LIMIT = 10_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NIL = '00000000-0000-0000-0000-000000000000';
const CONTROL = /\p{Cc}/u;

const invalid = (message: string): never => {
  throw new InvalidEvent(message);
};

const assertName = (what: string, name: unknown, longest: number): void => {
  if (typeof name !== 'string' || name === '') return invalid(`${what} is empty`);
  if (name.startsWith('$')) return invalid(`${what} begins with $, which is reserved`);
  if (name.length > longest) return invalid(`${what} is longer than ${longest} characters`);
  if (CONTROL.test(name) || !name.isWellFormed())
    return invalid(`${what} holds a control character or half a surrogate pair`);
};

const assertJson = (what: string, text: unknown): void => {
  if (typeof text !== 'string') return invalid(`${what} is not text`);
  if (!text.isWellFormed()) return invalid(`${what} holds half a surrogate pair`);
  try {
    JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold personal data.
    return invalid(`${what} is no JSON text`);
  }
};

/**
 * Checks an append before any store sees it. Throws InvalidEvent or AppendTooLarge; no message quotes data.
 * Ids are UUIDs in lower case, other than the nil UUID and different from each other; names are free of control
 * characters and do not begin with `$`; data and metadata are JSON texts.
 */
export const assertAppendable = (stream: string, events: readonly NewEvent[], expected?: Expected): void => {
  assertName('The name of the stream', stream, MAX_STREAM_NAME);
  if (expected !== undefined && expected !== 'noStream' && !(Number.isSafeInteger(expected) && expected >= 0))
    invalid('The expected revision is neither noStream nor an integer from 0');
  if (events.length === 0) invalid('An append needs an event');
  const ids = new Set<string>();
  let data = 0;
  let metadata = 0;
  for (const [index, event] of events.entries()) {
    if (typeof event.id !== 'string' || !UUID.test(event.id) || event.id === NIL)
      invalid(`The id of event ${index} is no UUID in lower case, or the nil UUID`);
    if (ids.has(event.id)) invalid(`Event ${index} has the id of an earlier one`);
    ids.add(event.id);
    assertName(`The type of event ${index}`, event.type, MAX_TYPE_NAME);
    assertJson(`The data of event ${index}`, event.data);
    assertJson(`The metadata of event ${index}`, event.metadata);
    data += Buffer.byteLength(event.data);
    metadata += Buffer.byteLength(event.metadata);
  }
  if (data > MAX_APPEND_BYTES) throw new AppendTooLarge(stream, data);
  if (metadata > MAX_METADATA_BYTES) invalid(`More than ${MAX_METADATA_BYTES} bytes of metadata in one append`);
};

/** The number of events a read may give: `limit`, or `otherwise` when there is none. Throws RangeError outside 1 to {@link MAX_LIMIT}. */
export const limitOf = (limit: number | undefined, otherwise: number = MAX_LIMIT): number => {
  const events = limit ?? otherwise;
  if (!Number.isInteger(events) || events < 1 || events > MAX_LIMIT)
    throw new RangeError(`A limit is an integer from 1 to ${MAX_LIMIT}`);
  return events;
};
