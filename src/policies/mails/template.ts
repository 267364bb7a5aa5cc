import type { z } from 'zod';
import type { Person } from '../../commands/identity/person.ts';
import type { Reads } from '../../commands/reads.ts';
import type { AccountEvent } from '../../domain/identity/account/events.ts';
import type { Account } from '../../domain/identity/account/index.ts';
import type { CalendarPart } from '../../integrations/email.ts';
import type { Letter } from './layout.ts';

/** What a template writes from: the log as it is now. */
export type About = {
  readonly accountId: string;
  readonly person: Person;
  readonly state: Account;
  readonly history: readonly AccountEvent[];
  readonly reads: Pick<Reads, 'history' | 'hash' | 'now'>;
  readonly publicUrl: string;
  /** The address that mails come from. */
  readonly sender: string;
};

/**
 * A letter, to the address of the account unless it names another, what a calendar reads of it, and whom else it tells
 * about.
 */
export type Draft = Letter & {
  readonly to?: string;
  readonly calendar?: CalendarPart;
  readonly concerns?: readonly string[];
};

/** How a mail is written; undefined when there is nothing to say any more. */
type Write<Order> = (order: Order, about: About) => Draft | undefined | Promise<Draft | undefined>;

export const template = <Fields extends z.ZodType<Readonly<Record<string, string>>>>(
  fields: Fields,
  write: Write<z.output<Fields>>,
) => ({
  /** Beside the name of the template and the account, what an order says: ids and instants, nothing personal. */
  fields,
  write: async (order: unknown, about: About) => write(fields.parse(order), about),
});

/** An instant in words, by the clock of the person. */
export const time = (instant: string, { timezone }: Pick<Person, 'timezone'>): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'long', timeZone: timezone }).format(
    new Date(instant),
  );
