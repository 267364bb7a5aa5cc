import { z } from 'zod';
import { personOf } from '../../commands/identity/person.ts';
import type { Reads } from '../../commands/reads.ts';
import { account } from '../../domain/identity/account/index.ts';
import { queueEmail } from '../../domain/messaging/email.ts';
import type { Mail } from '../../integrations/email.ts';
import { uuid5 } from '../../uuid.ts';
import { type Issued, issue } from '../policy.ts';
import { laidOut } from './layout.ts';
import { type MailOrder, TEMPLATES, templates } from './templates.ts';

export type { MailOrder } from './templates.ts';

/** Namespace of the ids of mails. */
const MAILS = '0f6c2a57-6f0e-5b0c-8a3e-7d3c9a1f4b62';

const Order = z.looseObject({ template: z.enum(TEMPLATES), accountId: z.string() });

/** Orders that say the same in their template's own fields are for one mail. */
const keyed = (order: z.output<typeof Order>) => {
  const { template, accountId } = order;
  const variables = templates[template].fields.parse(order);
  const dedupeKey = [template, accountId, ...Object.values(variables)].join('/');
  return { variables, dedupeKey, emailId: uuid5(dedupeKey, MAILS) };
};

/** The id that the mail of an order has. */
export const mailId = (order: MailOrder): string => keyed(order).emailId;

/** Queues a mail. `to` is its address where that is not the account's own, `at` the instant before which it stays. */
export const mail = (order: MailOrder, { to, at }: { readonly to?: string; readonly at?: Date } = {}): Issued => {
  const { template, accountId } = order;
  return issue(queueEmail, {
    ...keyed(order),
    accountId,
    template,
    ...('appointmentId' in order ? { appointmentId: order.appointmentId } : {}),
    ...(to === undefined ? {} : { to }),
    ...(at === undefined ? {} : { sendAt: at.toISOString() }),
  });
};

/** What mails are written with. */
export type WritingDeps = {
  readonly reads: Pick<Reads, 'history' | 'hash' | 'now'>;
  readonly publicUrl: string;
  /** The address that mails come from. */
  readonly sender: string;
};

/**
 * The mail of an order, written from what the log says of the account now. Undefined when there is nothing to say any more:
 * the account is erased, or what the mail holds has expired or been replaced.
 */
export const writeMail = async (data: unknown, deps: WritingDeps): Promise<Mail | undefined> => {
  const order = Order.parse(data);
  const { template, accountId } = order;
  const { variables, dedupeKey, emailId } = keyed(order);
  const { expiresAt } = variables as Readonly<Record<string, string>>;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= deps.reads.now().getTime()) return undefined;
  const history = await deps.reads.history(account, accountId);
  const person = personOf(history);
  if (person === undefined) return undefined;
  const state = history.reduce(account.evolve, account.initial);
  const draft = await templates[template].write(order, { ...deps, accountId, person, state, history });
  if (draft === undefined) return undefined;
  const { to = person.email, calendar, concerns = [], ...letter } = draft;
  return {
    to,
    accountId,
    concerns,
    template,
    emailId,
    dedupeKey,
    subject: letter.subject,
    ...laidOut(letter),
    ...(calendar === undefined ? {} : { calendar }),
  };
};
