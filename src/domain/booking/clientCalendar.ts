import { z } from 'zod';
import { type Context, commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { instant, uuid } from '../fields.ts';
import { appointmentIdField } from './ids.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  TimeClaimed: z.object({
    accountId: z.string(),
    appointmentId: z.string(),
    startTime: z.string(),
    endTime: z.string(),
    claimedAt: z.string().describe('A claim whose appointment does not come about is given back a minute later'),
  }),
  TimeReleased: z.object({ accountId: z.string(), appointmentId: z.string(), startTime: z.string() }),
};
export type ClientCalendarEvent = EventOf<typeof events>;

type Claim = {
  readonly appointmentId: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly claimedAt: string;
};
/** The time that an account has given to appointments, with whichever providers. */
export type ClientCalendar = { readonly claims: readonly Claim[] };

type Key = Pick<Claim, 'appointmentId' | 'startTime'>;
const same = (a: Key, b: Key): boolean => a.appointmentId === b.appointmentId && a.startTime === b.startTime;

export const clientCalendar = decider<ClientCalendar, ClientCalendarEvent>({
  category: 'clientCalendar',
  events,
  initial: { claims: [] },
  evolve: ({ claims }, { type, data }) => {
    switch (type) {
      case 'TimeClaimed': {
        const { appointmentId, startTime, endTime, claimedAt } = data;
        const claim = { appointmentId, startTime, endTime, claimedAt };
        return { claims: [...claims.filter((other) => !same(other, claim)), claim] };
      }
      case 'TimeReleased':
        return { claims: claims.filter((claim) => !same(claim, data)) };
    }
  },
});
const command = commandsOf(clientCalendar);

/** How long a claim or reservation may wait for its appointment before it is settled. */
export const SETTLE_AFTER_SECONDS = 60;
/** A claim found this old by a repeat of its command is made anew, so that it is not settled under the command's feet. */
export const RENEW_AFTER_SECONDS = 20;

/** Seconds from an instant to now. */
export const ageInSeconds = (at: string, now: Date): number => (now.getTime() - Date.parse(at)) / 1000;

/** Sets time aside for an appointment about to be booked or moved. One account never holds two that overlap. */
export const claimTime = command(
  'ClaimTime',
  z.object({ accountId: uuid, appointmentId: appointmentIdField, startTime: instant, endTime: instant }),
  (input, { claims }, { now }) => {
    const { accountId, appointmentId, startTime, endTime } = input;
    const clash = claims.some(
      (claim) => claim.appointmentId !== appointmentId && claim.startTime < endTime && startTime < claim.endTime,
    );
    if (clash) return reject('CONFLICT', 'own-overlap', 'Another appointment of the client lies at that time');
    const held = claims.find((claim) => same(claim, input));
    if (held !== undefined && ageInSeconds(held.claimedAt, now) < RENEW_AFTER_SECONDS) return [];
    const data = { accountId, appointmentId, startTime, endTime, claimedAt: now.toISOString() };
    return [{ type: 'TimeClaimed', data }];
  },
);

/** The time that an appointment really takes; none when it never came about, was cancelled or is over. */
export type AppointmentTime = { readonly time?: { readonly startTime: string; readonly endTime: string } };

/**
 * Brings the claims of one appointment in line with what became of it. Fresh claims are left alone when `onlyStale` is
 * set, because their command may still be under way.
 */
export const settleTime = command(
  'SettleTime',
  z.object({ accountId: uuid, appointmentId: appointmentIdField, onlyStale: z.boolean().default(false) }),
  ({ accountId, appointmentId, onlyStale }, { claims }, { now, facts: { time } }: Context<AppointmentTime>) => {
    const own = claims.filter((claim) => claim.appointmentId === appointmentId);
    const released = own
      .filter(({ startTime }) => startTime !== time?.startTime)
      .filter(({ claimedAt }) => !onlyStale || ageInSeconds(claimedAt, now) >= SETTLE_AFTER_SECONDS)
      .map(({ startTime }) => ({ type: 'TimeReleased' as const, data: { accountId, appointmentId, startTime } }));
    if (time === undefined || own.some(({ startTime }) => startTime === time.startTime)) return released;
    const data = { accountId, appointmentId, ...time, claimedAt: now.toISOString() };
    return [...released, { type: 'TimeClaimed', data }];
  },
);

/** The appointments that a client has set time aside for and that are still to begin. */
export const upcoming = ({ claims }: ClientCalendar, now: Date): readonly string[] => [
  ...new Set(
    claims.filter(({ startTime }) => Date.parse(startTime) > now.getTime()).map((claim) => claim.appointmentId),
  ),
];

/**
 * Cancels the appointments to come of a client whose account is closed. Adds nothing to the calendar itself: each
 * appointment is cancelled in its own stream.
 */
export const cancelClientAppointments = command('CancelClientAppointments', z.object({ accountId: uuid }), () => []);
