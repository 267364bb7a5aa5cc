import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/emailClaim.ts';
import {
  claimEmail,
  emailClaim,
  releaseEmail,
  requestEmailVerification,
  requestPasswordReset,
} from '../../../src/domain/identity/emailClaim.ts';
import { model, movesIn, named } from '../../support/model.ts';

const ACCOUNTS = ['ada', 'ben', 'cyd'].map(named);
const account = fc.constantFrom(...ACCOUNTS);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Claim = { readonly accountId: string; readonly claimedAt: string };
type World = { claim?: Claim | undefined; readonly former: Claim[]; asked?: number; readonly resets: number[] };
const on = movesIn<World>();

/** Which of the claims that have been, the newest being 0; none at all. */
const which = fc.option(fc.nat(5), { nil: undefined });

/** One address: reserved for one account at a time, and asked about every five minutes, or three times an hour, at most. */
export const emailClaimModel = model({
  decider: emailClaim,
  commands,
  world: (): World => ({ former: [], resets: [] }),
  waits: [0, MINUTE, 10 * MINUTE],
  moments: ({ asked = 0, resets }) =>
    [asked, ...resets.map((at) => at + 55 * MINUTE)].flatMap((at) => [at + 5 * MINUTE - 1, at + 5 * MINUTE]),
  moves: {
    claim: on(
      fc.record({ accountId: account, anew: fc.boolean(), which, told: fc.boolean() }),
      ({ accountId, anew, which, told }, world, { now }) => {
        const looked = which === undefined ? undefined : world.former.at(-1 - which);
        return {
          command: claimEmail,
          input: {
            accountId,
            anew,
            ...(looked === undefined ? {} : { insteadOf: looked.accountId }),
            ...(looked === undefined || !told ? {} : { since: looked.claimedAt }),
          },
          ...(anew ? {} : { twice: 'nothing' as const }),
          expect: () => {
            const { claim } = world;
            if (claim?.accountId === accountId && !anew) return [];
            const passedOver =
              looked?.accountId === claim?.accountId && (!told || looked?.claimedAt === claim?.claimedAt);
            if (claim !== undefined && claim.accountId !== accountId && !passedOver) return 'email-taken';
            world.claim = { accountId, claimedAt: now.toISOString() };
            world.former.push(world.claim);
            return [{ type: 'EmailClaimed', data: world.claim }];
          },
        };
      },
      2,
    ),
    release: on(fc.record({ accountId: account, which }), ({ accountId, which }, world) => {
      const lapsed = which === undefined ? undefined : world.former.at(-1 - which)?.claimedAt;
      return {
        command: releaseEmail,
        input: { accountId, emailHash: 'hash' },
        facts: { lapsed },
        twice: 'nothing',
        expect: () => {
          if (world.claim?.accountId !== accountId || world.claim.claimedAt !== lapsed) return [];
          world.claim = undefined;
          return ['EmailReleased'];
        },
      };
    }),
    ask: on(fc.constant({ email: 'ada@example.org' }), (input, world, { now }) => ({
      command: requestEmailVerification,
      input,
      expect: () => {
        if (world.asked !== undefined && now.getTime() < world.asked + 5 * MINUTE) return 'asked-recently';
        world.asked = now.getTime();
        return [{ type: 'EmailVerificationAsked', data: { accountId: world.claim?.accountId } }];
      },
    })),
    reset: on(
      fc.constant({ email: 'ada@example.org' }),
      (input, world, { now }) => ({
        command: requestPasswordReset,
        input,
        expect: () => {
          if (world.resets.filter((at) => now.getTime() < at + HOUR).length === 3) return 'asked-often';
          world.resets.push(now.getTime());
          return [{ type: 'PasswordResetAsked', data: { accountId: world.claim?.accountId } }];
        },
      }),
      2,
    ),
  },
  seen: ({ owner, claimedAt }) => ({ owner, claimedAt }),
  expected: ({ claim }) => ({ owner: claim?.accountId, claimedAt: claim?.claimedAt }),
  always: (_state, _world, history) => {
    const times = (type: 'EmailVerificationAsked' | 'PasswordResetAsked') =>
      history.flatMap((event) => (event.type === type ? [Date.parse(event.data.askedAt)] : []));
    const spaced = (asked: readonly number[], count: number, apart: number) =>
      asked.every((at, index) => index < count || at - (asked[index - count] ?? 0) >= apart);
    assert.ok(spaced(times('EmailVerificationAsked'), 1, 5 * MINUTE), 'mails keep their distance');
    assert.ok(spaced(times('PasswordResetAsked'), 3, HOUR), 'three an hour at most');
  },
  refusals: ['email-taken', 'asked-recently', 'asked-often'],
});
