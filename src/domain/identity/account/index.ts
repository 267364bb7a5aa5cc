export { type AccountEvent, events } from './events.ts';
export * from './locking.ts';
export * from './registration.ts';
export { type Account, account, isVerified } from './state.ts';
export * from './verification.ts';
