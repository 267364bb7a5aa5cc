import { parseConfig } from '../../src/config.ts';
import { startService } from '../../src/service.ts';

/** A service that runs for a test. */
export type Started = {
  /** Where it listens. */
  readonly url: string;
  /** Sets the clock of its rules to so many milliseconds ahead of the machine's. */
  readonly setAhead: (ms: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Starts a service with exactly these variables as its environment, its clock `ahead` of the machine's. */
export type Start = (variables: Readonly<Record<string, string>>, ahead?: number) => Promise<Started>;

/** Starts it in this process. */
export const startHere: Start = async (variables, initially = 0) => {
  let ahead = initially;
  const service = await startService(parseConfig(variables), undefined, () => new Date(Date.now() + ahead));
  return {
    ...service,
    setAhead: async (ms) => {
      ahead = ms;
    },
  };
};
