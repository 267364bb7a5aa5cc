import { type PasswordThreads, passwordThreads } from './passwordThreads.ts';

/** Password hashes. bcrypt runs in threads of its own, never on the event loop. Throws HashingBusy in a flood. */
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

/** Salt and digest that belong to no password that anybody knows; to compare with them takes as long as with any other. */
const DECOY = 'Ij4KzBMUYoc9nqPq7VDcUeXzxr1pQ8kRaTzEy7oTq3G2ZyTnD1yLm';

/** Passwords hashed with bcrypt at this cost: each step doubles the time. */
export const createPasswords = (cost: number, threads: PasswordThreads = passwordThreads()): Passwords => {
  // What unknown accounts are compared with, so that time does not tell whether an address has an account.
  const decoy = `$2b$${String(cost).padStart(2, '0')}$${DECOY}`;
  return {
    hash: async (clear) => String(await threads.run({ clear, cost })),
    current: (hash) => costOf(hash) === cost,
    verify: async (clear, hash) => {
      const same = (await threads.run({ clear, against: hash ?? decoy })) === true;
      return same && hash !== undefined && Buffer.byteLength(clear) <= MAX_BYTES;
    },
  };
};
