import { createHash, randomFillSync } from 'node:crypto';

/** A UUID out of its 32 hexadecimal digits. */
export const dashed = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;

/** Sets the version and the variant of RFC 9562 in the first 16 bytes and prints them. */
const stamped = (bytes: Buffer, version: number): string => {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return dashed(bytes.toString('hex', 0, 16));
};

/** A UUID that follows from a name and a namespace UUID (RFC 9562, version 5): the same again for the same two. */
export const uuid5 = (name: string, namespace: string): string => {
  const space = Buffer.from(namespace.replaceAll('-', ''), 'hex');
  if (space.length !== 16) throw new TypeError('The namespace of a UUID must itself be a UUID');
  return stamped(createHash('sha1').update(space).update(name, 'utf8').digest(), 5);
};

let last = 0;
let counter = 0;
const RANDOM = Buffer.alloc(10);

/**
 * A UUID that sorts by time (RFC 9562, version 7). Within one process a later one is greater: 12 bits count the ids of
 * a millisecond, and when they run out or the clock steps back the id borrows from the future. `now` in milliseconds.
 */
export const uuid7 = (now: number = Date.now()): string => {
  if (now > last) {
    last = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    last += 1;
    counter = 0;
  }
  randomFillSync(RANDOM);
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(last, 0, 6);
  bytes.writeUInt16BE(counter, 6);
  RANDOM.copy(bytes, 8, 0, 8);
  return stamped(bytes, 7);
};
