import twilio from 'twilio';
import { z } from 'zod';
import { phoneNumber } from '../domain/fields.ts';
import { DeliveryFailed } from './delivery.ts';
import type { Sms } from './sms.ts';

const TWILIO_API = 'https://api.twilio.com';
/** Milliseconds that an answer may take. */
const TIMEOUT_MS = 5_000;

/** The account that sends, and from which number or by which messaging service. */
export type TwilioAccount = {
  readonly accountSid: string;
  readonly authToken: string;
  readonly from: string | undefined;
  readonly messagingServiceSid: string | undefined;
};

/** What a refusal tells; its message quotes the number and is left where it is. */
const Refusal = z.object({ status: z.int().min(100).max(599) });

/** Credentials and limits that are not right are mended by an operator, or by time. */
const OF_THE_OPERATOR = [401, 403, 429];

const failed = (error: unknown): DeliveryFailed => {
  const { data } = Refusal.safeParse(error);
  if (data === undefined) return new DeliveryFailed('twilio', 'unreachable');
  const { status } = data;
  return new DeliveryFailed('twilio', status, status >= 400 && status < 500 && !OF_THE_OPERATOR.includes(status));
};

/**
 * Sends text messages by Twilio, whose interface knows no repeats: a message whose answer was lost is sent again. `apiUrl`
 * stands in for Twilio's own address.
 */
export const twilioSms = ({
  accountSid,
  authToken,
  from,
  messagingServiceSid,
  apiUrl = TWILIO_API,
  timeoutMs = TIMEOUT_MS,
}: TwilioAccount & { readonly apiUrl?: string; readonly timeoutMs?: number }): Pick<Sms, 'send'> => {
  const httpClient = new twilio.RequestClient({ timeout: timeoutMs, autoRetry: false });
  // The library's own time-out starts again with every byte.
  httpClient.axios.interceptors.request.use((request) => {
    request.signal = AbortSignal.timeout(timeoutMs);
    if (request.url !== undefined) request.url = request.url.replace(TWILIO_API, apiUrl);
    return request;
  });
  // Whatever the environment asks for, nothing of a message is printed.
  const { messages } = twilio(accountSid, authToken, { httpClient, logLevel: 'none' });
  const origin = messagingServiceSid === undefined ? { from: from ?? '' } : { messagingServiceSid };
  return {
    send: async ({ to, text }) => {
      const number = phoneNumber.safeParse(to);
      if (!number.success) throw new DeliveryFailed('twilio', 'bad-number', true);
      try {
        await messages.create({ to: number.data, body: text, ...origin });
      } catch (error) {
        throw failed(error);
      }
    },
  };
};
