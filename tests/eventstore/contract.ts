import type { Test } from 'tap';
import { appending } from './contract/appending.ts';
import { racing } from './contract/racing.ts';
import { reading } from './contract/reading.ts';
import { refusing } from './contract/refusing.ts';
import type { Open } from './contract/subject.ts';
import { subscribing } from './contract/subscribing.ts';

export type { Open } from './contract/subject.ts';

/**
 * Pins every promise of the event-store port; each adapter runs it. `open` is called for each test and may give the
 * same log every time: names, types and ids are unique to a test. Nothing else may append meanwhile.
 */
export const contract = (t: Test, open: Open): void => {
  appending(t, open);
  refusing(t, open);
  reading(t, open);
  subscribing(t, open);
  racing(t, open);
};
