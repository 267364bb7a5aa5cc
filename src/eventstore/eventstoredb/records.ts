import type { AllStreamRecordedEvent, RecordedEvent } from '@eventstore/db-client';
import type { StoredEvent } from '../port.ts';

/**
 * Stands before the metadata in the store. The client parses metadata that happen to be JSON and keeps no original, so
 * `1.0` would come back as `1`; behind this mark they are not JSON to it, and it hands over the bytes.
 */
const MARK = '\ufeff';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The bytes under which a text of data lies in the store: its UTF-8. */
export const dataBytes = (data: string): Uint8Array => encoder.encode(data);

/** The bytes under which a text of metadata lies in the store: its UTF-8 behind a byte-order mark. */
export const metadataBytes = (metadata: string): Uint8Array => encoder.encode(MARK + metadata);

/** Foreign events may come as JSON that the client has parsed. */
const textOf = (content: unknown): string => {
  if (content instanceof Uint8Array) return decoder.decode(content);
  return content === undefined ? 'null' : JSON.stringify(content);
};

const metadataText = (metadata: unknown): string => {
  const text = textOf(metadata);
  return text.startsWith(MARK) ? text.slice(MARK.length) : text;
};

export type Recorded = RecordedEvent | AllStreamRecordedEvent;

/** Where an event lies. Throws when the server does not say (older than 22.6). */
export const positionOf = ({ position, id }: Recorded): bigint => {
  if (position === undefined)
    throw new Error(`EventStoreDB gave event ${id} without a position; it must be 22.6 or newer`);
  return position.commit;
};

/** Whether an event is one of ours, not of the server itself. */
export const isOwn = ({ streamId, type }: Recorded): boolean => !streamId.startsWith('$') && !type.startsWith('$');

/** An event as the port shows it. Bytes that are no UTF-8 show as replacement characters, so that their hash no longer fits. */
export const storedEvent = (event: Recorded): StoredEvent => ({
  id: event.id,
  type: event.type,
  data: textOf(event.data),
  metadata: metadataText(event.metadata),
  stream: event.streamId,
  revision: Number(event.revision),
  position: positionOf(event),
  recordedAt: event.created.toISOString(),
});
