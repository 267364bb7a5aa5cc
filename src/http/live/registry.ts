/** Counts what is open per key, up to a limit. */
export type Registry = {
  /** Takes a place; undefined when all are taken. The returned function gives it back, once. */
  readonly enter: (key: string) => (() => void) | undefined;
  readonly total: () => number;
};

export const createRegistry = (limit: number): Registry => {
  const counts = new Map<string, number>();
  return {
    enter: (key) => {
      const count = counts.get(key) ?? 0;
      if (count >= limit) return undefined;
      counts.set(key, count + 1);
      let open = true;
      return () => {
        if (!open) return;
        open = false;
        const left = (counts.get(key) ?? 1) - 1;
        if (left === 0) counts.delete(key);
        else counts.set(key, left);
      };
    },
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
  };
};
