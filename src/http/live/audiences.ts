import type { AudienceOf } from './audience.ts';
import { sessionAudience } from './sessionAudience.ts';

/** Everything that follows who listens to which topic. */
export const audiences: readonly AudienceOf[] = [sessionAudience];
