import { instant, integer, nullable, projection, type RowOf, text, uuid, word } from '../projection.ts';

const columns = {
  appointment_id: text,
  provider_id: uuid,
  client_id: uuid,
  booked_at: instant,
  /** The start that was booked first: moves do not change the lead time. */
  first_start_time: instant,
  start_time: instant,
  status: word<'SCHEDULED' | 'COMPLETED' | 'CANCELLED'>(),
  outcome: nullable(word<'attended' | 'no_show'>()),
  /** In force when it was booked. */
  price_cents: nullable(integer),
  currency: nullable(text),
};
export type AppointmentFigures = RowOf<typeof columns>;

/** What figures need of every appointment: ids, times and prices, nothing about persons. */
export const appointmentFigures = projection({
  name: 'appointment_figures',
  version: 1,
  columns,
  key: { column: 'appointment_id', of: ({ data }) => data.appointmentId },
  indexes: [['start_time'], ['provider_id', 'start_time']],
  fold: {
    AppointmentBooked: (_row, { data, recordedAt }): AppointmentFigures => ({
      appointment_id: data.appointmentId,
      provider_id: data.providerId,
      client_id: data.clientId,
      booked_at: recordedAt,
      first_start_time: data.startTime,
      start_time: data.startTime,
      status: 'SCHEDULED',
      outcome: null,
      price_cents: data.priceCents ?? null,
      currency: data.currency ?? null,
    }),
    AppointmentRescheduled: (row, { data }) => row && { ...row, start_time: data.startTime },
    AppointmentCancelled: (row): AppointmentFigures | undefined => row && { ...row, status: 'CANCELLED' },
    AppointmentCompleted: (row, { data }): AppointmentFigures | undefined =>
      row && { ...row, status: 'COMPLETED', outcome: data.outcome },
  },
});
