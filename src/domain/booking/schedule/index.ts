export * from './booking.ts';
export { events, Party, type ScheduleEvent } from './events.ts';
export * from './holding.ts';
export * from './hours.ts';
export * from './lifecycle.ts';
export * from './moving.ts';
export * from './offering.ts';
export * from './slots.ts';
export { type Appointment, type Hold, isLive, type Schedule, schedule, slotTakenBy, timeOf } from './state.ts';
