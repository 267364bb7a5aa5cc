import { hash as bcrypt, compare } from '@node-rs/bcrypt';

/** Password hashes. bcrypt runs on the thread pool, never on the event loop. */
export type Passwords = {
  readonly hash: (clear: string) => Promise<string>;
  /** Whether the password belongs to the hash. Without a hash: no, after the same time as with one. */
  readonly verify: (clear: string, hash: string | undefined) => Promise<boolean>;
  /** Whether the hash is as costly as those that are made now. */
  readonly current: (hash: string) => boolean;
};

/** bcrypt sees no more than 72 bytes of a password: longer ones match nothing, or their tail would not count. */
const MAX_BYTES = 72;

const costOf = (hash: string): number => Number(/^\$2[aby]\$(\d\d)\$/.exec(hash)?.[1]);

/** Passwords hashed with bcrypt at this cost: each step doubles the time. */
export const createPasswords = (cost: number): Passwords => {
  // What unknown accounts are compared with, so that time does not tell whether an address has an account.
  let decoy: Promise<string> | undefined;
  return {
    hash: (clear) => bcrypt(clear, { cost }),
    current: (hash) => costOf(hash) === cost,
    verify: async (clear, hash) => {
      decoy ??= bcrypt('no password', { cost });
      const against = hash ?? (await decoy);
      const same = await compare(clear, against);
      return same && hash !== undefined && Buffer.byteLength(clear) <= MAX_BYTES;
    },
  };
};
