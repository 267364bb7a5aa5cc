import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/messaging/email.ts';
import { email, queueEmail, recordEmailAttempt, recordEmailDelivery } from '../../../src/domain/messaging/email.ts';
import { model, movesIn, named } from '../../support/model.ts';

const emailId = named('mail');
const accountId = named('ada');
const to = 'ada@example.org';
const addressHash = 'a'.repeat(64);

type World = {
  phase: 'none' | 'queued' | 'sent' | 'abandoned' | 'suppressed';
  attempts: number;
  patience: readonly number[];
  readonly told: Set<string>;
};
const on = movesIn<World>();

const SECONDS = { 'booking-confirmation': [60, 300, 900, 3_600, 21_600], 'otp-code': [10, 30] } as const;
const template = fc.constantFrom(...(Object.keys(SECONDS) as (keyof typeof SECONDS)[]));

/** Mostly the next attempt; sometimes one that was noted before or comes too early. */
const step = fc.constantFrom(1, 1, 1, 1, 0, 2);

const recorded = (world: World, step: number, result: object, expect: () => readonly object[] | readonly string[]) => {
  const attempt = Math.min(Math.max(world.attempts + step, 1), 6);
  return {
    command: recordEmailAttempt,
    input: { emailId, attempt, result },
    twice: 'nothing' as const,
    expect: () => (world.phase !== 'queued' || attempt !== world.attempts + 1 ? [] : (expect() as string[])),
  };
};

/** One mail from the queue to its end, with a mail service that tells of it when and as often as it likes. */
export const emailModel = model({
  decider: email,
  commands,
  world: (): World => ({ phase: 'none', attempts: 0, patience: [], told: new Set() }),
  first: 'queue',
  waits: [0, 1_000, 60_000],
  moves: {
    queue: on(fc.record({ template, known: fc.boolean() }), ({ template, known }, world) => ({
      command: queueEmail,
      input: { emailId, accountId, template, variables: { at: 'x' }, dedupeKey: 'key' },
      facts: { to: known ? to : undefined },
      twice: 'nothing',
      expect: () => {
        if (world.phase !== 'none') return [];
        if (!known) return 'account-unknown';
        world.phase = 'queued';
        world.patience = SECONDS[template];
        return [{ type: 'EmailQueued', data: { to, template } }];
      },
    })),
    accepted: on(step, (step, world) =>
      recorded(world, step, { outcome: 'accepted', to, providerMessageId: 'm1' }, () => {
        world.phase = 'sent';
        world.attempts += 1;
        return [{ type: 'EmailSent', data: { to, attempt: world.attempts, providerMessageId: 'm1' } }];
      }),
    ),
    failed: on(
      fc.record({ step, final: fc.constantFrom(false, false, false, false, true) }),
      ({ step, final }, world, { now }) =>
        recorded(world, step, { outcome: 'failed', error: 'smtp-451', final }, () => {
          const pause = final ? undefined : world.patience[world.attempts];
          world.attempts += 1;
          if (pause !== undefined) {
            const nextAttemptAt = new Date(now.getTime() + pause * 1000).toISOString();
            return [{ type: 'EmailAttemptFailed', data: { attempt: world.attempts, nextAttemptAt } }];
          }
          world.phase = 'abandoned';
          return [
            { type: 'EmailAttemptFailed', data: { attempt: world.attempts, error: 'smtp-451' } },
            { type: 'EmailAbandoned', data: { attempts: world.attempts, lastError: 'smtp-451' } },
          ];
        }),
      6,
    ),
    suppressed: on(
      fc.record({ step, reason: fc.constantFrom('bounce_list', 'not_configured', 'outdated') }),
      (args, world) =>
        recorded(world, args.step, { outcome: 'suppressed', reason: args.reason }, () => {
          world.phase = 'suppressed';
          return [{ type: 'EmailSuppressed', data: { reason: args.reason } }];
        }),
    ),
    notice: on(
      fc.constantFrom('delivered', 'opened', 'hard', 'soft', 'complaint'),
      (notice, world, { now }) => ({
        command: recordEmailDelivery,
        input: { emailId, notice, at: now.toISOString() },
        facts: { to, addressHash },
        twice: 'nothing',
        expect: () => {
          if (world.phase === 'none') return 'email-unknown';
          if (world.told.has(notice)) return [];
          world.told.add(notice);
          if (notice === 'delivered') return ['EmailDelivered'];
          if (notice === 'opened') return ['EmailOpened'];
          return [{ type: 'EmailBounced', data: { kind: notice, to, addressHash } }];
        },
      }),
      3,
    ),
  },
  seen: ({ status, attempts, notices }) => ({ status, attempts, notices: [...notices].sort() }),
  expected: ({ phase, attempts, told }) => ({ status: phase, attempts, notices: [...told].sort() }),
  always: (_state, _world, history) => {
    const ends = history.filter(({ type }) => ['EmailSent', 'EmailAbandoned', 'EmailSuppressed'].includes(type));
    assert.ok(ends.length <= 1, 'a mail ends once');
    assert.ok(history.filter(({ type }) => type === 'EmailAttemptFailed').length <= 6, 'six attempts at most');
  },
  refusals: ['account-unknown', 'email-unknown'],
});
