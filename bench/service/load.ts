import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type Connection, openConnection } from './connection.ts';

/** How much longer than it should a stretch at a fixed rate may take. */
const PATIENCE = 4;

/** Gives the next request of a kind. */
export type Source = () => string;

/** What a stretch of load came to. */
export type Load = {
  readonly perSecond: number;
  /** ms from sending to the whole answer; at a fixed rate from the moment when it was due. */
  readonly latencies: readonly number[];
};

const withConnections = async <Result>(
  url: string,
  count: number,
  work: (connections: readonly Connection[]) => Promise<Result>,
): Promise<Result> => {
  const connections = await Promise.all(Array.from({ length: count }, () => openConnection(url)));
  try {
    return await work(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
};

const accepted = (answer: Answer): Answer => {
  if (answer.status >= 300) throw new Error(`Refused: ${answer.status} ${answer.body().slice(0, 300)}`);
  return answer;
};

/** Every connection sends its next request as soon as it has the answer to the last one. Throws on the first refusal. */
export const closedLoop = (
  url: string,
  {
    source,
    connections,
    seconds,
    warmUp = 0,
  }: {
    readonly source: Source;
    readonly connections: number;
    readonly seconds: number;
    /** Seconds of the same load before, which do not count. */
    readonly warmUp?: number;
  },
): Promise<Load> =>
  withConnections(url, connections, async (all) => {
    const begin = performance.now() + warmUp * 1000;
    const end = begin + seconds * 1000;
    const latencies: number[] = [];
    await Promise.all(
      all.map(async (connection) => {
        for (;;) {
          const since = performance.now();
          if (since >= end) return;
          accepted(await connection.send(source()));
          const now = performance.now();
          if (since >= begin && now <= end) latencies.push(now - since);
        }
      }),
    );
    return { perSecond: latencies.length / seconds, latencies };
  });

/**
 * Sends so many requests a second whether or not those before were answered, over as many connections as that takes but
 * no more than `connections`; one that finds none free waits, and its latency counts from when it was due. A server that
 * cannot keep up is given four times as long, then what still waits is given up.
 */
export const fixedRate = (
  url: string,
  {
    source,
    connections,
    seconds,
    rate,
    answered = () => {},
  }: {
    readonly source: Source;
    readonly connections: number;
    readonly seconds: number;
    /** Requests a second. */
    readonly rate: number;
    readonly answered?: (answer: Answer) => void;
  },
): Promise<Load> =>
  withConnections(url, connections, async (all) => {
    const free = [...all];
    const waiting: number[] = [];
    const latencies: number[] = [];
    const failures: unknown[] = [];
    const begin = performance.now();
    const total = Math.round(rate * seconds);
    const end = begin + seconds * 1000 * PATIENCE;
    let due = 0;
    let last = begin;
    const run = async (connection: Connection): Promise<void> => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        answered(accepted(await connection.send(source())));
        last = performance.now();
        latencies.push(last - at);
      }
      free.push(connection);
    };
    while (latencies.length < total && failures.length === 0) {
      const now = performance.now();
      if (now > end) {
        due = total;
        waiting.length = 0;
        if (free.length === all.length) break;
      }
      for (; due < total && begin + (due * 1000) / rate <= now; due++) waiting.push(begin + (due * 1000) / rate);
      for (const connection of free.splice(0, waiting.length))
        run(connection).catch((error: unknown) => failures.push(error));
      await pause(1);
    }
    if (failures.length > 0) throw failures[0];
    return { perSecond: latencies.length / ((last - begin) / 1000), latencies };
  });
