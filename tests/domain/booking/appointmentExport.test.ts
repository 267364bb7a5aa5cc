import t from 'tap';
import {
  type AppointmentExportEvent,
  appointmentExport,
  completeAppointmentExport,
  requestAppointmentExport,
} from '../../../src/domain/booking/appointmentExport.ts';
import { id, newId, now, spec, user } from '../../support/spec.ts';

const given = spec(appointmentExport);
const pia = user(id('pia'), 'export:appointments');
const exportId = newId('export');
const wish = { format: 'csv', from: '2026-03-01', to: '2026-03-31' } as const;
const zone = { timezone: 'Europe/Luxembourg' };
const facts = { ...zone, rows: 5_001 };
const expiresAt = new Date(now.getTime() + 86_400_000).toISOString();
const requested: AppointmentExportEvent = {
  type: 'AppointmentExportRequested',
  data: { ...wish, ...zone, exportId, providerId: pia.id, at: now.toISOString(), expiresAt },
};

t.test('asking for a file', async (t) => {
  t.test('notes what is wanted, in the zone of the provider, for a day', async () => {
    given().when(requestAppointmentExport, wish, pia, facts).then(requested);
  });
  t.test('is for those who give appointments', async () => {
    given().when(requestAppointmentExport, wish, pia, { timezone: undefined, rows: 0 }).rejected('no-provider-profile');
  });
  t.test('prints no more than a pile', async () => {
    const printed = { ...wish, format: 'pdf' } as const;
    given().when(requestAppointmentExport, printed, pia, facts).rejected('too-many-to-print', 'format');
    given()
      .when(requestAppointmentExport, printed, pia, { ...facts, rows: 5_000 })
      .then({ ...requested, data: { ...requested.data, format: 'pdf' } } as AppointmentExportEvent);
  });
  t.test('spans 366 days at most, forwards', async () => {
    const year = { ...wish, from: '2026-01-01', to: '2027-01-02' };
    given()
      .when(requestAppointmentExport, year, pia, facts)
      .then({ ...requested, data: { ...requested.data, ...year } } as AppointmentExportEvent);
    for (const to of ['2027-01-03', '2025-12-31'])
      given()
        .when(requestAppointmentExport, { ...year, to }, pia, facts)
        .rejected('input-invalid', 'to');
    given()
      .when(requestAppointmentExport, { ...wish, format: 'xml' as never }, pia, facts)
      .rejected('input-invalid', 'format');
  });
});

t.test('the size of a file', async (t) => {
  const size = { exportId, rows: 3, fileSize: 512 };
  const completed: AppointmentExportEvent = { type: 'AppointmentExportCompleted', data: { ...size, expiresAt } };
  t.test('is noted once', async () => {
    given(requested).when(completeAppointmentExport, size).then(completed);
    given(requested, completed)
      .when(completeAppointmentExport, { ...size, rows: 4 })
      .nothing();
  });
  t.test('belongs to a file that was asked for', async () => {
    given().when(completeAppointmentExport, size).rejected('export-unknown');
  });
});
