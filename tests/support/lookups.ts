import type { Lookups } from '../../src/commands/binding.ts';

/** Read models in which there is nothing. */
export const noLookups: Lookups = {
  activeProviders: async () => [],
  livingSessions: async () => [],
  countLivingSessions: async () => 0,
  isAssigned: async () => false,
};
