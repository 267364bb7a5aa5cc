import { z } from 'zod';
import { type Actor, type Context, can, type Rejection, reject } from '../../decider.ts';
import { DAY_MS, MINUTE_MS } from '../../durations.ts';
import { instant, lines, timeZone, uuid } from '../../fields.ts';
import type { Span } from '../grid.ts';
import { appointmentIdOf, dayOfSlot, slotIdField } from '../ids.ts';
import { isProvider, type Provider } from '../provider/index.ts';
import type { Party, ScheduleEvent } from './events.ts';
import { command, isLive, type Schedule, type Slot } from './state.ts';

/** Which slot is wanted: by its id, or by its start, and then perhaps by its provider. */
export const slotChoice = {
  slotId: slotIdField.optional().describe('The slot; or name its start instead'),
  startTime: instant.optional().describe('Start of the slot'),
};

/** Whether exactly one way of naming the slot is used. */
export const onlyOneSlot = [
  ({ slotId, startTime }: { slotId?: string | undefined; startTime?: string | undefined }) =>
    (slotId === undefined) !== (startTime === undefined),
  { path: ['slotId'], error: 'Give either slotId or startTime' },
] satisfies Parameters<z.ZodObject['refine']>;

/** What keeping a buffer must know: the provider, and taken slots of the days around, those of the appointment left out. */
export type Nearby = { readonly provider: Provider; readonly nearby?: readonly Span[] | undefined };

/** What booking must know of the provider and of the person booked for. */
export type BookingFacts = Nearby & {
  readonly beneficiaryExists: boolean;
  /** Time that the client's calendar has set aside. */
  readonly claims: readonly TimeClaim[];
};
/** Time set aside for an appointment in its client's calendar. */
export type TimeClaim = { readonly appointmentId: string; readonly startTime: string };

/** Refuses to take time that the client's calendar has not set aside: the state has changed since it was asked for. */
export const refuseUnclaimed = (claims: readonly TimeClaim[], wanted: TimeClaim): Rejection | undefined =>
  claims.some(
    ({ appointmentId, startTime }) => appointmentId === wanted.appointmentId && startTime === wanted.startTime,
  )
    ? undefined
    : reject('CONFLICT', 'contended', 'Too many others are changing this at the same moment; try again');

const SLOT_UNKNOWN = reject('NOT_FOUND', 'slot-unknown', 'No such slot', 'slotId');

/** Refuses a start that has passed. */
export const refusePast = (startTime: string, now: Date): Rejection | undefined =>
  startTime < now.toISOString()
    ? reject('VALIDATION_ERROR', 'in-the-past', 'The start lies in the past', 'startTime')
    : undefined;

/**
 * Whether a slot may be taken now: it exists, its provider is active, and its start is not over. Notice and horizon
 * bind clients alone.
 */
export const refuseSlot = (
  slot: Slot | undefined,
  provider: Provider,
  party: Party,
  now: Date,
): Rejection | undefined => {
  if (slot === undefined || provider.profile?.active !== true) return SLOT_UNKNOWN;
  const past = refusePast(slot.startTime, now);
  if (past !== undefined || party !== 'client') return past;
  const ahead = Date.parse(slot.startTime) - now.getTime();
  if (ahead < provider.minNoticeMinutes * MINUTE_MS)
    return reject('VALIDATION_ERROR', 'notice-too-short', 'The start is too close', 'startTime');
  if (ahead > provider.maxAdvanceDays * DAY_MS)
    return reject('VALIDATION_ERROR', 'beyond-horizon', 'The start is too far ahead', 'startTime');
  return undefined;
};

/** Refuses a slot that another appointment takes, or that is not offered. */
export const refuseTaken = (slot: Slot | undefined, appointmentId: string): Rejection | undefined => {
  if (slot?.heldBy !== undefined && slot.heldBy !== appointmentId)
    return reject('CONFLICT', 'slot-taken', 'The slot is taken', 'slotId');
  if (slot?.blocked) return reject('CONFLICT', 'slot-blocked', 'The slot is not offered', 'slotId');
  return slot?.closed
    ? reject('CONFLICT', 'slot-closed', 'The provider is not there at that time', 'slotId')
    : undefined;
};

/** Refuses a slot that is held for somebody else: for nobody of those who want to take it. */
export const refuseHeld = (
  slot: Slot | undefined,
  takers: readonly (string | undefined)[],
  now: Date,
): Rejection | undefined =>
  isLive(slot?.hold, now) && !takers.includes(slot?.hold?.accountId)
    ? reject('CONFLICT', 'slot-held', 'Somebody else is about to book the slot; it may be free again soon', 'slotId')
    : undefined;

const taken = ({ slots }: Schedule, appointmentId: string): readonly Span[] =>
  Object.values(slots).filter(({ heldBy }) => heldBy !== undefined && heldBy !== appointmentId);

