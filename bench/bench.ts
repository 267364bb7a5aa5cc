/** One figure: whose, of what, how much. */
export type Row = {
  readonly who: string;
  readonly metric: string;
  readonly value: number;
  /** Such as `appends/s`, `ms`, `MB`. */
  readonly unit: string;
};

/** What a figure should reach. `name` is that of a ratio, or says what else was measured. */
export type Goal = {
  readonly name: string;
  readonly value: number;
  /** Left out for ratios. */
  readonly unit?: string;
} & ({ readonly atLeast: number } | { readonly atMost: number });

/** What a bench found: absolute figures, ratios between figures of this same run, and what was aimed at. */
export type Findings = {
  readonly rows: readonly Row[];
  readonly ratios: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
};

/** A database of a contender's own, on the one server of the run. */
export type BenchDatabase = {
  readonly connectionString: string;
  /** Ends all sessions on it and removes it, so that what follows has the memory and the disk to itself. */
  readonly drop: () => Promise<void>;
};

/** What a bench is given. */
export type Context = {
  /** How often contenders take turns; the median counts. */
  readonly rounds: number;
  /** `count` things of the full size, shrunk by `--scale`; at least 1. */
  readonly sized: (count: number) => number;
  /** A fresh database on the server of this run. With `migrate` it has the tables of the service. */
  readonly database: (options?: { readonly migrate?: boolean }) => Promise<BenchDatabase>;
  /** A real EventStoreDB (EVENTSTORE_TEST_URL), when there is one. */
  readonly eventStoreDb: string | undefined;
  /** A folder of this run, on the disk of its database, removed afterwards. */
  readonly folder: string;
  /** Tells whoever waits how far it is. Never part of the figures. */
  readonly says: (line: string) => void;
};

/** One bench: what `npm run bench <name>` measures. */
export type Bench = {
  readonly name: string;
  readonly title: string;
  readonly run: (context: Context) => Promise<Findings>;
};

/** Ratios as they are printed and kept: two digits behind the point below 100. */
export const ratio = (figure: number, beside: number): number => Math.round((figure / beside) * 100) / 100;
