import { randomUUID } from 'node:crypto';

/** An event of the size that a booking has in the log, its notes sealed, before it is made text. */
export type Sample = {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
};

const SEALED = 'kX3v0m6Q1sT9aZ4bWc8eYf2gUh7iOj5kPlRnMqStVuXwYzA1B2C3D4E5F6G7H8I9J0KaLbMcNd=';

/** A fresh one: ids differ each time, the size never does. */
export const sample = (): Sample => {
  const [account, command] = [randomUUID(), randomUUID()];
  return {
    id: randomUUID(),
    type: 'AppointmentBooked',
    data: {
      appointmentId: `Ap${command.replaceAll('-', '')}AAAAAAAAAAAAAA`,
      providerId: account,
      clientId: account,
      slotId: 'AQGQobLD1H5fimt8jZ4fGisAUB4Bx3Yo',
      startTime: '2026-03-02T09:00:00.000Z',
      endTime: '2026-03-02T09:30:00.000Z',
      notes: { $pii: [account, SEALED] },
      timezone: 'Europe/Luxembourg',
      bookedBy: 'client',
      priceCents: 4500,
      currency: 'EUR',
    },
    metadata: {
      schemaVersion: 1,
      commandId: command,
      command: 'BookAppointment',
      correlationId: command,
      actor: { id: account, kind: 'user' },
      sessionId: account,
    },
  };
};
