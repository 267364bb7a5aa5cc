import { MINUTE_MS } from '../../domain/durations.ts';
import type { Metadata } from '../../eventstore/event.ts';
import { uuid7 } from '../../uuid.ts';

/** A request that was answered 401, 403, 423 or 429. */
export type Refusal = {
  readonly code: string;
  readonly reason: string;
  readonly permission: string | undefined;
  readonly method: string;
  /** The pattern of the route. */
  readonly path: string;
  readonly resourceId: string | undefined;
  /** As the request came; null when its connection was gone. */
  readonly ip: string | null;
  /** Names the subscriber behind the address. */
  readonly address: string;
  readonly accountId: string | undefined;
  readonly origin: Pick<Metadata, 'actor' | 'correlationId' | 'sessionId' | 'traceparent'>;
};

/** Refusals that became one fact. `refusal` is undefined for what stands for several codes, routes and addresses. */
export type Tallied = {
  readonly id: string;
  readonly kind: 'denied' | 'refused';
  readonly refusal: Refusal | undefined;
  readonly count: number;
  /** Begin of the minute, in ms since 1970. */
  readonly minute: number;
  readonly continues?: string;
};

/** Milliseconds that a denial waits for repeats of itself before it is told. */
export const GATHER_MS = 2_000;
/** Refusals of one code, address and route that are told one by one in a minute. */
export const SINGLY = 20;
/** Refusals told in a minute; all others are told by one number. */
export const MOST = 600;
/** Accounts, permissions and paths told in a minute; all others are told by the same number. */
export const MOST_DENIALS = 2_000;

type Denial = {
  readonly id: string;
  readonly due: number;
  refusal: Refusal;
  count: number;
  told: boolean;
};
type Repeats = { readonly refusal: Refusal; single: number; rest: number };

/** Counts the refusals of the running minute in bounded memory and says what is to be told of them. */
export type Tally = {
  readonly note: (refusal: Refusal, now: number) => void;
  /** What is due by now; with `all` everything, as at the end of a minute. Each refusal is handed out once. */
  readonly take: (now: number, all?: boolean) => Tallied[];
};

/**
 * Denials (403) collapse by account, permission, path and calendar minute: the first is told after {@link GATHER_MS}
 * with its repeats so far, what came later in the same minute by one more fact at its end. Others are told one by one,
 * from the {@link SINGLY}-first on by one number for each code, address and route at the end of the minute, and above
 * {@link MOST} by a single number for all.
 */
export const createTally = (newId: () => string = uuid7): Tally => {
  let minute = 0;
  const denials = new Map<string, Denial>();
  const waiting: Denial[] = [];
  const repeats = new Map<string, Repeats>();
  let singles = 0;
  let others = 0;
  const due: Tallied[] = [];

  const tell = (denial: Denial): void => {
    const { id, refusal, count, told } = denial;
    const continues = told ? { id: newId(), continues: id } : { id };
    due.push({ ...continues, kind: 'denied', refusal, count, minute });
    denial.told = true;
    denial.count = 0;
  };

  const closeMinute = (): void => {
    for (const denial of denials.values()) if (denial.count > 0) tell(denial);
    for (const { refusal, rest } of repeats.values())
      if (rest > 0) due.push({ id: newId(), kind: 'refused', refusal, count: rest, minute });
    if (others > 0) due.push({ id: newId(), kind: 'refused', refusal: undefined, count: others, minute });
    denials.clear();
    waiting.length = 0;
    repeats.clear();
    singles = 0;
    others = 0;
  };
  const enter = (now: number): void => {
    const begun = now - (now % MINUTE_MS);
    if (begun === minute) return;
    closeMinute();
    minute = begun;
  };

  const deny = (refusal: Refusal, now: number): void => {
    const { accountId, address, permission, reason, method, path, resourceId } = refusal;
    const key = `${accountId ?? address}\n${permission ?? reason}\n${method} ${path}`;
    const known = denials.get(key);
    if (known !== undefined) {
      known.count += 1;
      if (known.refusal.resourceId !== resourceId) known.refusal = { ...known.refusal, resourceId: undefined };
    } else if (denials.size < MOST_DENIALS) {
      const denial = { id: newId(), due: now + GATHER_MS, refusal, count: 1, told: false };
      denials.set(key, denial);
      waiting.push(denial);
    } else others += 1;
  };

  const refuse = (refusal: Refusal): void => {
    const { code, address, method, path } = refusal;
    const key = `${code}\n${address}\n${method} ${path}`;
    const known = repeats.get(key);
    if (known !== undefined && known.single >= SINGLY) known.rest += 1;
    else if (singles < MOST) {
      singles += 1;
      if (known === undefined) repeats.set(key, { refusal, single: 1, rest: 0 });
      else known.single += 1;
      due.push({ id: newId(), kind: 'refused', refusal, count: 1, minute });
    } else others += 1;
  };

  return {
    note: (refusal, now) => {
      enter(now);
      if (refusal.code === 'FORBIDDEN') deny(refusal, now);
      else refuse(refusal);
    },
    take: (now, all = false) => {
      enter(now);
      if (all) closeMinute();
      while (waiting[0] !== undefined && waiting[0].due <= now) tell(waiting.shift() as Denial);
      return due.splice(0);
    },
  };
};
