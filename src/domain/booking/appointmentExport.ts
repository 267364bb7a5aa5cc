import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { DAY_MS } from '../durations.ts';
import { isoDate, uuid } from '../fields.ts';

/** What kinds of file appointments can be handed out as. */
export const EXPORT_FORMATS = ['csv', 'pdf'] as const;
const STATUS = ['SCHEDULED', 'COMPLETED', 'CANCELLED'] as const;

/** Which appointments a file holds: those that begin on these dates of the provider's zone, both included. */
const wish = {
  format: z.enum(EXPORT_FORMATS),
  from: isoDate,
  to: isoDate,
  status: z.enum(STATUS).optional(),
};

const Requested = z.object({
  exportId: z.string(),
  providerId: z.string(),
  format: z.enum(EXPORT_FORMATS),
  from: z.string(),
  to: z.string(),
  status: z.enum(STATUS).optional(),
  timezone: z.string().describe('The zone of the dates'),
  at: z.string(),
  expiresAt: z.string().describe('From then on there is no file any more'),
});

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AppointmentExportRequested: Requested,
  AppointmentExportCompleted: z.object({
    exportId: z.string(),
    rows: z.int(),
    fileSize: z.int().describe('Bytes'),
    expiresAt: z.string(),
  }),
};
export type AppointmentExportEvent = EventOf<typeof events>;

/** What was asked for. */
export type RequestedExport = z.output<typeof Requested>;
/** Which appointments those are. */
export type ExportedSpan = Pick<RequestedExport, 'providerId' | 'from' | 'to' | 'timezone'> & {
  readonly status?: RequestedExport['status'] | undefined;
};
/** One file, and its size once it has been made for the first time. */
export type AppointmentExport = {
  readonly requested?: RequestedExport;
  readonly completed?: { readonly rows: number; readonly fileSize: number };
};

/** Milliseconds that a file can be had. */
export const EXPORT_LIFE = DAY_MS;
const MOST_DAYS = 366;
/** Appointments on paper at most: a pile that nobody hands out, and seconds of work. */
export const MOST_PRINTED = 5_000;

/**
 * One file of appointments. Nothing of its content is kept: it is made anew whenever it is fetched, so that it never
 * shows a person who has been erased since.
 */
export const appointmentExport = decider<AppointmentExport, AppointmentExportEvent>({
  category: 'appointmentExport',
  events,
  initial: {},
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'AppointmentExportRequested':
        return { ...state, requested: data };
      case 'AppointmentExportCompleted': {
        const { rows, fileSize } = data;
        return { ...state, completed: { rows, fileSize } };
      }
    }
  },
});
const command = commandsOf(appointmentExport);

/** The zone of the provider who asks, undefined when he is none, and how many appointments the file would have. */
export type ExportFacts = { readonly timezone: string | undefined; readonly rows: number };

/** Asks for a file of the own appointments. */
export const requestAppointmentExport = command(
  'RequestAppointmentExport',
  z.object(wish).check(({ value: { from, to }, issues }) => {
    const refuse = (message: string) => issues.push({ code: 'custom', input: to, path: ['to'], message });
    const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
    if (days < 0) refuse('Must not lie before from');
    else if (days > MOST_DAYS) refuse(`Must lie at most ${MOST_DAYS} days after from`);
  }),
  (
    { status, ...input },
    _state,
    {
      actor,
      now,
      newId,
      facts,
    }: { actor: { id: string }; now: Date; newId(label: string): string; facts: ExportFacts },
  ) => {
    const { timezone, rows } = facts;
    if (timezone === undefined) return reject('FORBIDDEN', 'no-provider-profile', 'This account gives no appointments');
    if (input.format === 'pdf' && rows > MOST_PRINTED)
      return reject(
        'VALIDATION_ERROR',
        'too-many-to-print',
        `At most ${MOST_PRINTED} appointments are printed; ask for fewer days, or for csv`,
        'format',
      );
    const data = {
      ...input,
      ...(status === undefined ? {} : { status }),
      exportId: newId('export'),
      providerId: actor.id,
      timezone,
      at: now.toISOString(),
      expiresAt: new Date(now.getTime() + EXPORT_LIFE).toISOString(),
    };
    return [{ type: 'AppointmentExportRequested', data }];
  },
);

/** Notes what the file came to when it was made for the first time. */
export const completeAppointmentExport = command(
  'CompleteAppointmentExport',
  z.object({ exportId: uuid, rows: z.int().min(0), fileSize: z.int().min(0) }),
  (input, { requested, completed }) => {
    if (requested === undefined) return reject('NOT_FOUND', 'export-unknown', 'There is no such export');
    if (completed !== undefined) return [];
    return [{ type: 'AppointmentExportCompleted', data: { ...input, expiresAt: requested.expiresAt } }];
  },
);
