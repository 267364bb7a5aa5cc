/** One timer for all connections: what each of them waits for, it looks after at every beat. */
export type Pulse = {
  /** Calls `beat` with the time in milliseconds until the returned function is called. */
  readonly follow: (beat: (now: number) => void) => () => void;
  readonly stop: () => void;
};

export const createPulse = (everyMs: number): Pulse => {
  const beats = new Set<(now: number) => void>();
  const timer = setInterval(() => {
    const now = Date.now();
    for (const beat of beats) beat(now);
  }, everyMs);
  return {
    follow: (beat) => {
      beats.add(beat);
      return () => beats.delete(beat);
    },
    stop: () => clearInterval(timer),
  };
};
