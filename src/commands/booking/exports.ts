import { z } from 'zod';
import {
  appointmentExport,
  completeAppointmentExport,
  type ExportFacts,
  requestAppointmentExport,
} from '../../domain/booking/appointmentExport.ts';
import { provider } from '../../domain/booking/provider/index.ts';
import { bind, internal, type Outcome, type Run } from '../binding.ts';
import { latest } from '../outcomes.ts';

const request = async ({
  newId,
  reads,
  step,
  judge,
}: Run<z.output<typeof requestAppointmentExport.input>, ExportFacts>): Promise<Outcome> => {
  const exportId = newId('export');
  const outcome = await judge();
  if (!outcome.ok) return outcome;
  const { requested, completed } = (await reads.load(appointmentExport, exportId)).state;
  if (requested === undefined) throw new TypeError('An export was accepted and is not there');
  const size = completed ?? (await reads.lookups.measureExport(requested));
  const noted = completed ? [] : [await step(completeAppointmentExport, exportId, { exportId, ...size })];
  const { expiresAt } = requested;
  const told = latest(outcome, ...noted);
  return told.ok ? { ...told, data: { exportId, expiresAt, ...size } } : told;
};

/** Files of appointments. */
export const exportBindings = [
  bind(requestAppointmentExport, {
    path: 'POST /provider/exports',
    access: 'export:appointments',
    exports: 'booking',
    status: 201,
    summary: 'A file of your appointments, to be had for 24 hours',
    example: { format: 'csv', from: '2027-03-01', to: '2027-03-31' },
    stream: (_input, { newId }) => newId('export'),
    version: () => undefined,
    facts: async (input, reads, { actor }) => {
      const { timezone } = (await reads.load(provider, actor.id)).state.profile ?? {};
      if (timezone === undefined) return { timezone, rows: 0 };
      return { timezone, rows: await reads.lookups.countExport({ ...input, providerId: actor.id, timezone }) };
    },
    process: request,
    answer: {
      schema: z.object({
        exportId: z.string(),
        downloadUrl: z.string().describe('Good for whoever knows it, until it expires'),
        expiresAt: z.string(),
        rows: z.int(),
        fileSize: z.int().describe('Bytes, as it would be now: the file is made anew whenever it is fetched'),
      }),
    },
  }),
  internal(completeAppointmentExport, ({ exportId }) => exportId),
];
