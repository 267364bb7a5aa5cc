export * from './availability.ts';
export { events, type ProviderEvent } from './events.ts';
export * from './exceptions.ts';
export * from './generation.ts';
export * from './profile.ts';
export {
  DEFAULT_ADVANCE_DAYS,
  DEFAULT_NOTICE_MINUTES,
  type Exception,
  hoursOn,
  isProvider,
  NO_PROFILE,
  type Provider,
  provider,
} from './state.ts';
