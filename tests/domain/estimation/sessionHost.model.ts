import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/estimation/sessionHost.ts';
import { freeSessionPlace, sessionHost, takeSessionPlace } from '../../../src/domain/estimation/sessionHost.ts';
import { model, movesIn, named } from '../../support/model.ts';

const accountId = named('fay');
const SESSIONS = Array.from({ length: 26 }, (_, index) => named(`session ${index}`));
const session = fc.constantFrom(...SESSIONS);

type World = Set<string>;
const on = movesIn<World>();

/** One creator: a place for each open session, twenty at most. */
export const sessionHostModel = model({
  decider: sessionHost,
  commands,
  world: (): World => new Set(),
  length: 90,
  moves: {
    take: on(
      fc.record({
        sessionId: session,
        gone: fc.oneof({ weight: 6, arbitrary: fc.constant<string[]>([]) }, fc.uniqueArray(session, { maxLength: 3 })),
      }),
      ({ sessionId, gone }, open) => ({
        command: takeSessionPlace,
        input: { accountId, sessionId, code: 'ABC234', gone },
        twice: 'nothing',
        expect: () => {
          if (open.has(sessionId)) return [];
          const over = gone.filter((one) => open.has(one));
          if (open.size - over.length >= 20) return 'too-many-sessions';
          for (const one of over) open.delete(one);
          open.add(sessionId);
          return [...over.map((one) => ({ type: 'SessionPlaceFreed', data: { sessionId: one } })), 'SessionPlaceTaken'];
        },
      }),
      8,
    ),
    free: on(session, (sessionId, open) => ({
      command: freeSessionPlace,
      input: { accountId, sessionId },
      twice: 'nothing',
      expect: () => (open.delete(sessionId) ? ['SessionPlaceFreed'] : []),
    })),
  },
  seen: ({ open }) => Object.keys(open).sort(),
  expected: (open) => [...open].sort(),
  always: ({ open }) => assert.ok(Object.keys(open).length <= 20, 'twenty at most'),
  refusals: ['too-many-sessions'],
});
