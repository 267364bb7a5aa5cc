import fc from 'fast-check';
import type { AnyCommand } from '../../../src/commands/binding.ts';
import { movesIn, named } from '../../support/model.ts';

const account = fc.constantFrom(...['ada', 'ben', 'cyd'].map(named));
/** Which of the claims that have been, the newest being 0; none at all. */
const which = fc.option(fc.nat(5), { nil: undefined });
const SECOND = 1_000;

type Claim = { readonly accountId: string; readonly claimedAt: string };
type World = { claim?: Claim | undefined; readonly former: Claim[] };
const on = movesIn<World>();

/** The commands, events and refusal of a reservation, and what releasing takes beside the account. */
export type Words = {
  readonly claim: AnyCommand;
  readonly claimed: string;
  readonly release: AnyCommand;
  readonly released: string;
  readonly taken: string;
  readonly releasing: object;
};

/**
 * The model of what belongs to one account at a time: whoever holds it may claim it anew, another only in the place of
 * the very claim that was looked at, and it is given back by the very claim alone.
 */
export const reservation = ({ claim, claimed, release, released, taken, releasing }: Words) => ({
  world: (): World => ({ former: [] }),
  waits: [0, SECOND, 10 * SECOND],
  moves: {
    claim: on(fc.record({ accountId: account, which }), ({ accountId, which }, world, { now }) => {
      const insteadOf = which === undefined ? undefined : world.former.at(-1 - which);
      return {
        command: claim,
        input: { accountId, ...(insteadOf === undefined ? {} : { insteadOf }) },
        expect: () => {
          const held = world.claim;
          const lapsed = held?.accountId === insteadOf?.accountId && held?.claimedAt === insteadOf?.claimedAt;
          if (held !== undefined && held.accountId !== accountId && !lapsed) return taken;
          world.claim = { accountId, claimedAt: now.toISOString() };
          world.former.push(world.claim);
          return [{ type: claimed, data: world.claim }];
        },
      };
    }),
    release: on(fc.record({ accountId: account, which }), ({ accountId, which }, world) => {
      const lapsed = which === undefined ? undefined : world.former.at(-1 - which)?.claimedAt;
      return {
        command: release,
        input: { accountId, ...releasing },
        facts: { lapsed },
        twice: 'nothing',
        expect: () => {
          if (world.claim?.accountId !== accountId || world.claim.claimedAt !== lapsed) return [];
          world.claim = undefined;
          return [{ type: released, data: { accountId } }];
        },
      };
    }),
  },
  seen: ({ owner, claimedAt }: { readonly owner?: string; readonly claimedAt?: string }) => ({ owner, claimedAt }),
  expected: ({ claim }: World) => ({ owner: claim?.accountId, claimedAt: claim?.claimedAt }),
  refusals: [taken],
});
