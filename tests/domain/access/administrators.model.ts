import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/access/administrators.ts';
import { addAdministrator, administrators, releaseAdministrator } from '../../../src/domain/access/administrators.ts';
import { model, movesIn, named } from '../../support/model.ts';

const ACCOUNTS = ['ada', 'ben', 'cyd'].map(named);
/** Three assignments of each account. */
const assignmentOf = (who: number, which: number): string => named(`assignment ${which} of ${who}`);

type World = { readonly members: Map<string, string>; readonly letGo: Set<string> };
const on = movesIn<World>();
const one = fc.record({ who: fc.nat(2), which: fc.nat(2) });
const named2 = ({ who, which }: { who: number; which: number }) => ({
  accountId: ACCOUNTS[who] ?? '',
  assignmentId: assignmentOf(who, which),
});

/** Who counts as administrator: never again by an assignment that was let go, and the last one stays. */
export const administratorsModel = model({
  decider: administrators,
  commands,
  world: (): World => ({ members: new Map(), letGo: new Set() }),
  moves: {
    add: on(one, (args, { members, letGo }) => {
      const input = named2(args);
      const { accountId, assignmentId } = input;
      return {
        command: addAdministrator,
        input,
        twice: 'nothing',
        expect: () => {
          if (members.get(accountId) === assignmentId || letGo.has(assignmentId)) return [];
          members.set(accountId, assignmentId);
          return [{ type: 'AdministratorAdded', data: input }];
        },
      };
    }),
    release: on(one, (args, { members, letGo }) => {
      const input = named2(args);
      const { accountId, assignmentId } = input;
      return {
        command: releaseAdministrator,
        input,
        twice: 'nothing',
        expect: () => {
          if (letGo.has(assignmentId)) return [];
          if (![...members.keys()].some((member) => member !== accountId)) return 'last-administrator';
          members.delete(accountId);
          letGo.add(assignmentId);
          return [{ type: 'AdministratorReleased', data: input }];
        },
      };
    }),
  },
  seen: ({ members }) => members,
  expected: ({ members }) => Object.fromEntries([...members].sort()),
  always: ({ members }, _world, history) => {
    if (history.length > 0) assert.ok(Object.keys(members).length > 0, 'somebody is administrator');
  },
  refusals: ['last-administrator'],
});
