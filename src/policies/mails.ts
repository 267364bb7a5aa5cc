import { z } from 'zod';
import type { Reads } from '../commands/binding.ts';
import { mailToken } from '../commands/identity/mailToken.ts';
import { ERASED } from '../domain/decider.ts';
import { account } from '../domain/identity/account/index.ts';
import type { Mail, Mailer } from '../integrations/email.ts';

/** What the job `send-mail` is told: the template and the ids from which the mail is written. */
export const MailOrder = z.discriminatedUnion('template', [
  z.object({
    template: z.literal('email-verification'),
    accountId: z.string(),
    requestId: z.string(),
    expiresAt: z.string(),
  }),
  z.object({ template: z.literal('account-locked'), accountId: z.string(), until: z.string() }),
]);
export type MailOrder = z.output<typeof MailOrder>;

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Paragraphs and at most one link, as plain text and as HTML. */
const written = (paragraphs: readonly string[], link?: { readonly text: string; readonly url: string }) => ({
  text: `${[...paragraphs, ...(link === undefined ? [] : [link.url])].join('\n\n')}\n`,
  html: [
    ...paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`),
    ...(link === undefined ? [] : [`<p><a href="${escaped(link.url)}">${escaped(link.text)}</a></p>`]),
  ].join('\n'),
});

const inTimeZone = (instant: string, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'long', timeZone }).format(new Date(instant));

type Recipient = { readonly email: string; readonly displayName: string; readonly timezone: string };

const compose = (
  order: MailOrder,
  { email, displayName, timezone }: Recipient,
  { hash, publicUrl }: { readonly hash: Reads['hash']; readonly publicUrl: string },
): Mail => {
  const hello = `Hello ${displayName},`;
  const { template } = order;
  switch (template) {
    case 'email-verification': {
      const token = mailToken(hash, 'email-verification', order);
      return {
        to: email,
        template,
        subject: 'Please verify your e-mail address',
        dedupeKey: `${template}/${order.requestId}`,
        ...written(
          [
            hello,
            `please confirm that this is your address, until ${inTimeZone(order.expiresAt, timezone)}. If you have not opened an account, ignore this mail.`,
            `Your token: ${token}`,
          ],
          { text: 'Verify the address', url: `${publicUrl}/verify-email?token=${token}` },
        ),
      };
    }
    case 'account-locked':
      return {
        to: email,
        template,
        subject: 'Your account is locked for a while',
        dedupeKey: `${template}/${order.accountId}/${order.until}`,
        ...written([
          hello,
          `too many attempts to log in to your account have failed, so it is locked until ${inTimeZone(order.until, timezone)}. If it was not you who tried, please choose another password after that.`,
        ]),
      };
  }
};

/**
 * The job `send-mail`: writes the mail from what the log says of the account, and hands it to the mailer. Erased
 * accounts get no mail.
 */
export const sendMail = async (
  data: unknown,
  { reads, mailer, publicUrl }: { readonly reads: Reads; readonly mailer: Mailer; readonly publicUrl: string },
): Promise<void> => {
  const order = MailOrder.parse(data);
  const history = await reads.history(account, order.accountId);
  const registered = history.find((event) => event.type === 'AccountRegistered');
  if (registered?.type !== 'AccountRegistered' || registered.data.email === ERASED) return;
  await mailer.send(compose(order, registered.data, { hash: reads.hash, publicUrl }));
};
