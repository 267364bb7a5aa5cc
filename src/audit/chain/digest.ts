import { hash } from 'node:crypto';
import type { StoredEvent } from '../../eventstore/port.ts';

/** Bytes of a digest, and of a hash of the chain. Both are handled in hexadecimal, lower case. */
export const HASH_BYTES = 32;

/** What stands before the first event: h(0), 32 zero bytes. */
export const GENESIS = '00'.repeat(HASH_BYTES);

/** The part of a stored event that its digest covers. */
export type Covered = Pick<StoredEvent, 'stream' | 'revision' | 'id' | 'type' | 'metadata' | 'data'>;

const netstring = (text: string): string => `${Buffer.byteLength(text)}:${text},`;

/**
 * The digest of an event: SHA-256 over the netstrings (`<length in bytes>:<bytes>,`) of its stream, revision (decimal),
 * id, type, metadata and data, in this order. Texts count as their UTF-8 bytes; metadata and data are the bytes that
 * the store keeps, not what any parser makes of them. Personal fields are in them only encrypted, so the digest is the
 * same before and after a person's key is destroyed. Position and time are the store's own and not covered.
 */
export const digestOf = ({ stream, revision, id, type, metadata, data }: Covered): string =>
  hash(
    'sha256',
    netstring(stream) +
      netstring(String(revision)) +
      netstring(id) +
      netstring(type) +
      netstring(metadata) +
      netstring(data),
    'hex',
  );

const pair = Buffer.alloc(2 * HASH_BYTES);

/** The next hash of the chain: h(n) = SHA-256(h(n−1) ‖ digest of event n), of the bytes, not of their hexadecimal digits. */
export const linked = (previous: string, digest: string): string => {
  pair.write(previous, 0, 'hex');
  pair.write(digest, HASH_BYTES, 'hex');
  return hash('sha256', pair, 'hex');
};
