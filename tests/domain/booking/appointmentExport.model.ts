import fc from 'fast-check';
import * as commands from '../../../src/domain/booking/appointmentExport.ts';
import {
  appointmentExport,
  completeAppointmentExport,
  EXPORT_FORMATS,
  requestAppointmentExport,
} from '../../../src/domain/booking/appointmentExport.ts';
import { model, movesIn, named, person } from '../../support/model.ts';

const DAY = 86_400_000;
const exportId = named('export');
const pia = person('pia', 'export:appointments');
type World = { until?: string; rows?: number };
const on = movesIn<World>();

/** One file: it is asked for, and its size is told once. */
export const appointmentExportModel = model({
  decider: appointmentExport,
  commands,
  world: (): World => ({}),
  first: 'request',
  length: 6,
  moves: {
    request: on(
      fc.record({
        format: fc.constantFrom(...EXPORT_FORMATS),
        known: fc.boolean(),
        rows: fc.constantFrom(0, 5_000, 5_001),
      }),
      ({ format, known, rows }, world, { now }) =>
        world.until === undefined
          ? {
              command: requestAppointmentExport,
              input: { format, from: '2026-03-01', to: '2026-03-31' },
              actor: pia,
              facts: { timezone: known ? 'Europe/Luxembourg' : undefined, rows },
              expect: () => {
                if (!known) return 'no-provider-profile';
                if (format === 'pdf' && rows > 5_000) return 'too-many-to-print';
                world.until = new Date(now.getTime() + DAY).toISOString();
                return [
                  { type: 'AppointmentExportRequested', data: { format, providerId: pia.id, expiresAt: world.until } },
                ];
              },
            }
          : undefined,
    ),
    complete: on(fc.nat(5), (rows, world) => ({
      command: completeAppointmentExport,
      input: { exportId, rows, fileSize: rows * 100 },
      twice: 'nothing',
      expect: () => {
        if (world.until === undefined) return 'export-unknown';
        if (world.rows !== undefined) return [];
        world.rows = rows;
        return [{ type: 'AppointmentExportCompleted', data: { rows, expiresAt: world.until } }];
      },
    })),
  },
  seen: ({ requested, completed }) => ({ until: requested?.expiresAt, rows: completed?.rows }),
  expected: ({ until, rows }) => ({ until, rows }),
  refusals: ['no-provider-profile', 'too-many-to-print', 'export-unknown'],
});
