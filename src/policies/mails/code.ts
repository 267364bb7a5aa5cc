import { z } from 'zod';
import { otpCode } from '../../commands/identity/otpCode.ts';
import { personOf, phoneNumberOf } from '../../commands/identity/person.ts';
import type { Reads } from '../../commands/reads.ts';
import { account } from '../../domain/identity/account/index.ts';
import type { Sms } from '../../integrations/sms.ts';

/** What the job `send-code` is told: the challenge, from whose id the code follows, and where the code goes. */
const Order = z.object({
  challengeId: z.string(),
  accountId: z.string(),
  expiresAt: z.string(),
  phoneNumberId: z.string(),
});
export type CodeOrder = z.input<typeof Order>;

/**
 * The job `send-code`: works the code of a challenge out again and sends it to the account's telephone number of that id.
 * A code that has expired is not sent.
 */
export const sendCode = async (
  data: unknown,
  { reads, sms }: { readonly reads: Pick<Reads, 'history' | 'hash' | 'now'>; readonly sms: Sms },
): Promise<void> => {
  const { challengeId, accountId, expiresAt, phoneNumberId } = Order.parse(data);
  if (Date.parse(expiresAt) <= reads.now().getTime()) return;
  const history = await reads.history(account, accountId);
  const person = personOf(history);
  const to = phoneNumberOf(history, phoneNumberId);
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
