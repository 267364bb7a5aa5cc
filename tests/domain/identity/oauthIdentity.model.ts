import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/oauthIdentity.ts';
import { claimOAuthIdentity, oauthIdentity, releaseOAuthIdentity } from '../../../src/domain/identity/oauthIdentity.ts';
import { model, movesIn, named } from '../../support/model.ts';

const account = fc.constantFrom(...['ada', 'ben', 'cyd'].map(named));
const SECOND = 1_000;

type Claim = { readonly accountId: string; readonly claimedAt: string };
type World = { claim?: Claim | undefined; readonly former: Claim[] };
const on = movesIn<World>();

/** One person of a provider: reserved for one account at a time, and given back by the very reservation alone. */
export const oauthIdentityModel = model({
  decider: oauthIdentity,
  commands,
  world: (): World => ({ former: [] }),
  waits: [0, SECOND, 10 * SECOND],
  moves: {
    claim: on(
      fc.record({ accountId: account, which: fc.option(fc.nat(5), { nil: undefined }) }),
      (drawn, world, { now }) => {
        const { accountId, which } = drawn;
        const insteadOf = which === undefined ? undefined : world.former.at(-1 - which);
        return {
          command: claimOAuthIdentity,
          input: { accountId, ...(insteadOf === undefined ? {} : { insteadOf }) },
          expect: () => {
            const { claim } = world;
            const lapsed = claim?.accountId === insteadOf?.accountId && claim?.claimedAt === insteadOf?.claimedAt;
            if (claim !== undefined && claim.accountId !== accountId && !lapsed) return 'identity-taken';
            world.claim = { accountId, claimedAt: now.toISOString() };
            world.former.push(world.claim);
            return [{ type: 'OAuthIdentityClaimed', data: world.claim }];
          },
        };
      },
    ),
    release: on(fc.record({ accountId: account, which: fc.option(fc.nat(5), { nil: undefined }) }), (drawn, world) => {
      const { accountId, which } = drawn;
      const lapsed = which === undefined ? undefined : world.former.at(-1 - which)?.claimedAt;
      return {
        command: releaseOAuthIdentity,
        input: { accountId, subjectHash: 'hash' },
        facts: { lapsed },
        twice: 'nothing',
        expect: () => {
          if (world.claim?.accountId !== accountId || world.claim.claimedAt !== lapsed) return [];
          world.claim = undefined;
          return ['OAuthIdentityReleased'];
        },
      };
    }),
  },
  seen: ({ owner, claimedAt }) => ({ owner, claimedAt }),
  expected: ({ claim }) => ({ owner: claim?.accountId, claimedAt: claim?.claimedAt }),
  refusals: ['identity-taken'],
});
