import { z } from 'zod';
import { ADMINISTRATORS_ID, resumeAdministrator, suspendAdministrator } from '../../domain/access/administrators.ts';
import type { Actor } from '../../domain/decider.ts';
import { withdrawParticipant } from '../../domain/estimation/session/index.ts';
import type { Account } from '../../domain/identity/account/index.ts';
import * as accounts from '../../domain/identity/account/index.ts';
import { apiKeys, revokeApiKey } from '../../domain/identity/apiKeys.ts';
import { isOrMayBeCounted, suspensionFacts } from '../access/circle.ts';
import { bind, internal, type Outcome, type Run } from '../binding.ts';
import { revokeAll } from '../messaging/ending.ts';
import { latest, uncontended } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { eraseTraces, identifiersOf } from './erasure.ts';
import { isPassword } from './passwordHash.ts';
import { emailOf } from './personal.ts';
import { endEach, othersOf } from './sessionEnding.ts';
import { isOpen } from './standing.ts';

type Closing = { readonly accountId?: string | undefined; readonly password?: string | undefined };

const targetOf = ({ accountId }: Closing, actor: Pick<Actor, 'id'>): string => accountId ?? actor.id;

/** Whether the holder has proved that it is he who asks. Nobody else is asked for a password. */
const isRight = async (input: Closing, reads: Reads, actor: Actor): Promise<boolean> => {
  if (targetOf(input, actor) !== actor.id) return false;
  return isPassword(reads, actor.id, input.password ?? '');
};

/**
 * Closes an account by its own rule, and where it is an administrator's, takes it out of the circle of administrators
 * first, which never lets its last member go. Then ends the login sessions and API keys.
 */
const close = async <Input extends Closing, Facts extends accounts.ClosingFacts>(
  run: Run<Input, Facts>,
  more: Omit<Facts, keyof accounts.ClosingFacts>,
): Promise<Outcome> => {
  const { input, actor, reads, step, judge } = run;
  const accountId = targetOf(input, actor);
  const right = await isRight(input, reads, actor);
  const attempt = async () =>
    judge(input, { ...more, right, counted: await isOrMayBeCounted(reads, accountId) } as unknown as Facts);
  let outcome = await attempt();
  // Judged before the circle is asked: one who may not must not change it.
  if (!outcome.ok && outcome.reason === accounts.COUNTED_ADMINISTRATOR) {
    const suspended = await step(
      suspendAdministrator,
      ADMINISTRATORS_ID,
      { accountId },
      await suspensionFacts(reads, accountId),
    );
    outcome = suspended.ok ? await attempt() : suspended;
  }
  if (!outcome.ok) return outcome;
  const sessionIds = await othersOf(run, accountId, undefined);
  const ended = await endEach(run, sessionIds, { by: 'deactivation' });
  return latest(outcome, ...ended, ...(await revokeKeys(run, accountId)));
};

const deactivate = (run: Run<z.output<typeof accounts.deactivateAccount.input>, accounts.ClosingFacts>) =>
  close(run, {});

const reactivate = async (run: Run<z.output<typeof accounts.reactivateAccount.input>>): Promise<Outcome> => {
  const { input, step, judge } = run;
  const outcome = await judge();
  return latest(
    outcome,
    ...(outcome.ok ? [await step(resumeAdministrator, ADMINISTRATORS_ID, input, { open: true })] : []),
  );
};

const erase = async (
  run: Run<z.output<typeof accounts.eraseAccount.input>, accounts.ErasureFacts>,
): Promise<Outcome> => {
  const { input, actor, reads } = run;
  const accountId = targetOf(input, actor);
  const address = await emailOf(reads, accountId);
  // Told while it can be: what the person was called by when attempts to log in failed.
  const identifierHashes = await identifiersOf(reads, accountId);
  const confirmed = address !== '' && input.confirm.normalize('NFC').toLowerCase() === address;
  const outcome = await close(run, { confirmed, identifierHashes });
  return outcome.ok ? latest(outcome, ...(await eraseTraces(run, accountId))) : outcome;
};

/** Revokes the API keys of an account. */
const revokeKeys = async (
  { reads, step }: Pick<Run<unknown>, 'reads' | 'step'>,
  accountId: string,
): Promise<readonly Outcome[]> => {
  const revoked: Outcome[] = [];
  for (const [keyId, key] of Object.entries((await reads.load(apiKeys, accountId)).state.keys))
    if (!key.revoked) revoked.push(await step(revokeApiKey, accountId, { keyId, accountId }));
  return revoked;
};

/** Takes back from a closed account what it has elsewhere; nothing once the account is open again. */
const release = async (run: Run<{ readonly accountId: string }>): Promise<Outcome> => {
  const { input, reads, step, judge } = run;
  const { accountId } = input;
  const outcome = await judge();
  if (!outcome.ok || (await isOpen(reads, accountId))) return outcome;
  const released = [...(await revokeKeys(run, accountId)), ...(await revokeAll(run, accountId, 'closing'))];
  for (const sessionId of await reads.lookups.openEstimationSessions(accountId))
    released.push(await step(withdrawParticipant, sessionId, { sessionId, participantId: accountId }));
  return latest(outcome, ...released);
};

const EXAMPLE = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01';

const byHolderOrAdmin = {
  access: 'loggedIn',
  unverified: true,
  stream: (input: Closing, { actor }: { readonly actor: Actor }) => targetOf(input, actor),
} as const;

const instantOf = (
  events: readonly accounts.AccountEvent[],
  wanted: 'AccountDeactivated' | 'AccountErased',
): string => {
  const event = events.find(({ type }) => type === wanted);
  return event?.type === 'AccountDeactivated' || event?.type === 'AccountErased' ? event.data.at : '';
};

/** How accounts end, and how they are opened again. */
export const closingBindings = [
  bind(accounts.deactivateAccount, {
    ...byHolderOrAdmin,
    path: ['DELETE /users/me', 'DELETE /users/:accountId'],
    process: (run) => uncontended(() => deactivate(run)),
    answer: {
      schema: z.object({ deletedAt: z.string() }),
      of: ({ events }) => ({ deletedAt: instantOf(events, 'AccountDeactivated') }),
    },
    summary: 'Deactivates an account: the own one with its password, any as administrator',
    example: { password: 'Correct-Horse-7', reason: 'I need it no more' },
  }),
  bind(accounts.reactivateAccount, {
    access: '*:*',
    stream: ({ accountId }) => accountId,
    process: reactivate,
    answer: {
      schema: z.object({ status: z.literal('active') }),
      of: (_result: { readonly state: Account }) => ({ status: 'active' as const }),
    },
    summary: 'Opens an account again that was deactivated',
    example: { accountId: EXAMPLE },
  }),
  bind(accounts.eraseAccount, {
    ...byHolderOrAdmin,
    path: ['DELETE /users/me/personal-data', 'DELETE /users/:accountId/personal-data'],
    process: (run) => uncontended(() => erase(run)),
    answer: {
      schema: z.object({ erasedAt: z.string() }),
      of: ({ events }) => ({ erasedAt: instantOf(events, 'AccountErased') }),
    },
    summary: 'Erases all that is known of a person, for good',
    example: { confirm: 'ada@example.org', password: 'Correct-Horse-7' },
  }),
  internal(accounts.completeErasure, ({ accountId }) => accountId, {
    process: async (run) => {
      const { accountId } = run.input;
      const outcome = await run.judge();
      return outcome.ok ? latest(outcome, ...(await eraseTraces(run, accountId))) : outcome;
    },
  }),
  internal(accounts.releaseClosedAccount, ({ accountId }) => accountId, { process: release }),
];
