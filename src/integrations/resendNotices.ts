import { z } from 'zod';
import { instant, uuid } from '../domain/fields.ts';
import { EMAIL_TAG } from './resend.ts';

/** What Resend tells of a mail. */
export type ResendNotice = {
  readonly emailId: string;
  readonly notice: 'delivered' | 'opened' | 'hard' | 'soft' | 'complaint';
  /** ISO-8601 UTC; undefined where the notice does not say when. */
  readonly at: string | undefined;
};

/** The headers by which a notice is signed, as Svix names them. */
export type Signature = { readonly id: string; readonly timestamp: string; readonly signature: string };

/** A tag is told as `{name: value}`; the documentation has a list of pairs too. */
const Tags = z
  .union([
    z.record(z.string(), z.string()),
    z
      .array(z.object({ name: z.string(), value: z.string() }))
      .transform((tags) => Object.fromEntries(tags.map(({ name, value }) => [name, value]))),
  ])
  .catch({});

const Notice = z.object({
  type: z.string(),
  created_at: instant.optional().catch(undefined),
  data: z.looseObject({
    tags: Tags.default({}),
    bounce: z.looseObject({ type: z.string() }).optional().catch(undefined),
  }),
});

const kindOf = (type: string, bounce: string | undefined): ResendNotice['notice'] | undefined => {
  switch (type) {
    case 'email.delivered':
      return 'delivered';
    case 'email.opened':
      return 'opened';
    case 'email.complained':
      return 'complaint';
    case 'email.bounced':
      return bounce === 'Transient' || bounce === 'Undetermined' ? 'soft' : 'hard';
    // The address is on Resend's own list of those that have bounced.
    case 'email.suppressed':
      return 'hard';
    case 'email.failed':
      return 'soft';
    default:
      return undefined;
  }
};

/** What a notice says; undefined for one that is about something else than a mail of this service, or says nothing new. */
export const noticeIn = (body: unknown): ResendNotice | undefined => {
  const { data: notice } = Notice.safeParse(body);
  if (notice === undefined) return undefined;
  const kind = kindOf(notice.type, notice.data.bounce?.type);
  const emailId = uuid.safeParse(notice.data.tags[EMAIL_TAG]);
  return kind === undefined || !emailId.success
    ? undefined
    : { emailId: emailId.data, notice: kind, at: notice.created_at };
};

/**
 * Whether one of the secrets has signed this body less than five minutes ago. Resend signs by the scheme of Svix; its own
 * library checks that.
 */
export const isSigned = async (secrets: readonly string[], payload: string, headers: Signature): Promise<boolean> => {
  if (secrets.length === 0) return false;
  const { Resend } = await import('resend');
  const { webhooks } = new Resend('re_checks_signatures_only');
  return secrets.some((webhookSecret) => {
    try {
      webhooks.verify({ payload, headers, webhookSecret });
      return true;
    } catch {
      return false;
    }
  });
};
