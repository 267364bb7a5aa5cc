import { setTimeout as pause } from 'node:timers/promises';
import type { EventStoreServer } from '../world/eventStore.ts';
import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';

const SOME = 10;
const TIMES = 3;

const serverOf = ({ eventStore }: World): EventStoreServer => {
  if (eventStore === undefined) throw new Error('There is no event store in this run');
  return eventStore;
};

const killEventStore: Fault = {
  name: 'kill-eventstore',
  topologies: ['one', 'two', 'split'],
  store: 'eventstoredb',
  strike: async ({ world, failures, say }) => {
    say('kill -9 of EventStoreDB, started again once requests fail');
    const noticed = failures(SOME);
    await serverOf(world).kill();
    await noticed;
    await serverOf(world).start();
  },
};

const freezeEventStore: Fault = {
  name: 'freeze-eventstore',
  topologies: ['one', 'two'],
  store: 'eventstoredb',
  strike: async ({ world, freezeMs, say }) => {
    say(`EventStoreDB frozen for ${freezeMs / 1000} s`);
    serverOf(world).freeze();
    await pause(freezeMs);
    serverOf(world).thaw();
  },
};

const killAll: Fault = {
  name: 'kill-eventstore-and-service',
  topologies: ['one'],
  store: 'eventstoredb',
  strike: async ({ world, say }) => {
    say('kill -9 of EventStoreDB and the service');
    const [node] = world.wanted();
    const roles = node?.roles() ?? [];
    node?.signal('SIGKILL');
    await Promise.all([serverOf(world).kill(), node?.ended()]);
    await serverOf(world).start();
    await node?.start(roles);
  },
};

const loseEventStoreAnswers: Fault = {
  name: 'lose-eventstore-answers',
  topologies: ['one', 'two'],
  store: 'eventstoredb',
  strike: async (strike) => {
    const { world, acknowledgements, say } = strike;
    const { muffle, cut } = serverOf(world);
    if (muffle === undefined || cut === undefined) {
      say('NOT MADE: no link lies before a real server; it is killed instead');
      return killEventStore.strike(strike);
    }
    say(`EventStoreDB stores without answering, then every connection breaks, ${TIMES} times`);
    for (let time = 0; time < TIMES; time += 1) {
      muffle();
      await pause(300);
      cut();
      await acknowledgements(SOME);
    }
  },
};

export const eventStoreFaults: readonly Fault[] = [killEventStore, freezeEventStore, killAll, loseEventStoreAnswers];
