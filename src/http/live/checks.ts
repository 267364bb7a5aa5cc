/** Something whose rights are to be looked at again. */
export type Checked = { readonly check: () => Promise<void> };

const AT_ONCE = 50;
const RETRY_MS = 250;

export type Checks = {
  readonly add: (checked: Checked) => void;
  /** No longer of interest. */
  readonly remove: (checked: Checked) => void;
  readonly close: () => void;
};

/** Looks at what was added, as soon as possible and again until it succeeds: a right that is gone is never forgotten. */
export const createChecks = (onError: (error: unknown) => void): Checks => {
  const waiting = new Set<Checked>();
  let running = false;
  let closed = false;

  const checkOne = async (checked: Checked): Promise<boolean> => {
    try {
      await checked.check();
      return true;
    } catch (error) {
      onError(error);
      waiting.add(checked);
      return false;
    }
  };
  const run = async (): Promise<void> => {
    running = true;
    while (waiting.size > 0 && !closed) {
      const some = [...waiting].slice(0, AT_ONCE);
      for (const checked of some) waiting.delete(checked);
      const done = await Promise.all(some.map(checkOne));
      if (done.includes(false)) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    running = false;
  };

  return {
    add: (checked) => {
      waiting.add(checked);
      if (!running && !closed) void run();
    },
    remove: (checked) => waiting.delete(checked),
    close: () => {
      closed = true;
      waiting.clear();
    },
  };
};
