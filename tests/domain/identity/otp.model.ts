import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/otp.ts';
import {
  challengeOf,
  checkOtp,
  issueOtp,
  OTP_PURPOSES,
  type OtpPurpose,
  otp,
  sendOtp,
  targetOfChallenge,
  verifyOtp,
} from '../../../src/domain/identity/otp.ts';
import { model, movesIn, named } from '../../support/model.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TARGET = '0123456789abcdef01';
const accountId = named('ada');

type Code = {
  readonly purpose: OtpPurpose;
  readonly sent: number;
  readonly known: boolean;
  wrong: number;
  used: boolean;
};
/** Codes in the order they were sent, and what the service called them. */
type World = { readonly codes: Code[]; ids: readonly string[] };
const on = movesIn<World>();

const latestOf = ({ codes }: World, purpose: OtpPurpose): Code | undefined =>
  codes.findLast((code) => code.purpose === purpose);
const isOpen = ({ wrong, used }: Code): boolean => !used && wrong < 5;

const send = (purpose: OtpPurpose, known: boolean, world: World, now: Date) => () => {
  const before = latestOf(world, purpose);
  const tooSoon = before !== undefined && now.getTime() < before.sent + MINUTE;
  if (tooSoon || world.codes.filter(({ sent }) => now.getTime() < sent + HOUR).length === 5)
    return 'code-sent-recently';
  world.codes.push({ purpose, sent: now.getTime(), known, wrong: 0, used: false });
  const expiresAt = new Date(now.getTime() + 5 * MINUTE).toISOString();
  return [{ type: 'OtpIssued', data: { purpose, accountId: known ? accountId : undefined, expiresAt } }];
};
const factsOf = (known: boolean) => ({
  targetHash: TARGET,
  identifierHash: 'ada',
  channel: 'sms' as const,
  ...(known ? { accountId, phoneNumberId: named('number') } : {}),
});

const purpose = fc.constantFrom(...OTP_PURPOSES);
const sending = fc.record({ purpose, known: fc.integer({ min: 0, max: 5 }).map((drawn) => drawn > 0) });
/** Which code, the newest being 0, and whether what comes back is right. */
const trying = fc.record({
  ago: fc.oneof(fc.constant(0), fc.nat(3)),
  right: fc.constantFrom(true, false, false, false),
});

const trial = ({ ago, right }: { readonly ago: number; readonly right: boolean }, world: World, now: Date) => {
  const challengeId = world.ids.at(-1 - ago) ?? named('no code');
  const code = world.codes.at(-1 - ago);
  return {
    facts: { challengeId, right },
    expect: () => {
      const counts = code !== undefined && isOpen(code) && code === latestOf(world, code.purpose);
      if (!counts || now.getTime() >= code.sent + 5 * MINUTE) return 'code-wrong';
      if (right && code.known) {
        code.used = true;
        return [{ type: 'OtpVerified', data: { challengeId, accountId, purpose: code.purpose } }];
      }
      code.wrong += 1;
      return [{ type: 'OtpRejected', data: { challengeId, attempts: code.wrong, voided: code.wrong === 5 } }];
    },
  };
};

/**
 * The codes for one target: once a minute for each purpose and five times an hour; the latest of its purpose counts, for
 * five minutes, once, and not after five wrong ones. One that was sent to nobody is never right.
 */
export const otpModel = model({
  decider: otp,
  commands,
  world: (): World => ({ codes: [], ids: [] }),
  first: 'send',
  waits: [1000, MINUTE, 10 * MINUTE],
  moments: ({ codes }) =>
    codes.flatMap(({ sent }) => [MINUTE, 5 * MINUTE, HOUR].flatMap((after) => [sent + after - 1, sent + after])),
  length: 80,
  lives: 250,
  moves: {
    send: on(
      sending,
      ({ purpose, known }, world, { now }) => ({
        command: sendOtp,
        input: { phoneNumber: '+4930123456', purpose },
        facts: factsOf(known),
        expect: send(purpose, known, world, now),
      }),
      2,
    ),
    issue: on(purpose, (purpose, world, { now }) => ({
      command: issueOtp,
      input: { purpose },
      facts: factsOf(true),
      expect: send(purpose, true, world, now),
    })),
    verify: on(
      trying,
      (drawn, world, { now }) => ({
        command: verifyOtp,
        input: { phoneNumber: '+4930123456', code: '123456' },
        ...trial(drawn, world, now),
      }),
      4,
    ),
    check: on(trying, (drawn, world, { now }) => ({ command: checkOtp, input: {}, ...trial(drawn, world, now) }), 2),
  },
  seen: (state) =>
    OTP_PURPOSES.map((purpose) => {
      const challenge = challengeOf(state, { purpose });
      return challenge && { open: challenge.open, wrong: challenge.attempts, accountId: challenge.accountId };
    }),
  expected: (world) =>
    OTP_PURPOSES.map((purpose) => {
      const code = latestOf(world, purpose);
      return code && { open: isOpen(code), wrong: code.wrong, accountId: code.known ? accountId : undefined };
    }),
  always: (_state, world, history) => {
    world.ids = history.flatMap((event) => (event.type === 'OtpIssued' ? [event.data.challengeId] : []));
    assert.equal(new Set(world.ids).size, world.ids.length, 'every code has a name of its own');
    for (const challengeId of world.ids)
      assert.equal(targetOfChallenge(challengeId), TARGET, 'which leads to its target');
  },
  refusals: ['code-sent-recently', 'code-wrong'],
});
