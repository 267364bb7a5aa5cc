import { z } from 'zod';
import { type Circuit, createCircuit } from '../circuit.ts';
import { DeliveryFailed } from '../delivery.ts';
import type { Calendar, CalendarAnswer, CalendarEvent } from './index.ts';

/** Milliseconds that an answer may take. */
const TIMEOUT_MS = 5_000;
/** Seconds after which a throttled call is tried again when Google names none, and the most that it is believed. */
const USUAL_PAUSE = 60;
const LONGEST_PAUSE = 86_400;
const POPUP_MINUTES = 15;

const SERVICE = 'google-calendar';

/** Why a 403 came, where it is a matter of how much was asked and not of who may. */
const QUOTA = [
  'rateLimitExceeded',
  'userRateLimitExceeded',
  'quotaExceeded',
  'dailyLimitExceeded',
  'calendarLimitExceeded',
];
/** The address of what Google knows by our client was not switched on, which an operator does. */
const OF_THE_OPERATOR = ['accessNotConfigured', 'SERVICE_DISABLED'];

const reason = z.object({ reason: z.string().optional().catch(undefined) });
const Refusal = z.object({
  error: z.object({
    errors: z.array(reason).catch([]),
    details: z.array(reason).optional().catch(undefined),
  }),
});

type Answer = { readonly status: number; readonly reasons: readonly string[]; readonly retryAfter: number | undefined };

/** Seconds, of both forms that the header has. */
const secondsOf = (header: string | null, now: number): number | undefined => {
  if (header === null) return undefined;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(Math.ceil(seconds), 1), LONGEST_PAUSE);
};

const reasonsOf = (body: unknown): readonly string[] => {
  const { data } = Refusal.safeParse(body);
  return [...(data?.error.errors ?? []), ...(data?.error.details ?? [])].flatMap(({ reason }) => reason ?? []);
};

const isThrottling = ({ status, reasons }: Answer): boolean =>
  status === 429 || (status === 403 && reasons.some((reason) => QUOTA.includes(reason)));

/** What an answer other than success means. */
const meaningOf = (answer: Answer): CalendarAnswer => {
  const { status, reasons, retryAfter } = answer;
  if (isThrottling(answer)) return { outcome: 'throttled', seconds: retryAfter ?? USUAL_PAUSE };
  if (status === 401) return { outcome: 'unauthorised' };
  if (status === 403 && !reasons.some((reason) => OF_THE_OPERATOR.includes(reason))) return { outcome: 'forbidden' };
  return { outcome: 'failed', code: `${SERVICE}-${status}`, final: status === 400 || status === 404 || status === 410 };
};

const isDone = ({ status }: Answer): boolean => status >= 200 && status < 300;

/** An instant by the clock of a zone. */
const inZone = (instant: string, timeZone: string) => ({
  dateTime: Temporal.Instant.from(instant)
    .toZonedDateTimeISO(timeZone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' }),
  timeZone,
});

const bodyOf = ({ id, title, startTime, endTime, timeZone, description, place }: CalendarEvent) => ({
  id,
  status: 'confirmed',
  summary: title,
  description,
  location: place,
  start: inZone(startTime, timeZone),
  end: inZone(endTime, timeZone),
  reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: POPUP_MINUTES }] },
});

/**
 * The primary calendar of somebody at Google, over its API version 3. Events have ids of the service's choice, so that one
 * whose answer was lost is written once: an insertion that finds its id taken, by an event that was deleted too, becomes a
 * change, and the other way round. A change is a PATCH, which needs no sequence number and leaves alone what its holder
 * added. `apiUrl` stands in for Google's own address.
 */
export const googleCalendar = ({
  apiUrl,
  timeoutMs = TIMEOUT_MS,
}: {
  readonly apiUrl: string;
  readonly timeoutMs?: number;
}): { readonly calendar: Calendar; readonly circuit: Circuit } => {
  const circuit = createCircuit(SERVICE);
  const events = `${apiUrl}/calendar/v3/calendars/primary/events`;

  const call = async (
    accessToken: string,
    method: 'POST' | 'PATCH' | 'DELETE',
    address: string,
    body?: unknown,
  ): Promise<Answer> => {
    const response = await fetch(`${address}?sendUpdates=none`, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    const { status, headers } = response;
    if (status >= 500) throw new DeliveryFailed(SERVICE, status);
    const isJson = headers.get('content-type')?.includes('json') === true;
    const reasons = status >= 400 && isJson ? reasonsOf(parsed(text)) : [];
    return { status, reasons, retryAfter: secondsOf(headers.get('retry-after'), Date.now()) };
  };

  /** Behind the circuit. What fails says neither what was asked nor by whom. */
  const ask = async (steps: () => Promise<CalendarAnswer>): Promise<CalendarAnswer> => {
    try {
      return await circuit.run(async () => {
        try {
          return await steps();
        } catch (error) {
          if (error instanceof DeliveryFailed) throw error;
          const late = error instanceof Error && error.name === 'TimeoutError';
          throw new DeliveryFailed(SERVICE, late ? 'timeout' : 'unreachable');
        }
      });
    } catch (error) {
      const code = error instanceof DeliveryFailed ? error.code : `${SERVICE}-unreachable`;
      return { outcome: 'failed', code, final: false };
    }
  };

  const calendar: Calendar = {
    put: (accessToken, event, known) =>
      ask(async () => {
        const body = bodyOf(event);
        const insert = () => call(accessToken, 'POST', events, body);
        const change = () => call(accessToken, 'PATCH', `${events}/${event.id}`, body);
        let answer = await (known ? change() : insert());
        if (known && (answer.status === 404 || answer.status === 410)) answer = await insert();
        if (answer.status === 409) answer = await change();
        return isDone(answer) ? { outcome: 'done' } : meaningOf(answer);
      }),
    remove: (accessToken, eventId) =>
      ask(async () => {
        const answer = await call(accessToken, 'DELETE', `${events}/${eventId}`);
        return isDone(answer) || answer.status === 404 || answer.status === 410
          ? { outcome: 'done' }
          : meaningOf(answer);
      }),
  };
  return { calendar, circuit };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
