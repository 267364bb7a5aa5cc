import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/emailClaim.ts';
import { claimEmail, emailClaim, requestEmailVerification } from '../../../src/domain/identity/emailClaim.ts';
import { model, movesIn, named } from '../../support/model.ts';

const ACCOUNTS = ['ada', 'ben', 'cyd'].map(named);
const account = fc.constantFrom(...ACCOUNTS);
const MINUTE = 60_000;

type World = { owner?: string; asked?: number };
const on = movesIn<World>();

/** One address: reserved for one account at a time, and asked about every five minutes at most. */
export const emailClaimModel = model({
  decider: emailClaim,
  commands,
  world: (): World => ({}),
  waits: [MINUTE, 4 * MINUTE - 1, 5 * MINUTE - 1, 5 * MINUTE, 1],
  moves: {
    claim: on(fc.record({ accountId: account, insteadOf: fc.option(account, { nil: undefined }) }), (drawn, world) => ({
      command: claimEmail,
      input: drawn,
      twice: 'nothing',
      expect: () => {
        const { owner } = world;
        if (owner === drawn.accountId) return [];
        if (owner !== undefined && owner !== drawn.insteadOf) return 'email-taken';
        world.owner = drawn.accountId;
        return ['EmailClaimed'];
      },
    })),
    ask: on(fc.constant({ email: 'ada@example.org' }), (input, world, { now }) => ({
      command: requestEmailVerification,
      input,
      expect: () => {
        if (world.asked !== undefined && now.getTime() < world.asked + 5 * MINUTE) return 'asked-recently';
        world.asked = now.getTime();
        return [{ type: 'EmailVerificationAsked', data: { accountId: world.owner } }];
      },
    })),
  },
  seen: ({ owner }) => owner,
  expected: ({ owner }) => owner,
  always: (_state, _world, history) => {
    const asked = history.flatMap((event) => (event.type === 'EmailVerificationAsked' ? [event.data.askedAt] : []));
    asked.forEach((at, index) => {
      const before = asked[index - 1];
      if (before !== undefined)
        assert.ok(Date.parse(at) - Date.parse(before) >= 5 * MINUTE, 'mails keep their distance');
    });
  },
  refusals: ['email-taken', 'asked-recently'],
});
