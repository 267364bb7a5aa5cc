import * as commands from '../../../src/domain/identity/verifiedPhone.ts';
import { claimPhoneNumber, releasePhoneNumber, verifiedPhone } from '../../../src/domain/identity/verifiedPhone.ts';
import { model } from '../../support/model.ts';
import { reservation } from './reservation.ts';

/** One telephone number: verified for one account at a time. */
export const verifiedPhoneModel = model({
  decider: verifiedPhone,
  commands,
  ...reservation({
    claim: claimPhoneNumber,
    claimed: 'PhoneNumberClaimed',
    release: releasePhoneNumber,
    released: 'PhoneNumberReleased',
    taken: 'number-taken',
    releasing: { numberHash: 'hash' },
  }),
});
