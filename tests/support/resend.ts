import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Asked, answering, json } from './answering.ts';

/** A mail that the stand-in has taken. */
export type Taken = {
  readonly id: string;
  readonly key: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly emailId: string;
  readonly attachments: readonly {
    readonly filename: string;
    readonly content: string;
    readonly content_type: string;
  }[];
};

/**
 * What it does with a request. `lost`: takes the mail, but its answer never arrives. `dropped`: hangs up without taking it.
 * A number is the status of a refusal.
 */
export type Behaviour = 'take' | 'lost' | 'dropped' | number;

/**
 * A server that behaves like Resend: knows repeats by their key, refuses, loses answers, and signs notices as Svix does.
 * `next` are the behaviours of the coming requests for mails to an address; after them it takes everything.
 */
export const resendStandIn = async (t: { after: (callback: () => Promise<void>) => unknown }) => {
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const taken: Taken[] = [];
  const next = new Map<string, Behaviour[]>();
  const requests: Asked[] = [];

  const take = ({ headers, body }: Asked): Taken => {
    const key = String(headers['idempotency-key']);
    const known = taken.find((one) => one.key === key);
    if (known !== undefined) return known;
    const { to, subject, text, html, tags = [], attachments = [] } = JSON.parse(body);
    const emailId = tags.find(({ name }: { name: string }) => name === 'email_id')?.value ?? '';
    const mail = { id: randomUUID(), key, to: to[0], subject, text, html, emailId, attachments };
    taken.push(mail);
    return mail;
  };
  const { url } = await answering(t, (response: ServerResponse, asked) => {
    requests.push(asked);
    const behaviour = next.get(JSON.parse(asked.body).to[0])?.shift() ?? 'take';
    if (behaviour === 'dropped') return void response.destroy();
    if (typeof behaviour === 'number')
      return json(response, behaviour, { statusCode: behaviour, name: 'internal_server_error', message: 'No' });
    const { id } = take(asked);
    return behaviour === 'lost' ? void response.destroy() : json(response, 200, { id });
  });

  /** A notice as it is sent: its body and the headers that sign it. */
  const notice = (
    type: string,
    { emailId, id }: Pick<Taken, 'emailId' | 'id'>,
    {
      more = {},
      by = secret,
      at = new Date(),
    }: { readonly more?: object; readonly by?: string; readonly at?: Date } = {},
  ) => {
    const data = { email_id: id, to: ['somebody@example.org'], tags: { email_id: emailId }, ...more };
    const body = JSON.stringify({ type, created_at: at.toISOString(), data });
    const messageId = `msg_${randomUUID()}`;
    const timestamp = String(Math.floor(at.getTime() / 1000));
    const key = Buffer.from(by.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(`${messageId}.${timestamp}.${body}`).digest('base64');
    return {
      body,
      headers: {
        'content-type': 'application/json',
        'svix-id': messageId,
        'svix-timestamp': timestamp,
        'svix-signature': `v1,${signature}`,
      },
    };
  };

  return {
    taken,
    next,
    requests,
    notice,
    /** What a service needs to be told of it. */
    variables: {
      RESEND_API_KEY: 're_stand_in',
      RESEND_API_URL: url,
      RESEND_WEBHOOK_SECRETS: secret,
      MAIL_FROM: 'Convene <no-reply@example.com>',
    },
  };
};
