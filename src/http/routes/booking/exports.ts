import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { isOpen } from '../../../commands/identity/standing.ts';
import { isSecret } from '../../../commands/keyedHash.ts';
import type { KeyedHash } from '../../../commands/reads.ts';
import { publicUrlOf } from '../../../config.ts';
import {
  appointmentExport,
  type RequestedExport,
  requestAppointmentExport,
} from '../../../domain/booking/appointmentExport.ts';
import { isProvider } from '../../../domain/booking/provider/index.ts';
import { uuid } from '../../../domain/fields.ts';
import { appointmentFile, FILE_TYPES } from '../../../files/appointments.ts';
import { appointments } from '../../../projections/booking/appointments.ts';
import { providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { asFile, found } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import type { Presenter } from '../../commandRoutes.ts';
import { actorOf } from '../../request.ts';

/** Whoever has it may fetch the file. It says nothing of when: the export itself knows when it ends. */
const signatureOf = (hash: KeyedHash, exportId: string): string => hash('appointment-export', exportId);

/** Gives the caller the address of the file, which a command cannot know. */
export const exportPresenters: Readonly<Record<string, Presenter>> = {
  [requestAppointmentExport.name]: async (deps, { outcome }) => {
    const data = outcome.data as { readonly exportId: string };
    const { exportId } = data;
    const signature = signatureOf(deps.commands.reads.hash, exportId);
    const downloadUrl = `${publicUrlOf(deps.config)}/api/v1/provider/exports/${exportId}/file?signature=${signature}`;
    return { ...data, downloadUrl };
  },
};

const nameOf = ({ from, to, format }: RequestedExport): string => `appointments-${from}-${to}.${format}`;

/** Sends a file in pieces, as they are made. */
const sendFile = (reply: FastifyReply, pieces: AsyncIterable<Buffer>, wanted: RequestedExport) =>
  reply.headers(asFile(nameOf(wanted), FILE_TYPES[wanted.format])).send(Readable.from(pieces));

/** The files that providers have asked for. */
export const exportRoutes = (app: App, { db, commands: { reads } }: Deps): void => {
  app.get(
    '/provider/exports/:exportId/file',
    {
      config: { access: 'anyone', reads: [appointments, providerProfiles, accounts], refuses: [404] },
      schema: {
        summary: 'A file of appointments, by the address that was given out or for its provider',
        params: z.object({ exportId: uuid }),
        querystring: z.object({ signature: z.string().max(100).optional() }),
        response: {
          200: {
            description: 'The file',
            content: {
              'text/csv': { schema: z.string() },
              'application/pdf': { schema: z.string().meta({ format: 'binary' }) },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { exportId } = request.params;
      const { signature } = request.query;
      const { requested } = (await reads.load(appointmentExport, exportId)).state;
      const allowed =
        requested !== undefined &&
        reads.now().toISOString() < requested.expiresAt &&
        (signature === undefined
          ? request.caller !== undefined && isProvider(actorOf(request), requested.providerId)
          : isSecret(signature, signatureOf(reads.hash, exportId))) &&
        (await isOpen(reads, requested.providerId));
      const wanted = found(allowed ? requested : undefined, 'file');
      return sendFile(reply, appointmentFile(db, wanted), wanted);
    },
  );
};
