import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/mfaChallenge.ts';
import {
  issueMfaChallenge,
  mfaChallenge,
  openChallenge,
  verifyMfaChallenge,
} from '../../../src/domain/identity/mfaChallenge.ts';
import { model, movesIn, named } from '../../support/model.ts';

const MINUTE = 60_000;
const challengeId = named('challenge');
const accountId = named('ada');
const asked = { challengeId, accountId, identifierHash: 'ada', first: 'password', methods: ['totp'], credentials: 2 };

type World = { issued: boolean; ends: number; wrong: number; passed: boolean };
const on = movesIn<World>();
const isOpen = ({ issued, ends, wrong, passed }: World, now: Date): boolean =>
  issued && !passed && wrong < 5 && now.getTime() < ends;

/** One log-in that owes its second factor: five minutes and five tries, and it is paid once. */
export const mfaChallengeModel = model({
  decider: mfaChallenge,
  commands,
  world: (): World => ({ issued: false, ends: 0, wrong: 0, passed: false }),
  first: 'issue',
  waits: [1000, MINUTE],
  moments: ({ ends }) => [ends - 1, ends],
  length: 20,
  moves: {
    issue: on(fc.constant(asked), (input, world, { now }) => ({
      command: issueMfaChallenge,
      input,
      twice: 'nothing',
      expect: () => {
        if (world.issued) return [];
        Object.assign(world, { issued: true, ends: now.getTime() + 5 * MINUTE });
        return [{ type: 'MfaChallengeIssued', data: { ...asked, expiresAt: new Date(world.ends).toISOString() } }];
      },
    })),
    answer: on(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom('totp', 'sms', 'backup_code') },
      ),
      (via, world, { now }) => ({
        command: verifyMfaChallenge,
        input: {
          challengeToken: 'token',
          ...(via === 'backup_code' ? { backupCode: '12345678' } : { code: '123456' }),
        },
        facts: { challengeId, via },
        expect: () => {
          if (!isOpen(world, now)) return 'code-wrong';
          if (via === undefined) world.wrong += 1;
          else world.passed = true;
          return via === undefined
            ? [{ type: 'MfaChallengeFailed', data: { challengeId, accountId, attempts: world.wrong } }]
            : [{ type: 'MfaChallengePassed', data: { challengeId, accountId, via } }];
        },
      }),
      4,
    ),
  },
  seen: (state, { now }) => openChallenge(state, now) !== undefined,
  expected: (world, { now }) => isOpen(world, now),
  refusals: ['code-wrong'],
});
