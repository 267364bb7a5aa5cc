/** What both adapters check before a store sees an append: a store that met such input would answer late, wrongly, or never. */

import { AppendTooLarge, type Expected, InvalidEvent, MAX_APPEND_BYTES, type NewEvent } from './port.ts';

/** Longest name of a stream, in UTF-16 units: well within the index entries of either store. */
export const MAX_STREAM_NAME = 400;
/** Longest name of an event type, in UTF-16 units. */
export const MAX_TYPE_NAME = 200;
/** Bytes of metadata that one append may carry, 4 MiB: with the number of events it keeps a message below EventStoreDB's 16 MB. */
export const MAX_METADATA_BYTES = 4 * MAX_APPEND_BYTES;
/** Events that one append may carry. */
export const MAX_APPEND_EVENTS = 10_000;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NIL = '00000000-0000-0000-0000-000000000000';
const CONTROL = /\p{Cc}/u;

const nameProblem = (name: unknown, longest: number): string | undefined => {
  if (typeof name !== 'string' || name === '') return 'is empty';
  if (name.startsWith('$')) return 'begins with $, which is reserved';
  if (name.length > longest) return `is longer than ${longest} characters`;
  return CONTROL.test(name) || !name.isWellFormed() ? 'holds a control character or half a surrogate pair' : undefined;
};

const jsonProblem = (text: unknown): string | undefined => {
  if (typeof text !== 'string') return 'is not text';
  if (!text.isWellFormed()) return 'holds half a surrogate pair';
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    // The parser's message quotes the text, which may hold personal data.
    return 'is no JSON text';
  }
};

const idProblem = (id: unknown, seen: ReadonlySet<unknown>): string | undefined => {
  if (typeof id !== 'string' || !UUID.test(id)) return 'is no UUID in lower case';
  if (id === NIL) return 'is the nil UUID';
  return seen.has(id) ? 'is that of an earlier one' : undefined;
};

const refuse = (what: string, problem: string | undefined): void => {
  if (problem !== undefined) throw new InvalidEvent(`${what} ${problem}`);
};

/**
 * Checks an append before any store sees it. Throws InvalidEvent or AppendTooLarge; no message quotes data.
 * Ids are UUIDs in lower case, other than the nil UUID and different from each other; names are free of control
 * characters and do not begin with `$`; data and metadata are JSON texts.
 */
export const assertAppendable = (stream: string, expected: Expected, events: readonly NewEvent[]): void => {
  refuse('The name of the stream', nameProblem(stream, MAX_STREAM_NAME));
  if (expected !== 'noStream' && !(Number.isSafeInteger(expected) && expected >= 0))
    throw new InvalidEvent('The expected revision is neither noStream nor an integer from 0');
  if (events.length === 0) throw new InvalidEvent('An append needs an event');
  if (events.length > MAX_APPEND_EVENTS) throw new InvalidEvent(`More than ${MAX_APPEND_EVENTS} events in one append`);
  const ids = new Set<string>();
  let data = 0;
  let metadata = 0;
  for (const [index, event] of events.entries()) {
    refuse(`The id of event ${index}`, idProblem(event.id, ids));
    refuse(`The type of event ${index}`, nameProblem(event.type, MAX_TYPE_NAME));
    refuse(`The data of event ${index}`, jsonProblem(event.data));
    refuse(`The metadata of event ${index}`, jsonProblem(event.metadata));
    ids.add(event.id);
    data += Buffer.byteLength(event.data);
    metadata += Buffer.byteLength(event.metadata);
  }
  if (data > MAX_APPEND_BYTES) throw new AppendTooLarge(stream, data);
  if (metadata > MAX_METADATA_BYTES)
    throw new InvalidEvent(`More than ${MAX_METADATA_BYTES} bytes of metadata in one append`);
};
