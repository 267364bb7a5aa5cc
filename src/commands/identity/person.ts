import { ERASED } from '../../domain/decider.ts';
import type { AccountEvent } from '../../domain/identity/account/events.ts';

/** Whom a mail addresses, as the log says at the time of sending. */
export type Person = { readonly email: string; readonly displayName: string; readonly timezone: string };

const after = (person: Person | undefined, { type, data }: AccountEvent): Person | undefined => {
  switch (type) {
    case 'AccountRegistered':
      return { email: data.email, displayName: data.displayName, timezone: data.timezone };
    case 'EmailChanged':
      return person && { ...person, email: data.email };
    case 'ProfileUpdated': {
      const { displayName, timezone } = data.changed;
      return (
        person && { ...person, displayName: displayName ?? person.displayName, timezone: timezone ?? person.timezone }
      );
    }
    case 'PreferencesUpdated':
      return person && { ...person, timezone: data.preferences.timezone };
    case 'RegistrationAbandoned':
    case 'AccountErased':
      return undefined;
    default:
      return person;
  }
};

/** The person behind an account; undefined when there is none (any more). */
export const personOf = (history: readonly AccountEvent[]): Person | undefined => {
  const person = history.reduce(after, undefined);
  return person?.email === ERASED ? undefined : person;
};

/** The telephone number of that id; undefined when the account has none (any more). */
export const phoneNumberOf = (history: readonly AccountEvent[], phoneNumberId: string): string | undefined => {
  let number: string | undefined;
  for (const { type, data } of history) {
    if (type === 'PhoneNumberAdded' && data.phoneNumberId === phoneNumberId) number = data.number;
    if (type === 'PhoneNumberRemoved' && data.phoneNumberId === phoneNumberId) number = undefined;
    if (type === 'AccountErased') number = undefined;
  }
  return number === ERASED ? undefined : number;
};
