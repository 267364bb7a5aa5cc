import { z } from 'zod';
import { otpCode } from '../../commands/identity/otpCode.ts';
import { account } from '../../domain/identity/account/index.ts';
import type { Sms } from '../../integrations/sms.ts';
import { type MailDeps, type MailOrder, sendMail } from './index.ts';
import { personOf, phoneNumberOf } from './person.ts';

const Challenge = z.object({ challengeId: z.string(), accountId: z.string(), expiresAt: z.string() });

/** What the job `send-code` is told: the challenge, from whose id the code follows, and where the code goes. */
const Order = z.discriminatedUnion('channel', [
  Challenge.extend({ channel: z.literal('email') }),
  Challenge.extend({ channel: z.literal('sms'), phoneNumberId: z.string() }),
]);
export type CodeOrder = z.input<typeof Order>;

/**
 * The job `send-code`: works the code of a challenge out again and sends it to the address of the account, or to its
 * number of that id. Codes that have expired are not sent.
 */
export const sendCode = async (data: unknown, deps: MailDeps & { readonly sms: Sms }): Promise<void> => {
  const order = Order.parse(data);
  const { challengeId, accountId, expiresAt } = order;
  if (order.channel === 'email')
    return sendMail({ template: 'otp-code', accountId, challengeId, expiresAt } satisfies MailOrder, deps);

  const { reads, sms } = deps;
  if (Date.parse(expiresAt) <= reads.now().getTime()) return;
  const history = await reads.history(account, accountId);
  const person = personOf(history);
  const to = phoneNumberOf(history, order.phoneNumberId);
  if (person === undefined || to === undefined) return;
  const until = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: person.timezone });
  await sms.send({
    to,
    accountId,
    template: 'otp-code',
    text: `${otpCode(reads.hash, challengeId)} is your Convene code until ${until.format(new Date(expiresAt))}. Tell it to nobody.`,
    dedupeKey: `otp-code/${challengeId}`,
  });
};
