import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/knownDevices.ts';
import { knownDevices, noteDevice } from '../../../src/domain/identity/knownDevices.ts';
import { model, movesIn, named } from '../../support/model.ts';
import { system } from '../../support/spec.ts';

type World = { readonly seen: Set<string> };
const on = movesIn<World>();

/** The devices on which an account was used: each told once, and the first as such. */
export const knownDevicesModel = model({
  decider: knownDevices,
  commands,
  world: (): World => ({ seen: new Set() }),
  moves: {
    note: on(fc.constantFrom('a', 'b', 'c', 'd'), (device, { seen }, { now }) => ({
      command: noteDevice,
      input: {
        accountId: named('somebody'),
        device,
        sessionId: named('session'),
        ip: '203.0.113.7',
        at: now.toISOString(),
      },
      actor: system,
      facts: { deviceHash: `hash of ${device}` },
      twice: 'nothing',
      expect: () => {
        if (seen.has(device)) return [];
        const first = seen.size === 0;
        seen.add(device);
        return [{ type: 'DeviceSeen', data: { first } }];
      },
    })),
  },
  seen: ({ devices }) => devices,
  expected: ({ seen }) => [...seen].map((device) => `hash of ${device}`),
  refusals: [],
});
