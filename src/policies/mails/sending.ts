import { z } from 'zod';
import type { Outcome } from '../../commands/binding.ts';
import { mayReceive } from '../../commands/messaging/emails.ts';
import { newest } from '../../commands/reads.ts';
import { email, recordEmailAttempt } from '../../domain/messaging/email.ts';
import { DeliveryFailed, isFinal, NotConfigured } from '../../integrations/delivery.ts';
import type { Mail, Mailer, Sent } from '../../integrations/email.ts';
import { uuid5 } from '../../uuid.ts';
import { AttemptNoted } from '../attempts.ts';
import { type Execute, settled } from '../execute.ts';
import { type WritingDeps, writeMail } from './index.ts';

/** What mails are sent with. */
export type SendingDeps = WritingDeps & { readonly mailer: Mailer; readonly execute: Execute };

/** What the job `send-mail` is told: which mail, which attempt, and what led to it. */
const Order = z.object({
  emailId: z.string(),
  attempt: z.int(),
  causationId: z.string(),
  correlationId: z.string(),
});
export type SendingOrder = z.input<typeof Order>;

type Result = z.input<typeof recordEmailAttempt.input>['result'];

/** What came of handing the mail over. Throws what is a defect or an outage of our own. */
const attempted = async (mail: Mail, { mailer }: SendingDeps): Promise<Result> => {
  let sent: Sent;
  try {
    sent = await mailer.send(mail);
  } catch (error) {
    if (!(error instanceof DeliveryFailed || error instanceof NotConfigured)) throw error;
    return { outcome: 'failed', error: error.code, final: isFinal(error) };
  }
  if (sent.status === 'suppressed') return { outcome: 'suppressed', reason: 'not_configured' };
  const { providerMessageId } = sent;
  return { outcome: 'accepted', to: mail.to, ...(providerMessageId === undefined ? {} : { providerMessageId }) };
};

/**
 * The job `send-mail`: one attempt at a queued mail, written anew from the log, and the note of what came of it. Done
 * twice it sends once where the service knows a repeat by its key, or had answered the first time; a server that speaks
 * SMTP alone may get the mail again, under the same Message-ID, when the process dies between its answer and the note.
 */
export const sendMail = async (data: unknown, deps: SendingDeps): Promise<void> => {
  const { emailId, attempt, ...cause } = Order.parse(data);
  const history = await deps.reads.history(email, emailId);
  const [queued] = history;
  const { status, attempts } = history.reduce(email.evolve, email.initial);
  if (queued?.type !== 'EmailQueued' || status !== 'queued' || attempts >= attempt) return;

  const { template, accountId, variables } = queued.data;
  const mail = await writeMail({ ...variables, template, accountId }, deps);
  const result: Result =
    mail === undefined
      ? { outcome: 'suppressed', reason: 'outdated' }
      : (await mayReceive(deps.reads, mail.to))
        ? await attempted(mail, deps)
        : { outcome: 'suppressed', reason: 'bounce_list' };

  const commandId = uuid5(`attempt/${attempt}`, emailId);
  const input: z.input<typeof recordEmailAttempt.input> = { emailId, attempt, result };
  const noted: Outcome = settled(
    await deps.execute(recordEmailAttempt.name, input, { ...cause, policy: 'email-sending', commandId }),
  );
  if (!noted.ok) throw new Error(`An attempt at a mail was not noted (${noted.reason})`);
  if (result.outcome !== 'failed') return;
  const after = await newest(deps.reads, email, emailId);
  throw new AttemptNoted(result.error, after.status === 'abandoned');
};
