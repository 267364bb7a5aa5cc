export * from './booking.ts';
export { appointmentHistory, events, Party, type ScheduleEvent } from './events.ts';
export * from './lifecycle.ts';
export { judgeMove, type MovingFacts, type MovingInput, rescheduleAppointment } from './moving.ts';
export * from './slots.ts';
export { type Appointment, type Schedule, type Slot, schedule, slotTakenBy, timeOf } from './state.ts';
