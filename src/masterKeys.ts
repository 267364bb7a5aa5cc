import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

/** Seals small secrets (data keys) under the master key. */
export type MasterKeys = {
  /** AES-256-GCM under the present master key. `context` must be the same on opening. */
  readonly wrap: (plain: Buffer, context: string) => Buffer;
  /** Opens what the present or a former master key has wrapped. Throws when neither fits or the bytes were altered. */
  readonly unwrap: (wrapped: Buffer, context: string) => Buffer;
  /** Whether the present master key has wrapped it, as far as its mark tells. */
  readonly isPresent: (wrapped: Buffer) => boolean;
};

/** What was to be opened was wrapped by a master key that is not configured. */
export class MasterKeyUnknown extends Error {
  override readonly name = 'MasterKeyUnknown';
}

const ID = 4;
const IV = 12;
const TAG = 16;

const derive = (master: string) => {
  const key = Buffer.from(hkdfSync('sha256', master, 'convene', 'wrap', 32));
  return { key, id: createHash('sha256').update(key).digest().subarray(0, ID) };
};

/** From CONVENE_MASTER_KEY and CONVENE_MASTER_KEY_PREVIOUS; only the present one writes. */
export const masterKeys = (present: string, previous?: string): MasterKeys => {
  const writer = derive(present);
  const readers = previous === undefined ? [writer] : [writer, derive(previous)];
  return {
    wrap: (plain, context) => {
      const iv = randomBytes(IV);
      const cipher = createCipheriv('aes-256-gcm', writer.key, iv).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([writer.id, iv, cipher.getAuthTag(), sealed]);
    },
    unwrap: (wrapped, context) => {
      const reader = readers.find(({ id }) => id.equals(wrapped.subarray(0, ID)));
      if (reader === undefined)
        throw new MasterKeyUnknown('A stored key was wrapped by a master key that is not configured');
      const decipher = createDecipheriv('aes-256-gcm', reader.key, wrapped.subarray(ID, ID + IV))
        .setAAD(Buffer.from(context))
        .setAuthTag(wrapped.subarray(ID + IV, ID + IV + TAG));
      return Buffer.concat([decipher.update(wrapped.subarray(ID + IV + TAG)), decipher.final()]);
    },
    isPresent: (wrapped) => writer.id.equals(wrapped.subarray(0, ID)),
  };
};
