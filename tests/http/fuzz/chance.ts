import type { Operation } from './document.ts';
import type { Harness } from './harness.ts';
import { CALLERS } from './leaks.ts';
import type { Pool } from './pool.ts';
import { type Random, randomOf, seedOf } from './random.ts';
import { requestOf } from './requests.ts';
import { spoils } from './spoils.ts';
import type { World } from './world.ts';

/** How many requests are under way at once. */
const LANES = 4;

/** Callers by how often they come: mostly those who have something to gain. */
const CROWD = CALLERS.flatMap((name) => Array.from({ length: name === 'stranger' ? 4 : 2 }, () => name));

/** Who gets how far: mighty callers are let in, the others are not everywhere. */
const callerFor = (operation: Operation, random: Random): string => {
  if (operation.open) return random.chance(0.6) ? 'nobody' : random.pick(CROWD);
  if (random.chance(0.25)) return 'admin';
  if (operation.path.includes('/provider') && random.chance(0.5)) return 'provider';
  return random.pick(CROWD);
};

/** Requests by chance, every operation as often as any other. What answers tell goes into the requests that follow. */
export const chance = async (
  { exchange, dataOf }: Harness,
  operations: readonly Operation[],
  world: World,
  pool: Pool,
  { requests, seed, progress = () => {} }: { requests: number; seed: number; progress?: (done: number) => void },
): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < requests; index = next++) {
      const random = randomOf(seedOf(seed, index));
      const operation = operations[index % operations.length] ?? random.pick(operations);
      const as = callerFor(operation, random);
      const person = world.people.get(as);
      const token = person?.token;
      let sent = requestOf(operation, { name: as, token }, random, pool);
      while (spoils(sent, world)) sent = requestOf(operation, { name: as, token }, random, pool);
      const reply = await exchange(sent, index);
      if (reply !== undefined && reply.status < 300) pool.harvest(operation.path, dataOf(reply));
      // Callers end their own sessions, and others' end with time.
      const shown = sent.headers.find(([name]) => name === 'authorization')?.[1];
      if (person !== undefined && reply?.status === 401 && shown === `Bearer ${person.token}`)
        await world.logIn(person);
      if ((index + 1) % 1_000 === 0) progress(index + 1);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
};
