import { z } from 'zod';
import type { Reads } from '../../commands/binding.ts';
import { account } from '../../domain/identity/account/index.ts';
import type { Mail, Mailer } from '../../integrations/email.ts';
import { laidOut } from './layout.ts';
import { personOf } from './person.ts';
import { TEMPLATES, type TemplateName, templates } from './templates.ts';

/** What the job `send-mail` is told: the template, the account, and the ids and instants from which the mail is written. */
export type MailOrder = {
  [Name in TemplateName]: { readonly template: Name; readonly accountId: string } & z.input<
    (typeof templates)[Name]['fields']
  >;
}[TemplateName];

const Order = z.looseObject({
  template: z.enum(TEMPLATES),
  accountId: z.string(),
  expiresAt: z.string().optional(),
});

/** What mails are written and sent with. */
export type MailDeps = {
  readonly reads: Pick<Reads, 'history' | 'hash' | 'now'>;
  readonly mailer: Mailer;
  readonly publicUrl: string;
};

/**
 * The mail of an order, written from what the log says of the account now. Undefined when there is nothing to say any more:
 * the account is erased, or what the mail holds has expired or been replaced.
 */
export const writeMail = async (
  data: unknown,
  { reads, publicUrl }: Omit<MailDeps, 'mailer'>,
): Promise<Mail | undefined> => {
  const order = Order.parse(data);
  const { template, accountId, expiresAt } = order;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= reads.now().getTime()) return undefined;
  const history = await reads.history(account, accountId);
  const person = personOf(history);
  if (person === undefined) return undefined;
  const state = history.reduce(account.evolve, account.initial);
  const about = { accountId, person, state, history, reads, publicUrl };
  const draft = await templates[template].write(order, about);
  if (draft === undefined) return undefined;
  const { key, to = person.email, ...letter } = draft;
  return { to, accountId, template, dedupeKey: `${template}/${key}`, subject: letter.subject, ...laidOut(letter) };
};

/** The job `send-mail`: writes the mail and hands it to the mailer. */
export const sendMail = async (data: unknown, deps: MailDeps): Promise<void> => {
  const mail = await writeMail(data, deps);
  if (mail !== undefined) await deps.mailer.send(mail);
};
