import { type Person, personOf } from '../../../commands/identity/person.ts';
import type { Occurrence, Reads } from '../../../commands/reads.ts';
import { dayOfAppointment, scheduleId } from '../../../domain/booking/ids.ts';
import { type ProviderEvent, provider } from '../../../domain/booking/provider/index.ts';
import { type Party, type ScheduleEvent, schedule } from '../../../domain/booking/schedule/index.ts';
import { ERASED } from '../../../domain/decider.ts';
import { account } from '../../../domain/identity/account/index.ts';

/** What is left of somebody's name. */
const NOBODY = 'deleted user';

/** A personal text that may have been erased. */
const readable = (text: string | null): string | null => (text === ERASED ? null : text);

/** An appointment as the log tells it up to some moment, notes included. */
export type Chapter = {
  readonly clientId: string;
  readonly providerId: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly status: 'SCHEDULED' | 'COMPLETED' | 'CANCELLED';
  readonly notes: string | null;
  /** The zone that the client wants to read times in. */
  readonly timezone: string | null;
  readonly version: number;
  readonly changedAt: string;
  readonly cancellation?: { readonly by: Party; readonly reason: string | null };
};

const next = (chapter: Chapter | undefined, event: ScheduleEvent, changedAt: string): Chapter | undefined => {
  const { type, data } = event;
  if (type === 'AppointmentBooked') {
    const { clientId, providerId, startTime, endTime, timezone } = data;
    const notes = readable(data.notes);
    return { clientId, providerId, startTime, endTime, timezone, notes, status: 'SCHEDULED', version: 0, changedAt };
  }
  if (chapter === undefined) return undefined;
  const changed = { ...chapter, version: chapter.version + 1, changedAt };
  switch (type) {
    case 'AppointmentRescheduled':
      return { ...changed, startTime: data.startTime, endTime: data.endTime };
    case 'AppointmentNotesUpdated':
      return { ...changed, notes: readable(data.notes) };
    case 'AppointmentCancelled':
      return { ...changed, status: 'CANCELLED', cancellation: { by: data.by, reason: readable(data.reason) } };
    case 'AppointmentCompleted':
      return { ...changed, status: 'COMPLETED' };
    default:
      return chapter;
  }
};

/** An appointment now, and before and after what one command did to it. */
export type Story = {
  readonly now: Chapter;
  readonly before: Chapter | undefined;
  readonly after: Chapter | undefined;
};

/** What the log tells of an appointment; undefined when there is none. */
export const storyOf = async (
  reads: Pick<Reads, 'history'>,
  appointmentId: string,
  commandId?: string,
): Promise<Story | undefined> => {
  const history = await reads.history(schedule, scheduleId(dayOfAppointment(appointmentId)));
  let now: Chapter | undefined;
  let before: Chapter | undefined;
  let after: Chapter | undefined;
  for (const event of history) {
    if (!('appointmentId' in event.data) || event.data.appointmentId !== appointmentId) continue;
    const own = commandId !== undefined && event.metadata.commandId === commandId;
    if (own && after === undefined) before = now;
    now = next(now, event, event.recordedAt);
    if (own) after = now;
  }
  return now && { now, before, after };
};

/** Who gives the appointment and where. */
export type Host = {
  readonly name: string;
  readonly timezone: string;
  readonly meetingLink: string | null;
  readonly location: string | null;
  readonly changedAt: string;
};

const hostAfter = (
  host: Host | undefined,
  { type, data, recordedAt }: ProviderEvent & Pick<Occurrence, 'recordedAt'>,
): Host | undefined => {
  switch (type) {
    case 'ProviderProfileCreated':
    case 'ProviderProfileUpdated':
      return {
        name: readable(data.displayName) ?? NOBODY,
        timezone: data.timezone,
        meetingLink: readable(data.meetingLink),
        location: readable(data.location),
        changedAt: recordedAt,
      };
    case 'AvailabilitySet':
      return host && { ...host, timezone: data.timezone };
    default:
      return host;
  }
};

/** A provider now, and before and after what one command did to his profile. */
export const hostOf = async (reads: Pick<Reads, 'history'>, providerId: string, commandId?: string) => {
  let now: Host | undefined;
  let before: Host | undefined;
  let after: Host | undefined;
  for (const event of (await reads.history(provider, providerId)) as readonly (ProviderEvent & Occurrence)[]) {
    const own = commandId !== undefined && event.metadata.commandId === commandId;
    if (own && after === undefined) before = now;
    now = hostAfter(now, event);
    if (own) after = now;
  }
  return now && { now, before, after };
};

/** The person behind an account, as far as there is one. */
export const personBehind = async (reads: Pick<Reads, 'history'>, accountId: string): Promise<Person | undefined> =>
  personOf(await reads.history(account, accountId));

/** Their name, whatever became of them. */
export const nameOf = (person: Person | undefined): string => person?.displayName ?? NOBODY;
