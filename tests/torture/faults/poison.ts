import { randomUUID } from 'node:crypto';
import type { NewEvent } from '../../../src/eventstore/port.ts';
import { type DeadLetter, deadLetters, decide } from '../../../src/projections/control.ts';
import { poisonDay } from '../clients/cast.ts';
import { convene } from '../world/command.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';
import type { Fault, Strike } from './fault.ts';

const SOME = 12;
/** Repeats by themselves and then an operator: OPS says five. */
const TRIES = 5;

const lettersOf = async ({ pool }: World): Promise<readonly DeadLetter[]> => (await deadLetters(pool())).letters;

const metadata = JSON.stringify({
  schemaVersion: 1,
  commandId: randomUUID(),
  command: 'Poison',
  correlationId: randomUUID(),
  actor: { id: 'service:torture', kind: 'system' },
});

/** The figure of a gauge over all projections, as the process with the api tells it. */
const parkedIn = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const figures = text.matchAll(/^convene_projection_parked_events\{[^}]*\} (\d+)/gm);
  return [...figures].reduce((sum, [, value]) => sum + Number(value), 0);
};

/** Waits until the letters are there, tries one again until it waits for an operator, and looks whether that is to be seen. */
const noticed = async (strike: Strike, isMine: (letter: DeadLetter) => boolean): Promise<void> => {
  const { world, acknowledgements, say, complain } = strike;
  const mine = async (): Promise<readonly DeadLetter[]> => (await lettersOf(world)).filter(isMine);
  const find = async (): Promise<DeadLetter | undefined> => (await mine()).find(({ kind }) => kind === 'projection');
  const first = await until('a dead letter', find);
  say(`parked: ${first.name}, ${first.type} ${first.revision}@${first.stream}, ${first.error}`);
  await acknowledgements(SOME);
  const listed = await convene(world, 'projections', 'list');
  if (listed.code !== 0 || !listed.output.includes(first.stream)) complain('convene projections list does not show it');

  for (let letter = await find(); letter !== undefined && letter.nextAttempt !== null; letter = await find()) {
    const { id, attempts } = letter;
    if (attempts > TRIES) complain(`${attempts} failures, and it is still repeated by itself`);
    if (attempts > TRIES) break;
    await decide(world.pool(), id, 'retry');
    await until('the next failure', async () => ((await find())?.attempts ?? 0) > attempts);
  }
  const api = await world.usable();
  await until('the parked event in the metrics', async () => (await parkedIn(api.url())) > 0);
  await until('a degraded health', async () => {
    const answer = await fetch(`${api.url()}/health/comprehensive`);
    return ((await answer.json()) as { data?: { status?: string } }).data?.status === 'degraded';
  });
  if (!(await api.isReady())) complain('a parked event made the process say that it is not ready');
};

/** Lets the operator skip every letter about an event, through the command for one of them. */
const skipped = async (strike: Strike, isMine: (letter: DeadLetter) => boolean): Promise<void> => {
  const { world, complain } = strike;
  const [first, ...others] = (await lettersOf(world)).filter(isMine);
  if (first !== undefined) {
    const { code, output } = await convene(world, 'projections', 'skip', first.id);
    if (code !== 0) complain(`convene projections skip: ${output}`);
  }
  for (const { id } of others) await decide(world.pool(), id, 'skip');
  await until('the end of the dead letters', async () => {
    const left = (await lettersOf(world)).filter(isMine);
    // A letter that came meanwhile, such as a policy's, is another of the same event.
    for (const { id } of left) await decide(world.pool(), id, 'skip');
    return left.length === 0;
  });
};

/** Puts an event into a day that nobody uses: `unreadable` for the codec, or readable and refused by a table. */
const plant = async (strike: Strike, kind: 'unreadable' | 'unfoldable'): Promise<string> => {
  const { world, cast, stage } = strike;
  const providerId = cast.providers[0]?.id ?? '';
  const day = poisonDay(stage.round);
  const stream = `schedule-${providerId}~${day}`;
  const slots = [{ slotId: `poison-${stage.round}`, startTime: 'no time at all', endTime: 'none' }];
  const data =
    kind === 'unreadable'
      ? { type: 'AppointmentBooked', data: { nonsense: true } }
      : { type: 'TimeSlotsGenerated', data: { providerId, day, slots, generationId: randomUUID() } };
  const event: NewEvent = { id: randomUUID(), type: data.type, data: JSON.stringify(data.data), metadata };
  stage.ledger.planted.add(event.id);
  const appended = await world.withStore((store) => store.append(stream, 'noStream', [event]));
  if (!appended.ok) throw new Error('The stream of the poison exists already');
  return stream;
};

const poisonEvent: Fault = {
  name: 'poison-event',
  topologies: ['one', 'two', 'split'],
  strike: async (strike) => {
    const kind = strike.random.chance(0.5) ? 'unreadable' : 'unfoldable';
    strike.say(`an ${kind} event is put into the log; an operator skips it`);
    const stream = await plant(strike, kind);
    const isMine = (letter: DeadLetter): boolean => letter.stream === stream;
    await noticed(strike, isMine);
    await skipped(strike, isMine);
  },
};

/** The table refuses an event of the load itself; once the reason is mended, the operator has it handled in order. */
const refusedRow: Fault = {
  name: 'refused-row',
  topologies: ['one', 'two'],
  strike: async (strike) => {
    const { world, stage, acknowledgements, say } = strike;
    stage.parked = true;
    say('the table of appointments refuses new rows for a while; an operator mends it and redrives');
    await world.pool().query(`alter table read.appointments add constraint torture check (version > 0) not valid`);
    const isMine = ({ name }: DeadLetter): boolean => name === 'appointments';
    await noticed(strike, isMine);
    await acknowledgements(SOME);
    await world.pool().query(`alter table read.appointments drop constraint torture`);
    await until('the redriven events', async () => {
      const left = (await lettersOf(world)).filter(isMine);
      for (const { id, nextAttempt } of left) if (nextAttempt === null) await decide(world.pool(), id, 'retry');
      return left.length === 0;
    });
    stage.parked = false;
  },
};

export const poisonFaults: readonly Fault[] = [poisonEvent, refusedRow];
