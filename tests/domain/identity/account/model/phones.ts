import fc from 'fast-check';
import {
  addPhoneNumber,
  loseNumber,
  noteVerifiedNumber,
  removePhoneNumber,
  setPrimaryPhoneNumber,
  updatePhoneNumber,
  verifyPhoneNumber,
} from '../../../../../src/domain/identity/account/index.ts';
import { named } from '../../../../support/model.ts';
import { accountId, ada, HOUR, hashOf, on, type Phone, type World } from './world.ts';

export const NUMBERS = Array.from({ length: 12 }, (_none, index) => `+493010000${10 + index}`);
const number = fc.constantFrom(...NUMBERS);
/** Which of the account's numbers; now and then one that it does not have. */
const which = fc.nat(5);
const idOf = (phone: Phone | undefined): string => phone?.id ?? named('no number');
/** The holder of a closed account has no session to ask from. */
const isLoggedOut = ({ life }: World): boolean => life === 'deactivated';

const primary = (world: World, phoneNumberId: string) => {
  world.primary = phoneNumberId;
  return { type: 'PrimaryPhoneNumberSet', data: { accountId, phoneNumberId } };
};
/** Makes a number the primary one: its event, none when it is, or why not. */
const choose = (phone: Phone, world: World) => {
  if (phone.verified === undefined) return 'number-unverified';
  return world.primary === phone.id ? [] : [primary(world, phone.id)];
};
/** A number is gone, and with it an offer to send codes to it. */
const remove = (phone: Phone, world: World) => {
  world.phones = world.phones.filter((other) => other !== phone);
  if (world.offer?.phone === phone.id) world.offer = undefined;
  const data = { accountId, phoneNumberId: phone.id, numberHash: hashOf(phone.number) };
  return { type: 'PhoneNumberRemoved', data };
};

/** Five telephone numbers at most, and ten new ones an hour. */
export const numbers = {
  'add a number': on(
    fc.record({ number, label: fc.constantFrom(undefined, 'Office', 'Home') }),
    ({ number, label }, world, { now, newId }) => ({
      command: addPhoneNumber,
      input: { number, ...(label === undefined ? {} : { label }) },
      actor: ada,
      facts: { numberHash: hashOf(number) },
      expect: () => {
        if (world.life !== 'active') return 'account-unknown';
        if (world.phones.some((phone) => phone.number === number)) return 'number-listed';
        if (world.phones.length === 5) return 'number-limit';
        if (world.phonesAdded.filter((at) => now.getTime() < at + HOUR).length >= 10) return 'asked-often';
        world.phones.push({ id: newId('phone'), number, label });
        world.phonesAdded.push(now.getTime());
        return [{ type: 'PhoneNumberAdded', data: { accountId, phoneNumberId: newId('phone'), number, label } }];
      },
    }),
    6,
  ),
  'remove a number': on(
    fc.oneof({ weight: 4, arbitrary: which }, { weight: 1, arbitrary: fc.constant('where codes go') }),
    (which, world) => {
      if (isLoggedOut(world)) return undefined;
      const whereCodesGo = (world.factor ?? world.offer)?.phone;
      const phone =
        typeof which === 'number' ? world.phones[which] : world.phones.find(({ id }) => id === whereCodesGo);
      return {
        command: removePhoneNumber,
        input: { phoneNumberId: idOf(phone) },
        actor: ada,
        expect: () => {
          if (phone === undefined) return 'number-unknown';
          if (world.factor?.phone === phone.id) return 'number-in-use';
          const removed = remove(phone, world);
          if (world.primary !== phone.id) return [removed];
          world.primary = undefined;
          const proved = world.phones.filter(({ verified }) => verified !== undefined);
          if (proved.length === 0) return [removed];
          const oldest = proved.reduce((a, b) => ((b.verified ?? 0) < (a.verified ?? 0) ? b : a));
          return [removed, primary(world, oldest.id)];
        },
      };
    },
    3,
  ),
};

/** One of those that are verified is the primary one as soon as there is any. */
export const phones = {
  'a code came back': on(
    which,
    (which, world, { now }) => {
      const phone = world.phones[which];
      return {
        command: noteVerifiedNumber,
        input: { accountId, phoneNumberId: idOf(phone) },
        twice: 'nothing',
        expect: () => {
          if (world.life !== 'active' || phone === undefined) return 'number-unknown';
          if (phone.verified !== undefined) return [];
          phone.verified = now.getTime();
          const verified = { type: 'PhoneNumberVerified', data: { accountId, phoneNumberId: phone.id } };
          return world.primary === undefined ? [verified, primary(world, phone.id)] : [verified];
        },
      };
    },
    6,
  ),
  'hold a code against a number': on(
    which,
    (which, world) => ({
      command: verifyPhoneNumber,
      input: { phoneNumberId: idOf(world.phones[which]), code: '123456' },
      actor: ada,
      expect: () => (world.phones[which] === undefined ? 'number-unknown' : []),
    }),
    0.5,
  ),
  'make a number the primary one': on(which, (which, world) => {
    if (isLoggedOut(world)) return undefined;
    const phone = world.phones[which];
    return {
      command: setPrimaryPhoneNumber,
      input: { phoneNumberId: idOf(phone) },
      actor: ada,
      twice: 'nothing',
      expect: () => (phone === undefined ? 'number-unknown' : choose(phone, world)),
    };
  }),
  'label a number': on(
    fc.record({ which, chosen: fc.boolean(), label: fc.constantFrom(undefined, 'Office', 'Home') }),
    ({ which, chosen, label }, world) => {
      if (isLoggedOut(world)) return undefined;
      const phone = world.phones[which];
      return {
        command: updatePhoneNumber,
        input: {
          phoneNumberId: idOf(phone),
          ...(chosen ? { primary: true } : {}),
          ...(label === undefined ? {} : { label }),
        },
        actor: ada,
        facts: { label: phone?.label },
        expect: () => {
          if (phone === undefined) return 'number-unknown';
          const chose = chosen ? choose(phone, world) : [];
          if (typeof chose === 'string' || label === undefined || label === phone.label) return chose;
          phone.label = label;
          return [...chose, { type: 'PhoneNumberLabelled', data: { phoneNumberId: phone.id, label } }];
        },
      };
    },
  ),
  'somebody else proves to have a number': on(number, (number, world) => ({
    command: loseNumber,
    input: { accountId, numberHash: hashOf(number) },
    twice: 'nothing',
    expect: () => {
      const phone = world.phones.find((one) => one.number === number);
      if (phone === undefined) return [];
      return phone.verified === undefined ? [remove(phone, world)] : 'number-taken';
    },
  })),
};
