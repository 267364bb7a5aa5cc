export { setAvailability } from './availability.ts';
export { events, type ProviderEvent } from './events.ts';
export { completeSlotGeneration, generateTimeSlots, planGeneration, resumeSlotGeneration } from './generation.ts';
export { createProviderProfile, type ProfileFields, presented, updateProviderProfile } from './profile.ts';
export {
  DEFAULT_ADVANCE_DAYS,
  DEFAULT_NOTICE_MINUTES,
  isProvider,
  type Provider,
  provider,
} from './state.ts';
