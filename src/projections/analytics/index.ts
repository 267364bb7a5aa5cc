import { appointmentFigures } from './appointmentFigures.ts';
import { storyFigures } from './storyFigures.ts';

/** The read models that figures are made of. */
export const analyticsProjections = [appointmentFigures, storyFigures] as const;
