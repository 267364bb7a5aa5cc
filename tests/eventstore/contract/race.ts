import { setImmediate as turn } from 'node:timers/promises';
import type { Test } from 'tap';
import type { Appended, EventStore, Filter, Position, StoredEvent } from '../../../src/eventstore/port.ts';
import { follow, ids, newEvents, newStream, readOn, stored, unique } from './subject.ts';

/** How many write at once. */
export const WRITERS = 16;
const APPENDS = 12;
const SHARED = 3;

type Stored = Extract<Appended, { ok: true }>;
/** An append that was acknowledged. */
type Entry = { readonly stream: string; readonly events: readonly string[]; readonly answer: Stored };

/** Reads page by page until it has come across an event. */
const poll = async (store: EventStore, after: Position, limit: number, last: () => string | undefined) => {
  const read: StoredEvent[] = [];
  let position = after;
  for (;;) {
    const page = await store.readAll(position, { limit });
    read.push(...page.events);
    position = page.position;
    if (page.events.some(({ id }) => id === last())) return read;
    await turn();
  }
};

const differing = (read: readonly StoredEvent[], log: readonly StoredEvent[]): string | undefined => {
  const at = log.findIndex(({ id }, index) => read[index]?.id !== id);
  if (at < 0) return read.length > log.length ? 'reads on behind the end' : undefined;
  const missed = log[at];
  return read.some(({ position }) => position > (missed?.position ?? 0n))
    ? `saw what lies above position ${missed?.position} without it`
    : `ends before position ${missed?.position}`;
};

/**
 * Sixteen writers at once, through two connections, on streams of their own and on three that they share, while readers
 * read page by page and follow live, with and without a filter, from the beginning and from in between. Answers with
 * everything that was not as the port promises.
 */
export const race = async (t: Test, store: EventStore, other: EventStore) => {
  const start = await store.head();
  const category = `shared${unique()}`;
  const shared = Array.from({ length: SHARED }, () => newStream(category));
  const ledger: Entry[] = [];
  let refused = 0;
  let last: string | undefined;
  const filter: Filter = { categories: [category] };

  const live = [
    { name: 'a subscription', follower: follow(t, store, start), of: () => true },
    { name: 'a subscription through the other connection', follower: follow(t, other, start), of: () => true },
    {
      name: 'a filtered subscription',
      follower: follow(t, other, start, { filter }),
      of: ({ stream }: StoredEvent) => stream.startsWith(`${category}-`),
    },
  ];
  const polls = [poll(store, start, 100, () => last), poll(other, start, 5, () => last)];

  const write = async (writer: number): Promise<void> => {
    const own = newStream();
    const through = writer % 2 === 0 ? store : other;
    for (let n = 0; n < APPENDS; n += 1) {
      const events = newEvents(1 + ((writer + n) % 3));
      const mine = n % 3 !== 2;
      const stream = mine ? own : (shared[(writer + n) % SHARED] ?? own);
      const before = (await through.readStream(stream, { direction: 'backwards', limit: 1 }))[0]?.revision;
      let answer = await through.append(stream, before ?? 'noStream', events);
      while (!answer.ok) {
        refused += 1;
        answer = await through.append(stream, answer.actual, events);
      }
      ledger.push({ stream, events: ids(events), answer });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  // One who comes in between reads on from where another reader stood.
  const between = live[0]?.follower.events[20]?.position ?? start;
  const late = follow(t, store, between);
  const [closing = newStream()] = shared;
  const [before] = await store.readStream(closing, { direction: 'backwards', limit: 1 });
  const end = newEvents(1);
  // Named before it is stored: a reader may come across it before its writer has the answer.
  last = end[0]?.id;
  const answer = stored(await store.append(closing, before?.revision ?? 'noStream', end));
  ledger.push({ stream: closing, events: ids(end), answer });
  const arrived = (events: readonly StoredEvent[]) => events.some(({ id }) => id === last);
  const polled = await Promise.all(polls);
  for (const { follower } of [...live, { follower: late }]) await follower.reached(() => arrived(follower.events));

  const log = await readOn(store, start);
  const findings: string[] = [];
  const found = (what: string, wrong: string | undefined) => wrong !== undefined && findings.push(`${what} ${wrong}`);
  for (const [index, read] of polled.entries()) found(`reader ${index}`, differing(read, log));
  for (const { name, follower, of } of live) found(name, differing(follower.events, log.filter(of)));
  found(
    'a late subscription',
    differing(
      late.events,
      log.filter(({ position }) => position > between),
    ),
  );

  const byId = new Map(log.map((event) => [event.id, event]));
  if (byId.size !== log.length) findings.push('an event lies in the log twice');
  const acknowledged = ledger.flatMap(({ events }) => events);
  if (acknowledged.length !== log.length) findings.push(`${acknowledged.length} acknowledged, ${log.length} stored`);
  for (const { stream, events, answer } of ledger) {
    const there = events.map((id) => byId.get(id));
    const first = answer.revision - events.length + 1;
    if (there.some((event, index) => event?.stream !== stream || event.revision !== first + index))
      findings.push(`an append to ${stream} at ${answer.revision} is not where it was acknowledged`);
    if (there.some((event) => event === undefined || event.position > answer.position))
      findings.push(`an append to ${stream} lies beyond its acknowledged position`);
  }
  const revisions = new Map<string, number>();
  for (const { stream, revision } of log) {
    if (revision !== (revisions.get(stream) ?? -1) + 1) findings.push(`the revisions of ${stream} are not dense`);
    revisions.set(stream, revision);
  }
  return { findings, stored: log.length, refused };
};
