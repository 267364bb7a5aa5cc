import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/access/administrators.ts';
import {
  addAdministrator,
  administrators,
  bootstrapAdministrator,
  releaseAdministrator,
  resumeAdministrator,
  suspendAdministrator,
} from '../../../src/domain/access/administrators.ts';
import { model, movesIn, named } from '../../support/model.ts';

const ACCOUNTS = ['ada', 'ben', 'cyd'].map(named);
const assignmentOf = (who: number, which: number): string => named(`assignment ${which} of ${who}`);

/** An account gets the role by one assignment after the other; the one before was let go first. */
type Person = { assignment: number; counts: 'no' | 'yes' | 'paused'; open: boolean };
type World = { readonly people: readonly Person[]; appointed?: string };
const on = movesIn<World>();
const anybody = fc.nat(ACCOUNTS.length - 1);
const idOf = (who: number): string => ACCOUNTS[who] ?? '';
const personIn = ({ people }: World, who: number): Person => people[who] as Person;
const counting = ({ people }: World): number => people.filter(({ counts }) => counts === 'yes').length;

/** The accounts of one standing, with the assignments that they have it by. */
const those = ({ people }: World, wanted: Person['counts']) =>
  people.flatMap(({ assignment, counts }, who) =>
    counts === wanted ? [[idOf(who), assignmentOf(who, assignment)]] : [],
  );
const byAccount = (entries: readonly (readonly [string, string])[] | readonly string[][]) => [...entries].sort();

/** Who counts as administrator: open accounts alone, never again by an assignment that was let go, and the last one stays. */
export const administratorsModel = model({
  decider: administrators,
  commands,
  world: (): World => ({ people: ACCOUNTS.map(() => ({ assignment: 0, counts: 'no', open: true })) }),
  length: 60,
  lives: 150,
  moves: {
    add: on(
      // Policies lag: they may speak of an assignment that was let go long since.
      fc.record({ who: anybody, late: fc.constantFrom(0, 0, 0, 1, 2) }),
      ({ who, late }, world) => {
        const person = personIn(world, who);
        const which = person.assignment - late;
        if (which < 0) return undefined;
        const data = { accountId: idOf(who), assignmentId: assignmentOf(who, which) };
        return {
          command: addAdministrator,
          input: data,
          facts: { open: person.open },
          twice: 'nothing',
          expect: () => {
            if (late > 0 || person.counts !== 'no') return [];
            person.counts = person.open ? 'yes' : 'paused';
            return [{ type: person.open ? 'AdministratorAdded' : 'AdministratorSuspended', data }];
          },
        };
      },
      2,
    ),
    release: on(fc.record({ who: anybody, late: fc.constantFrom(0, 0, 0, 1, 2) }), ({ who, late }, world) => {
      const person = personIn(world, who);
      const which = person.assignment - late;
      if (which < 0) return undefined;
      const data = { accountId: idOf(who), assignmentId: assignmentOf(who, which) };
      return {
        command: releaseAdministrator,
        input: data,
        twice: 'nothing',
        expect: () => {
          if (late > 0) return [];
          if (counting(world) - (person.counts === 'yes' ? 1 : 0) === 0) return 'last-administrator';
          Object.assign(person, { assignment: which + 1, counts: 'no' });
          return [{ type: 'AdministratorReleased', data }];
        },
      };
    }),
    suspend: on(fc.record({ who: anybody, holds: fc.boolean() }), ({ who, holds }, world) => {
      const person = personIn(world, who);
      const accountId = idOf(who);
      const assignmentId = assignmentOf(who, person.assignment);
      return {
        command: suspendAdministrator,
        input: { accountId },
        facts: { assignmentId: holds || person.counts !== 'no' ? assignmentId : undefined },
        twice: 'nothing',
        expect: () => {
          if (person.counts === 'paused' || (person.counts === 'no' && !holds)) return [];
          if (person.counts === 'yes' && counting(world) === 1) return 'last-administrator';
          person.counts = 'paused';
          return [{ type: 'AdministratorSuspended', data: { accountId, assignmentId } }];
        },
      };
    }),
    // Closed is only an account that counts no more.
    'is closed': on(anybody, (who, world) => {
      const person = personIn(world, who);
      if (person.counts !== 'yes') person.open = false;
      return undefined;
    }),
    'is opened': on(anybody, (who, world) => {
      personIn(world, who).open = true;
      return undefined;
    }),
    resume: on(anybody, (who, world) => {
      const person = personIn(world, who);
      const accountId = idOf(who);
      return {
        command: resumeAdministrator,
        input: { accountId },
        facts: { open: person.open },
        twice: 'nothing',
        expect: () => {
          if (person.counts !== 'paused' || !person.open) return [];
          person.counts = 'yes';
          return [{ type: 'AdministratorResumed', data: { accountId } }];
        },
      };
    }),
    bootstrap: on(fc.record({ who: anybody, named: fc.boolean() }), ({ who, named: isNamed }, world) => {
      const accountId = idOf(who);
      return {
        command: bootstrapAdministrator,
        input: { accountId },
        facts: { named: isNamed },
        twice: 'nothing',
        expect: () => {
          if (!isNamed || counting(world) > 0 || world.appointed === accountId) return [];
          world.appointed = accountId;
          return [{ type: 'AdministratorBootstrapped', data: { accountId } }];
        },
      };
    }),
  },
  seen: ({ members, suspended, appointed }) => ({
    counting: byAccount(Object.entries(members)),
    paused: byAccount(Object.entries(suspended)),
    appointed,
  }),
  expected: (world) => ({
    counting: byAccount(those(world, 'yes')),
    paused: byAccount(those(world, 'paused')),
    appointed: world.appointed,
  }),
  always: ({ members }, world, history) => {
    const began = history.some(({ type }) => type === 'AdministratorAdded' || type === 'AdministratorResumed');
    if (began) assert.ok(Object.keys(members).length > 0, 'somebody is administrator');
    assert.ok(
      Object.keys(members).every((accountId) => world.people[ACCOUNTS.indexOf(accountId)]?.open),
      'no closed account counts',
    );
  },
  refusals: ['last-administrator'],
});
