/** Counts something and lets others wait for it. */
export type Counter = {
  readonly add: () => void;
  readonly total: () => number;
  /** Settles when `more` more were counted, while nobody is left who could be counted, and at once from `end` on. */
  readonly reach: (more: number) => Promise<void>;
  /** Looks again whether anybody is left. */
  readonly look: () => void;
  /** Nothing more will be counted. */
  readonly end: () => void;
};

/** `exhausted`: nobody is left at this moment who could be counted. */
export const counter = (exhausted: () => boolean = () => false): Counter => {
  let total = 0;
  let ended = false;
  const waiting = new Set<{ readonly at: number; readonly resolve: () => void }>();
  const settle = (): void => {
    for (const one of waiting)
      if (ended || exhausted() || total >= one.at) {
        waiting.delete(one);
        one.resolve();
      }
  };
  return {
    add: () => {
      total += 1;
      settle();
    },
    total: () => total,
    reach: (more) =>
      new Promise((resolve) => {
        waiting.add({ at: total + more, resolve });
        settle();
      }),
    look: settle,
    end: () => {
      ended = true;
      settle();
    },
  };
};
