import type fc from 'fast-check';
import type { Preferences } from '../../../../../src/domain/identity/account/events.ts';
import { type Moment, movesIn, named, person, type Turn } from '../../../../support/model.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The account that the model is about. */
export const accountId = named('ada');
/** Its holder, those who may change the accounts of others, and those who may not. */
export const ada = person('ada');
export const root = person('root', '*:*');
export const support = person('support', 'write:users');
export const eve = person('eve');
/** One whose rights do not count, because his address was never proved. */
export const unproved = { ...person('mallory', '*:*'), verified: false };

export const ADDRESSES = ['ada@example.org', 'ada@example.net', 'ada@example.com'] as const;
export const hashOf = (what: string): string => `hash of ${what}`;

/** A request whose token came by mail. */
export type Mail = { readonly requestId: string; readonly ends: number };
export type Change = Mail & { readonly from: string; readonly to: string };
export type Factor = { readonly method: 'totp' | 'sms'; readonly phone?: string | undefined; codes: readonly string[] };
export type Phone = { readonly id: string; readonly number: string; verified?: number; label?: string | undefined };
export type References = { readonly paymentMethod?: string };
export type Subscription = {
  readonly status: 'active' | 'cancelled' | 'expired';
  readonly startedAt?: string;
  readonly expiresAt?: string;
  readonly autoRenew: boolean;
};

/** What is known of an account beside what it pays for, and what outlives the person. */
const nothing = () => ({
  address: undefined as string | undefined,
  proved: false,
  /** Every request so far, and the one that counts. */
  mails: [] as Mail[],
  mail: undefined as Mail | undefined,
  changes: [] as Change[],
  change: undefined as Change | undefined,
  changesAsked: [] as number[],
  resets: [] as Mail[],
  reset: undefined as Mail | undefined,
  password: undefined as string | undefined,
  /** Which event, counted from 0, has the hash of the password; another one for the same password under another cost. */
  passwordAt: undefined as number | undefined,
  lockedUntil: 0,
  factor: undefined as Factor | undefined,
  offer: undefined as (Factor & { readonly ends: number }) | undefined,
  /** Of the latest code from an app. */
  step: -1,
  /** When the trust ends. */
  devices: new Map<string, number>(),
  /** The person's name at each provider. */
  identities: new Map<string, string>(),
  phones: [] as Phone[],
  primary: undefined as string | undefined,
  phonesAdded: [] as number[],
  displayName: '',
  photoURL: null as string | null,
  timezone: 'UTC',
  language: 'en',
  preferences: {
    theme: 'auto',
    accentColor: '#1D4ED8',
    defaultView: 'week',
    notifications: { email: true, push: true, reminder: true },
    dateFormat: 'YYYY-MM-DD',
    timeFormat: '24h',
  } as Omit<Preferences, 'language' | 'timezone'>,
});

/** One account as the requirements speak of it. */
export type World = ReturnType<typeof nothing> & {
  life: 'none' | 'abandoned' | 'active' | 'deactivated' | 'erased';
  /** How much has happened to it. */
  events: number;
  /** How often the means to log in were changed. */
  credentials: number;
  plan: 'free' | 'premium' | 'enterprise';
  subscription: Subscription;
  references: References;
};

export const newWorld = (): World => ({
  ...nothing(),
  life: 'none',
  events: 0,
  credentials: 0,
  plan: 'free',
  subscription: { status: 'active', autoRenew: false },
  references: {},
});

/** Nothing is known any more of the person. */
export const forget = (world: World): void => {
  Object.assign(world, nothing());
};

/** The account exists, open or not. */
export const isThere = ({ life }: World): boolean => life === 'active' || life === 'deactivated';

/** The constructor of moves; what comes of them is counted. */
export const on = <Args>(
  args: fc.Arbitrary<Args>,
  turn: (args: Args, world: World, moment: Moment) => Turn | undefined,
  weight?: number,
) =>
  movesIn<World>()(
    args,
    (drawn, world, moment) => {
      const taken = turn(drawn, world, moment);
      if (taken === undefined) return undefined;
      const expect = (): ReturnType<Turn['expect']> => {
        const verdict = taken.expect();
        if (typeof verdict !== 'string') world.events += verdict.length;
        return verdict;
      };
      return { ...taken, expect };
    },
    weight,
  );
