import { setTimeout as pause } from 'node:timers/promises';
import { DECKS } from '../src/domain/estimation/decks.ts';
import type { Bench, Context, Row } from './bench.ts';
import { latencies } from './rounds.ts';
import { openConnection, requestText } from './service/connection.ts';
import { type Heard, type Listens, listeners } from './service/listeners.ts';
import { runService, settled } from './service/process.ts';
import { type Login, tokenOf } from './service/secrets.ts';
import { loggedIn, openSession, seed } from './service/seed.ts';

/** As many as a session takes. */
const PARTICIPANTS = 50;
/** Changes of one stretch. */
const CHANGES = 600;
/** Changes a second: everybody in the room plays a card within two and a half seconds. */
const RATE = 20;
/** Changes before them that do not count. */
const WARM_UP = 40;
const PATIENCE_MS = 30_000;

/** Milliseconds from sending a change to each participant's message, over all changes and participants. */
type Spread = {
  readonly all: readonly number[];
  readonly slowest: readonly number[];
  /** Until the answer to whoever sent the change. */
  readonly answers: readonly number[];
};

const measure = async ({ database, folder, sized, says }: Context) => {
  const { connectionString, drop } = await database({ migrate: true });
  const people: Login[] = [];
  let sessionId = '';
  let storyId = '';
  await seed(connectionString, async (append) => {
    for (let number = 0; number < PARTICIPANTS; number++) people.push(await loggedIn(append, 'free', number));
    ({ sessionId, storyId } = await openSession(append, people, 0));
  });
  const service = await runService(connectionString, folder);
  await settled(connectionString);

  const stretch = async (listens: Listens): Promise<Spread> => {
    const arrivals = new Map<string, number[]>();
    const heard: Heard = (seq, at) => {
      const known = arrivals.get(seq);
      if (known === undefined) arrivals.set(seq, [at]);
      else known.push(at);
    };
    const topic = `session:${sessionId}`;
    const leave = await Promise.all(people.map((person) => listens(service.url, tokenOf(person), topic, heard)));
    const lines = await Promise.all(people.map(() => openConnection(service.url)));
    const vote = (number: number): string => {
      const person = people[number % PARTICIPANTS] as Login;
      const value = DECKS.fibonacci[Math.floor(number / PARTICIPANTS) % DECKS.fibonacci.length];
      const path = `/api/v1/sessions/${sessionId}/stories/${storyId}/vote`;
      return requestText('PUT', path, { token: tokenOf(person), body: { value } });
    };
    const sent = new Map<string, number>();
    const answers: number[] = [];
    const play = async (number: number, counts: boolean): Promise<void> => {
      const line = lines[number % PARTICIPANTS];
      if (line === undefined) throw new Error('Nobody to vote');
      const at = performance.now();
      const { status, position, body } = await line.send(vote(number));
      if (status !== 200 || position === 0) throw new Error(`Refused: ${status} ${body().slice(0, 300)}`);
      if (!counts) return;
      sent.set(String(position), at);
      answers.push(performance.now() - at);
    };
    const first = changes;
    const total = WARM_UP + sized(CHANGES);
    const begin = performance.now();
    const playing: Promise<void>[] = [];
    for (let index = 0; index < total; index++) {
      const due = begin + (index * 1000) / RATE;
      if (due > performance.now()) await pause(due - performance.now());
      playing.push(play(first + index, index >= WARM_UP));
    }
    await Promise.all(playing);
    changes += total;
    const complete = (): boolean => [...sent.keys()].every((seq) => arrivals.get(seq)?.length === PARTICIPANTS);
    for (const end = performance.now() + PATIENCE_MS; !complete(); await pause(10))
      if (performance.now() > end) throw new Error('A change has not reached every participant');
    for (const close of [...leave, ...lines.map((line) => line.close)]) close();
    const taken = [...sent].map(([seq, at]) => (arrivals.get(seq) ?? []).map((arrival) => arrival - at));
    return { all: taken.flat(), slowest: taken.map((each) => Math.max(...each)), answers };
  };

  let changes = 0;
  try {
    const rows: Row[] = [];
    let worst = 0;
    for (const [who, listens] of Object.entries(listeners)) {
      const { all, slowest, answers } = await stretch(listens);
      const answered = latencies(answers);
      const each = latencies(all);
      const last = latencies(slowest);
      says(`${who}: p99 ${each.p99.toFixed(1)} ms`);
      worst = Math.max(worst, each.p99);
      rows.push(
        { who, metric: 'change sent to its own answer, p50', value: answered.p50, unit: 'ms' },
        { who, metric: 'change sent to its own answer, p99', value: answered.p99, unit: 'ms' },
        { who, metric: 'change sent to message read, p50', value: each.p50, unit: 'ms' },
        { who, metric: 'change sent to message read, p99', value: each.p99, unit: 'ms' },
        { who, metric: 'the last of the participants, p50', value: last.p50, unit: 'ms' },
        { who, metric: 'the last of the participants, p99', value: last.p99, unit: 'ms' },
      );
    }
    return { rows, ratios: {}, goals: [{ name: 'live p99', value: worst, unit: 'ms', atMost: 100 }] };
  } finally {
    await service.stop();
    await drop();
  }
};

/** How soon a change of a full session reaches everybody in it. */
export const live: Bench = {
  name: 'live',
  title: 'A change of a session until each of its 50 participants has read of it',
  run: measure,
};
