import fc from 'fast-check';
import * as commands from '../../../src/domain/booking/calendarFeed.ts';
import { calendarFeed, closeCalendarFeed, openCalendarFeed } from '../../../src/domain/booking/calendarFeed.ts';
import { model, movesIn, person } from '../../support/model.ts';

const ada = person('ada');

type World = { secretHash?: string | undefined };
const on = movesIn<World>();

/** The address of one account's appointments, made anew and taken back at will. */
export const calendarFeedModel = model({
  decider: calendarFeed,
  commands,
  world: (): World => ({}),
  waits: [0, 60_000],
  moves: {
    open: on(fc.constantFrom('a', 'b', 'c'), (letter, world, { now }) => ({
      command: openCalendarFeed,
      input: {},
      actor: ada,
      facts: { secretHash: letter.repeat(64) },
      expect: () => {
        world.secretHash = letter.repeat(64);
        const data = { accountId: ada.id, secretHash: world.secretHash, at: now.toISOString() };
        return [{ type: 'CalendarFeedOpened', data }];
      },
    })),
    close: on(fc.constant(null), (_args, world) => ({
      command: closeCalendarFeed,
      input: {},
      actor: ada,
      twice: 'nothing',
      expect: () => {
        if (world.secretHash === undefined) return [];
        world.secretHash = undefined;
        return [{ type: 'CalendarFeedClosed', data: { accountId: ada.id } }];
      },
    })),
  },
  seen: ({ open }) => open?.secretHash,
  expected: ({ secretHash }) => secretHash,
  refusals: [],
});
