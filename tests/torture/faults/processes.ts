import { setTimeout as pause } from 'node:timers/promises';
import type { Node } from '../world/node.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';

const FEW = 5;

/** Kills a process as the kernel does, and starts it again. */
const crash = async (node: Node, noticed: Promise<void>): Promise<void> => {
  const roles = node.roles();
  node.signal('SIGKILL');
  await node.ended();
  await noticed;
  await node.start(roles);
};

const killService: Fault = {
  name: 'kill-service',
  topologies: ['one', 'two', 'split'],
  strike: async ({ world, random, failures, acknowledgements, say }) => {
    const victim = random.pick(world.wanted());
    say(`kill -9 of ${victim.name} (${victim.roles().join(', ')}), one of ${world.wanted().length}`);
    const others = world.wanted().filter((node) => node !== victim && node.roles().includes('api'));
    // With another process the clients go on; without one they meet a closed door first.
    await crash(victim, others.length > 0 ? acknowledgements(FEW * 4) : failures(FEW));
  },
};

const killDatabase: Fault = {
  name: 'kill-postgres',
  topologies: ['one', 'two'],
  strike: async ({ world, failures, say }) => {
    say('kill -9 of PostgreSQL and all its sessions');
    const noticed = failures(FEW);
    await world.database.kill();
    await noticed;
    await world.database.start();
  },
};

const killBoth: Fault = {
  name: 'kill-both',
  topologies: ['one', 'two'],
  strike: async ({ world, random, say }) => {
    const databaseFirst = random.chance(0.5);
    say(`kill -9 of the service and PostgreSQL, ${databaseFirst ? 'PostgreSQL' : 'the service'} first`);
    const roles = world.wanted().map((node) => node.roles());
    if (databaseFirst) await world.database.kill();
    for (const node of world.wanted()) node.signal('SIGKILL');
    if (!databaseFirst) await world.database.kill();
    await Promise.all(world.wanted().map((node) => node.ended()));
    await world.database.start();
    await Promise.all(world.wanted().map((node, index) => node.start(roles[index] ?? [])));
  },
};

const terminate: Fault = {
  name: 'terminate',
  topologies: ['one', 'two'],
  strike: async ({ world, random, say, complain }) => {
    const victim = random.pick(world.wanted());
    say(`SIGTERM for ${victim.name} under load`);
    victim.signal('SIGTERM');
    const { code, signal } = await victim.ended();
    if (code !== 0) complain(`${victim.name} ended with ${code ?? signal} after SIGTERM instead of 0`);
    await victim.start(victim.roles());
  },
};

/** How far the projections have come, at least. */
const slowest = async ({ pool }: World): Promise<bigint> => {
  const { rows } = await pool().query<{ position: string }>(
    `select min(position)::text as position from convene.checkpoints where kind = 'projection' and slot = 'live'`,
  );
  return BigInt(rows[0]?.position ?? 0);
};

const freezeProjector: Fault = {
  name: 'freeze-projector',
  topologies: ['split'],
  strike: async ({ world, freezeMs, acknowledgements, say, complain }) => {
    const projector = world.wanted().find((node) => !node.roles().includes('api'));
    if (projector === undefined) throw new Error('No process has the projector alone');
    say(`SIGSTOP of the projector for ${freezeMs / 1000} s while the api goes on`);
    projector.signal('SIGSTOP');
    const before = await slowest(world);
    await Promise.all([acknowledgements(FEW * 8), pause(freezeMs)]);
    if ((await slowest(world)) > before + 1n) complain('the read models moved while the projector was frozen');
    projector.signal('SIGCONT');
    await until('the projections after the freeze', async () => (await slowest(world)) > before);
  },
};

const JUMPS_MS = [90_000, -90_000, 600_000, -600_000, 7_200_000, -7_200_000, 86_400_000, -86_400_000];

const clockJump: Fault = {
  name: 'clock-jump',
  topologies: ['one', 'two'],
  strike: async ({ world, random, acknowledgements, say }) => {
    const jumps = [random.pick(JUMPS_MS), random.pick(JUMPS_MS)];
    const node = random.pick(world.wanted());
    say(`the clock of ${node.name} jumps by ${jumps.map((ms) => `${ms / 1000} s`).join(', then ')}, and back`);
    for (const jump of jumps) {
      await node.setClock(jump);
      await acknowledgements(FEW * 5);
    }
    await node.setClock(0);
  },
};

export const processFaults: readonly Fault[] = [
  killService,
  killDatabase,
  killBoth,
  terminate,
  freezeProjector,
  clockJump,
];
