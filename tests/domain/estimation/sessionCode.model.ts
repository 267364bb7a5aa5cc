import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/estimation/sessionCode.ts';
import { freeSessionCode, sessionCode, takeSessionCode } from '../../../src/domain/estimation/sessionCode.ts';
import { model, movesIn, named } from '../../support/model.ts';

const code = 'ABC234';
const session = fc.constantFrom(...['alpha', 'beta', 'gamma'].map(named));

type World = { holder?: string | undefined };
const on = movesIn<World>();

/** One code: it leads to one session at a time, and only its session gives it back. */
export const sessionCodeModel = model({
  decider: sessionCode,
  commands,
  world: (): World => ({}),
  moves: {
    take: on(fc.record({ sessionId: session, abandoned: fc.option(session, { nil: undefined }) }), (drawn, world) => ({
      command: takeSessionCode,
      input: { code, ...drawn },
      twice: 'nothing',
      expect: () => {
        const { holder } = world;
        if (holder === drawn.sessionId) return [];
        if (holder !== undefined && holder !== drawn.abandoned) return 'code-taken';
        world.holder = drawn.sessionId;
        return ['SessionCodeTaken'];
      },
    })),
    free: on(session, (sessionId, world) => ({
      command: freeSessionCode,
      input: { code, sessionId },
      twice: 'nothing',
      expect: () => {
        if (world.holder !== sessionId) return [];
        world.holder = undefined;
        return ['SessionCodeFreed'];
      },
    })),
  },
  seen: (state) => state?.sessionId,
  expected: ({ holder }) => holder,
  always: (_state, _world, history) =>
    history.forEach((event, index) => {
      const before = history[index - 1];
      if (event.type === 'SessionCodeFreed')
        assert.equal(before?.data.sessionId, event.data.sessionId, 'a code is given back by the session that holds it');
    }),
  refusals: ['code-taken'],
});
