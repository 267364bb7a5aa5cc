import { hash } from 'node:crypto';
import type { StoredEvent } from '../../eventstore/port.ts';

/** Bytes of a digest, and of a hash of the chain. */
export const HASH_BYTES = 32;

/** What stands before the first event: h(0), 32 zero bytes. */
export const GENESIS: Buffer = Buffer.alloc(HASH_BYTES);

/** The part of a stored event that its digest covers. */
export type Covered = Pick<StoredEvent, 'stream' | 'revision' | 'id' | 'type' | 'metadata' | 'data'>;

const netstring = (text: string): string => `${Buffer.byteLength(text)}:${text},`;

/**
 * The digest of an event: SHA-256 over the netstrings (`<length in bytes>:<bytes>,`) of its stream, revision (decimal),
 * id, type, metadata and data, in this order. Texts count as their UTF-8 bytes; metadata and data are the bytes that
 * the store keeps, not what any parser makes of them. Personal fields are in them only encrypted, so the digest is the
 * same before and after a person's key is destroyed. Position and time are the store's own and not covered.
 */
export const digestOf = ({ stream, revision, id, type, metadata, data }: Covered): Buffer =>
  hash(
    'sha256',
    netstring(stream) +
      netstring(String(revision)) +
      netstring(id) +
      netstring(type) +
      netstring(metadata) +
      netstring(data),
    'buffer',
  );

const pair = Buffer.alloc(2 * HASH_BYTES);

/** The next hash of the chain: h(n) = SHA-256(h(n−1) ‖ digest of event n). */
export const linked = (previous: Uint8Array, digest: Uint8Array): Buffer => {
  pair.set(previous, 0);
  pair.set(digest, HASH_BYTES);
  return hash('sha256', pair, 'buffer');
};
