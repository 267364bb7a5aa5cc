import * as commands from '../../../src/domain/identity/oauthIdentity.ts';
import { claimOAuthIdentity, oauthIdentity, releaseOAuthIdentity } from '../../../src/domain/identity/oauthIdentity.ts';
import { model } from '../../support/model.ts';
import { reservation } from './reservation.ts';

/** One person of a provider: reserved for one account at a time. */
export const oauthIdentityModel = model({
  decider: oauthIdentity,
  commands,
  ...reservation({
    claim: claimOAuthIdentity,
    claimed: 'OAuthIdentityClaimed',
    release: releaseOAuthIdentity,
    released: 'OAuthIdentityReleased',
    taken: 'identity-taken',
    releasing: { subjectHash: 'hash' },
  }),
});
