import { DeliveryFailed, isFinal } from './delivery.ts';

/** `open`: calls fail at once. `half-open`: the next call is tried, and its outcome decides. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** Keeps calls away from an outside service that is down. */
export type Circuit = {
  readonly service: string;
  readonly state: () => CircuitState;
  /** Runs the call, or throws DeliveryFailed (`circuit-open`) without it. */
  readonly run: <Result>(call: () => Promise<Result>) => Promise<Result>;
};

const FAILURES = 5;
const PAUSE_MS = 30_000;

/**
 * Opens after five failures in a row and tries again after thirty seconds, with one call. A final refusal is an answer: it
 * shows that the service is there; `isAnswer` tells which failures are. `now` in milliseconds.
 */
export const createCircuit = (
  service: string,
  now: () => number = () => performance.now(),
  isAnswer: (error: unknown) => boolean = isFinal,
): Circuit => {
  let failures = 0;
  let openedAt = 0;
  let trying = false;
  const state = (): CircuitState =>
    failures < FAILURES ? 'closed' : trying || now() - openedAt < PAUSE_MS ? 'open' : 'half-open';
  return {
    service,
    state,
    run: async (call) => {
      const before = state();
      if (before === 'open') throw new DeliveryFailed(service, 'circuit-open');
      if (before === 'half-open') trying = true;
      try {
        const result = await call();
        failures = 0;
        return result;
      } catch (error) {
        failures = isAnswer(error) ? 0 : failures + 1;
        openedAt = now();
        throw error;
      } finally {
        if (before === 'half-open') trying = false;
      }
    },
  };
};