/**
 * Refuses clients a slot that lies closer to another appointment of the provider than his buffer. `nearby` are the taken
 * slots of other days, which may be a moment old: a buffer across midnight is a wish, not a promise.
 */
export const refuseCrowded = (
  slot: Span,
  state: Schedule,
  { appointmentId, party, facts }: { readonly appointmentId: string; readonly party: Party; readonly facts: Nearby },
): Rejection | undefined => {
  const buffer = (facts.provider.bufferMinutes ?? 0) * MINUTE_MS;
  if (party !== 'client' || buffer === 0) return undefined;
  const [from, to] = [Date.parse(slot.startTime) - buffer, Date.parse(slot.endTime) + buffer];
  const others = [...taken(state, appointmentId), ...(facts.nearby ?? [])];
  return others.some(({ startTime, endTime }) => Date.parse(startTime) < to && from < Date.parse(endTime))
    ? reject('CONFLICT', 'buffer-needed', 'Too close to another appointment of the provider', 'slotId')
    : undefined;
};

const bookingParty = (actor: Actor, providerId: string, clientId: string): Party | Rejection => {
  if (clientId === providerId) return reject('FORBIDDEN', 'own-calendar', 'Nobody books an appointment with himself');
  if (actor.id === clientId) return 'client';
  if (can(actor, '*:*')) return 'admin';
  if (isProvider(actor, providerId)) return 'provider';
  return reject(
    'FORBIDDEN',
    'not-on-behalf',
    'Only a provider, in his own calendar, or an administrator books for others',
  );
};

export const bookingInput = z
  .object({
    ...slotChoice,
    providerId: uuid.optional().describe('With startTime; may be left out while one provider is active'),
    notes: lines(0, 1000).nullish(),
    timezone: timeZone.optional().describe('The zone that the client wants to read times in'),
    onBehalfOf: uuid.optional().describe('The client, when a provider or an administrator books'),
  })
  .refine(...onlyOneSlot);
export type BookingInput = z.output<typeof bookingInput>;

/** The id of the appointment that a booking makes: the same again when the command is repeated. */
const bookedAppointmentId = (slotId: string, newId: Context['newId']): string =>
  appointmentIdOf({ ...dayOfSlot(slotId), uuid: newId('appointment') });

const chosenSlot = ({ slots }: Schedule, slotId: string | undefined) =>
  slotId === undefined ? undefined : slots[slotId];

type Booking = Extract<ScheduleEvent, { type: 'AppointmentBooked' }>;

/**
 * Judges everything about a booking but whether the client's calendar has set the time aside; undefined when this very
 * command has booked already.
 */
export const judgeBooking = (
  input: BookingInput,
  state: Schedule,
  { actor, now, newId, facts }: Pick<Context<Omit<BookingFacts, 'claims'>>, 'actor' | 'now' | 'newId' | 'facts'>,
): Booking | Rejection | undefined => {
  const { slotId, onBehalfOf, startTime: wantedStart } = input;
  const past = wantedStart === undefined ? undefined : refusePast(wantedStart, now);
  if (past !== undefined) return past;
  const slot = chosenSlot(state, slotId);
  if (slotId === undefined || slot === undefined) return SLOT_UNKNOWN;
  const { provider } = facts;
  if (provider.profile?.active !== true) return SLOT_UNKNOWN;
  const { providerId } = dayOfSlot(slotId);
  const clientId = onBehalfOf ?? actor.id;
  const party = bookingParty(actor, providerId, clientId);
  if (typeof party !== 'string') return party;
  if (!facts.beneficiaryExists) return reject('NOT_FOUND', 'account-unknown', 'No such account', 'onBehalfOf');
  const appointmentId = bookedAppointmentId(slotId, newId);
  if (state.appointments[appointmentId] !== undefined) return undefined;
  const refusal =
    refuseSlot(slot, provider, party, now) ??
    refuseTaken(slot, appointmentId) ??
    refuseHeld(slot, [actor.id, clientId], now) ??
    refuseCrowded(slot, state, { appointmentId, party, facts });
  if (refusal !== undefined) return refusal;
  const { startTime, endTime } = slot;
  const data = {
    appointmentId,
    providerId,
    clientId,
    slotId,
    startTime,
    endTime,
    notes: input.notes || null,
    timezone: input.timezone ?? null,
    bookedBy: party,
    priceCents: provider.profile.priceCents,
    currency: provider.profile.currency,
  };
  return { type: 'AppointmentBooked', data };
};

/**
 * Books a free slot, for oneself or, as its provider or an administrator, for somebody else. The client's calendar has
 * set the time aside before, so that nobody has two appointments at once.
 */
export const bookAppointment = command(
  'BookAppointment',
  bookingInput,
  (input, state, context: Context<BookingFacts>) => {
    const booked = judgeBooking(input, state, context);
    if (booked === undefined) return [];
    if ('code' in booked) return booked;
    return refuseUnclaimed(context.facts.claims, booked.data) ?? [booked];
  },
);
