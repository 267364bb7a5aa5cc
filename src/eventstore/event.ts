import type { AnyEvent, EventType } from '../domain/catalogue.ts';
import type { Position } from './port.ts';

/** Who caused an event and along which chain. */
export type Metadata = {
  readonly commandId: string;
  /** Name of the command. */
  readonly command: string;
  readonly correlationId: string;
  /** Id of the event or command that led to it. */
  readonly causationId?: string;
  readonly actor: { readonly id: string; readonly kind: 'user' | 'api_key' | 'system' | 'anonymous' };
  /** The login session of the request. */
  readonly sessionId?: string;
  readonly traceparent?: string;
  /** HMAC of the command's input under the service's own key: tells a repeat from another request with the same key. */
  readonly payloadHash?: string;
};

/** What every event carries beside its type and data. */
export type Envelope = {
  readonly id: string;
  readonly stream: string;
  /** Place in its stream, from 0. */
  readonly revision: number;
  readonly position: Position;
  /** ISO-8601 UTC, the log's clock. */
  readonly recordedAt: string;
  readonly schemaVersion: number;
  readonly metadata: Metadata;
};

/** An event in the clear: decoded, upcast to the current shape, personal fields decrypted (or `ERASED`). */
export type Recorded<T extends EventType = EventType> = Extract<AnyEvent, { type: T }> & Envelope;

/**
 * An event whose type or bytes this version of the service cannot read. It is handed on with the place where it lies, so
 * that nobody passes over it in silence.
 */
export type Undecodable = Omit<Envelope, 'metadata' | 'schemaVersion'> & {
  readonly type: string;
  readonly error: Error;
};

export const isUndecodable = (event: object): event is Undecodable => 'error' in event;

/** The category of a stream: what stands before its first hyphen. */
export const categoryOf = (stream: string): string => stream.slice(0, stream.indexOf('-'));

/** The id of a stream: what stands behind its first hyphen. */
export const idOf = (stream: string): string => stream.slice(stream.indexOf('-') + 1);
