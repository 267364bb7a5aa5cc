import { z } from 'zod';
import { DAY_MS, MINUTE_MS } from '../durations.ts';

/**
 * Ids that carry their route. A slot's id names provider, day and start; an appointment's id names the provider and day
 * that it was first booked on, and a UUID of its own. All are base64url of a whole number of three-byte groups, so no
 * two spellings stand for the same bytes.
 */
const SLOT = 1;
const APPOINTMENT = 2;
const ENTRY = 3;
const SLOT_BYTES = 24;
const APPOINTMENT_BYTES = 36;
const ENTRY_BYTES = 33;
/** The last day of the year 9999, the last that `YYYY-MM-DD` can name. */
const LAST_DAY = 2_932_896;

/** One day of one provider, in the provider's time zone: what a schedule's stream is about. */
export type DayRef = {
  readonly providerId: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
};
export type SlotRef = DayRef & {
  /** Where it was opened: ISO-8601 UTC with milliseconds. A slot may have been moved within its day since. */
  readonly startTime: string;
};
export type AppointmentRef = DayRef & { readonly uuid: string };

export type WaitingEntryRef = { readonly providerId: string; readonly uuid: string };

/** The id of the stream that holds a provider's day. */
export const scheduleId = ({ providerId, day }: DayRef): string => `${providerId}~${day}`;

const dayNumber = (day: string): number => Date.parse(`${day}T00:00:00Z`) / DAY_MS;
const dayName = (number: number): string => new Date(number * DAY_MS).toISOString().slice(0, 10);

const uuidOf = (bytes: Buffer): string => {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

const route = (kind: number, size: number, { providerId, day }: DayRef): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt8(kind, 0);
  bytes.write(providerId.replaceAll('-', ''), 1, 'hex');
  bytes.writeUIntBE(dayNumber(day), 17, 3);
  return bytes;
};

const bytesOf = (kind: number, size: number, id: string): Buffer | undefined => {
  if (id.length !== (size / 3) * 4 || !/^[A-Za-z0-9_-]+$/.test(id)) return undefined;
  const bytes = Buffer.from(id, 'base64url');
  return bytes.length === size && bytes.readUInt8(0) === kind ? bytes : undefined;
};

const decoded = (kind: number, size: number, id: string): Buffer | undefined => {
  const bytes = bytesOf(kind, size, id);
  return bytes !== undefined && bytes.readUIntBE(17, 3) <= LAST_DAY ? bytes : undefined;
};

/** The id that a slot of a provider's day has when it is opened to begin at an instant. It keeps it within that day. */
export const slotIdOf = ({ startTime, ...day }: SlotRef): string => {
  const bytes = route(SLOT, SLOT_BYTES, day);
  bytes.writeUInt32BE(Date.parse(startTime) / MINUTE_MS, 20);
  return bytes.toString('base64url');
};

/**
 * The id for a slot that is to be opened: that of its start, or, where a slot that was opened there and then moved within
 * the day bears it, the next that nobody bears.
 */
export const unusedSlotId = (borne: Readonly<Record<string, unknown>>, { startTime, ...day }: SlotRef): string => {
  const start = Date.parse(startTime);
  for (let number = 0; ; number += 1) {
    const id = slotIdOf({ ...day, startTime: new Date(start + number * MINUTE_MS).toISOString() });
    if (borne[id] === undefined) return id;
  }
};

/** What a slot's id says; undefined when it is none. */
export const slotRef = (id: string): SlotRef | undefined => {
  const bytes = decoded(SLOT, SLOT_BYTES, id);
  if (bytes === undefined) return undefined;
  const day = bytes.readUIntBE(17, 3);
  const start = bytes.readUInt32BE(20) * MINUTE_MS;
  // No zone is further than a day from UTC, so a start elsewhere belongs to another day's slot.
  if (Math.abs(Math.floor(start / DAY_MS) - day) > 1) return undefined;
  return {
    providerId: uuidOf(bytes.subarray(1, 17)),
    day: dayName(day),
    startTime: new Date(start).toISOString(),
  };
};

/** The id of an appointment first booked on a provider's day. */
export const appointmentIdOf = ({ uuid, ...day }: AppointmentRef): string => {
  const bytes = route(APPOINTMENT, APPOINTMENT_BYTES, day);
  bytes.write(uuid.replaceAll('-', ''), 20, 'hex');
  return bytes.toString('base64url');
};

/** What an appointment's id says; undefined when it is none. */
export const appointmentRef = (id: string): AppointmentRef | undefined => {
  const bytes = decoded(APPOINTMENT, APPOINTMENT_BYTES, id);
  return (
    bytes && {
      providerId: uuidOf(bytes.subarray(1, 17)),
      day: dayName(bytes.readUIntBE(17, 3)),
      uuid: uuidOf(bytes.subarray(20, 36)),
    }
  );
};

/** The id of somebody's entry in the waiting list of a provider: it names the provider and a UUID of its own. */
export const waitingEntryIdOf = ({ providerId, uuid }: WaitingEntryRef): string => {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes.writeUInt8(ENTRY, 0);
  bytes.write(providerId.replaceAll('-', ''), 1, 'hex');
  bytes.write(uuid.replaceAll('-', ''), 17, 'hex');
  return bytes.toString('base64url');
};

/** What the id of an entry in a waiting list says; undefined when it is none. */
export const waitingEntryRef = (id: string): WaitingEntryRef | undefined => {
  const bytes = bytesOf(ENTRY, ENTRY_BYTES, id);
  return bytes && { providerId: uuidOf(bytes.subarray(1, 17)), uuid: uuidOf(bytes.subarray(17, 33)) };
};

/** The day whose stream holds a slot. Throws on what is no slot id: call it on parsed input and stored facts. */
export const dayOfSlot = (slotId: string): SlotRef => {
  const ref = slotRef(slotId);
  if (ref === undefined) throw new TypeError('Not the id of a slot');
  return ref;
};

/** The day whose stream holds an appointment. Throws on what is no appointment id. */
export const dayOfAppointment = (appointmentId: string): AppointmentRef => {
  const ref = appointmentRef(appointmentId);
  if (ref === undefined) throw new TypeError('Not the id of an appointment');
  return ref;
};

/** Whether a slot lies on the day whose stream holds the appointment. */
export const isHome = (slotId: string, appointmentId: string): boolean =>
  scheduleId(dayOfSlot(slotId)) === scheduleId(dayOfAppointment(appointmentId));

/** A provider's morning, for the API document. */
const EXAMPLE = { providerId: '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b', day: '2026-03-02' } as const;

/** The id of a slot, as input. */
export const slotIdField = z
  .string()
  .trim()
  .refine((id) => slotRef(id) !== undefined, 'Must be the id of a slot')
  .describe('Opaque id of a slot')
  .meta({ examples: [slotIdOf({ ...EXAMPLE, startTime: '2026-03-02T09:00:00.000Z' })] });

/** The id of an appointment, as input. */
export const appointmentIdField = z
  .string()
  .trim()
  .refine((id) => appointmentRef(id) !== undefined, 'Must be the id of an appointment')
  .describe('Opaque id of an appointment')
  .meta({ examples: [appointmentIdOf({ ...EXAMPLE, uuid: '018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01' })] });

/** The id of an entry in a waiting list, as input. */
export const waitingEntryIdField = z
  .string()
  .trim()
  .refine((id) => waitingEntryRef(id) !== undefined, 'Must be the id of an entry in a waiting list')
  .describe('Opaque id of an entry in a waiting list')
  .meta({ examples: [waitingEntryIdOf({ ...EXAMPLE, uuid: '018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01' })] });
