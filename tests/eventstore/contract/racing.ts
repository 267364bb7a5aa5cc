import { setImmediate as turn } from 'node:timers/promises';
import type { Test } from 'tap';
import type { StoredEvent } from '../../../src/eventstore/port.ts';
import { race, WRITERS } from './race.ts';
import { follow, ids, newEvents, newStream, type Open, readOn, rising, stored } from './subject.ts';

/** Many writers at once: who wins, and what readers may see meanwhile. */
export const racing = (t: Test, open: Open): void => {
  t.test('concurrent writers', async (t) => {
    t.test('never let a reader see an event before all lower ones', async (t) => {
      const { store, another } = await open(t);
      const other = await another();
      const start = await store.head();
      const appends = 12;
      const expected = WRITERS * appends * 2;
      const follower = follow(t, other, start);
      const polled: StoredEvent[] = [];
      const poll = async () => {
        let position = start;
        while (polled.length < expected) {
          const page = await other.readAll(position, { limit: 7 });
          polled.push(...page.events);
          position = page.position;
          await turn();
        }
      };
      const write = async (writer: number) => {
        const stream = newStream();
        const through = writer % 2 === 0 ? store : other;
        for (let n = 0; n < appends; n += 1)
          stored(await through.append(stream, n === 0 ? 'noStream' : 2 * n - 1, newEvents(2)));
      };
      await Promise.all([poll(), ...Array.from({ length: WRITERS }, (_, writer) => write(writer))]);
      await follower.reached(() => follower.events.length >= expected);
      const again = await readOn(store, start);
      t.equal(again.length, expected);
      t.ok(rising(again.map(({ position }) => position)));
      t.same(polled, again, 'what was read page by page is what the log holds');
      t.same(follower.events, again, 'and so is what was subscribed to');
    });

    t.test('on shared and on own streams lose nothing, double nothing and hide nothing', async (t) => {
      const { store, another } = await open(t);
      const { findings, stored, refused } = await race(t, store, await another());
      t.strictSame(findings, []);
      t.ok(stored > WRITERS * 12, `${stored} events`);
      t.ok(refused > 0, `${refused} conflicts`);
    });

    t.test('on one stream win each revision once', async (t) => {
      const { store, another } = await open(t);
      const other = await another();
      const stream = newStream();
      const rounds = 10;
      const won: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const tries = Array.from({ length: WRITERS }, () => newEvents(1));
        const answers = await Promise.all(
          tries.map((events, n) =>
            (n % 2 === 0 ? store : other).append(stream, round === 0 ? 'noStream' : round - 1, events),
          ),
        );
        const winners = answers.flatMap((answer, n) => (answer.ok ? [{ answer, events: tries[n] ?? [] }] : []));
        t.equal(winners.length, 1, `round ${round}`);
        t.match(winners[0]?.answer, { revision: round, repeated: false });
        won.push(...ids(winners[0]?.events ?? []));
        for (const answer of answers) if (!answer.ok) t.equal(answer.actual, round);
      }
      t.same(ids(await store.readStream(stream)), won);
    });

    t.test('who go on after each conflict all get through', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const written = await Promise.all(
        Array.from({ length: WRITERS }, async () => {
          const events = newEvents(2);
          let answer = await store.append(stream, 'noStream', events);
          while (!answer.ok) answer = await store.append(stream, answer.actual, events);
          t.equal(answer.repeated, false);
          return ids(events);
        }),
      );
      const read = await store.readStream(stream);
      t.same(
        read.map(({ revision }) => revision),
        Array.from({ length: WRITERS * 2 }, (_, n) => n),
      );
      const pairs = Array.from({ length: WRITERS }, (_, n) => ids(read.slice(2 * n, 2 * n + 2)).join());
      t.same(pairs.sort(), written.map((pair) => pair.join()).sort(), 'and no append is torn apart');
    });

    t.test('finish before the store is closed', async (t) => {
      const { store, another } = await open(t);
      const closing = await another();
      const streams = Array.from({ length: WRITERS }, () => newStream());
      const answers = Promise.all(streams.map((stream) => closing.append(stream, 'noStream', newEvents(1))));
      await closing.close();
      t.ok((await answers).every(({ ok }) => ok));
      for (const stream of streams) t.equal((await store.readStream(stream)).length, 1);
    });
  });
};
