import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import { race } from './contract/race.ts';

/**
 * A log in memory as databases keep one: what an append has written can be seen after its commit, some turns later.
 * Positions come from a sequence; they are in the order of the commits only when appends queue for them.
 */
const logInMemory = ({ queueing, forgetful = false }: { queueing: boolean; forgetful?: boolean }): EventStore => {
  const log: StoredEvent[] = [];
  const revisions = new Map<string, number>();
  let sequence = 0n;
  let queue = Promise.resolve();
  const positionOf = (event: StoredEvent | undefined) => event?.position ?? 0n;

  const append: EventStore['append'] = async (stream, expected, events) => {
    const current = revisions.get(stream) ?? -1;
    if (current !== (expected === 'noStream' ? -1 : expected))
      return { ok: false, actual: current < 0 ? 'noStream' : current };
    const revision = current + events.length;
    revisions.set(stream, revision);
    const store = async () => {
      const written = events.map((event, index): StoredEvent => {
        sequence += 1n;
        return {
          ...event,
          stream,
          revision: current + 1 + index,
          position: sequence,
          recordedAt: new Date(0).toISOString(),
        };
      });
      const last = positionOf(written.at(-1));
      // Not every commit takes as long as the others.
      for (let turns = Number(last % 5n); turns > 0; turns -= 1) await turn();
      if (!(forgetful && last % 40n === 0n)) log.push(...written);
      log.sort((a, b) => (a.position < b.position ? -1 : 1));
      return last;
    };
    const written = queueing ? queue.then(store) : store();
    queue = written.then(() => {});
    return { ok: true, revision, position: await written, repeated: false };
  };

  const readAll: EventStore['readAll'] = async (after, { filter, limit = 1000 } = {}) => {
    const head = positionOf(log.at(-1));
    const wanted = ({ stream, position }: StoredEvent) =>
      position > after && (filter?.categories?.some((one) => stream.startsWith(`${one}-`)) ?? true);
    const events = log.filter(wanted).slice(0, limit);
    if (events.length === limit) return { events, position: positionOf(events.at(-1)) };
    return { events, position: after + (head > after ? head - after : 0n) };
  };

  return {
    append,
    readAll,
    readStream: async (stream, { limit = 1000 } = {}) => {
      const revision = revisions.get(stream);
      const ghost = { id: '', type: '', data: '', metadata: '', stream, position: 0n, recordedAt: '' };
      return revision === undefined ? [] : [{ ...ghost, revision }].slice(0, limit);
    },
    head: async () => positionOf(log.at(-1)),
    subscribe: (from, { filter, onBatch }) => {
      let closed = false;
      const run = async () => {
        let after = from;
        while (!closed) {
          const batch = await readAll(after, filter === undefined ? {} : { filter });
          after = batch.position;
          if (batch.events.length > 0) await onBatch(batch);
          else await turn();
        }
      };
      const done = run();
      return {
        done,
        close: async () => {
          closed = true;
          await done;
        },
      };
    },
    close: async () => {},
  };
};

t.test('the race of the contract', async (t) => {
  t.test('finds nothing in a log whose appends queue for their positions', async (t) => {
    const store = logInMemory({ queueing: true });
    t.strictSame((await race(t, store, store)).findings, []);
  });
  t.test('finds what readers miss when positions are handed out before the commit', async (t) => {
    const store = logInMemory({ queueing: false });
    t.match(
      (await race(t, store, store)).findings.join('\n'),
      /^reader \d saw what lies above position \d+ without it$/m,
    );
  });
  t.test('finds what was acknowledged and is not there', async (t) => {
    const store = logInMemory({ queueing: true, forgetful: true });
    const { findings } = await race(t, store, store);
    t.match(findings.join('\n'), /^\d+ acknowledged, \d+ stored$/m);
    t.match(findings.join('\n'), /is not where it was acknowledged$/m);
  });
});
