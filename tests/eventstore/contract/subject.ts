import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import {
  type Appended,
  type Batch,
  type EventStore,
  type Filter,
  type NewEvent,
  type Position,
  START,
  type StoredEvent,
} from '../../../src/eventstore/port.ts';

/** An adapter under test. The log need not be empty and may hold events of other tests; the factory closes what it opens. */
export type Subject = {
  readonly store: EventStore;
  /** A further connection to the same log, with nothing in its memory. */
  readonly another: () => Promise<EventStore>;
};
export type Open = (t: Test) => Promise<Subject>;

/** A word no other test uses, without a hyphen. */
export const unique = (): string => randomUUID().replaceAll('-', '');

/** The name of a stream of its own, in a category of its own. */
export const newStream = (category: string = `c${unique()}`): string => `${category}-${randomUUID()}`;

export const newEvent = (over: Partial<NewEvent> = {}): NewEvent => ({
  id: randomUUID(),
  type: 'Noted',
  data: '{"n":1}',
  metadata: '{"by":"contract"}',
  ...over,
});

export const newEvents = (count: number, over: Partial<NewEvent> = {}): NewEvent[] =>
  Array.from({ length: count }, (_, n) => newEvent({ data: JSON.stringify({ n }), ...over }));

/** The answer to an append that must have succeeded. */
export const stored = (answer: Appended): Extract<Appended, { ok: true }> => {
  if (!answer.ok) throw new Error(`refused, the stream is at ${answer.actual}`);
  return answer;
};

export const ids = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id);

/** Everything that the log holds after a position, taken in pages. Throws when the log stops short of its head. */
export const readOn = async (
  store: EventStore,
  after: Position,
  options: { readonly filter?: Filter; readonly limit?: number } = {},
): Promise<StoredEvent[]> => {
  const head = await store.head();
  const events: StoredEvent[] = [];
  let position = after;
  while (position < head) {
    const page = await store.readAll(position, options);
    if (page.position <= position) throw new Error(`stuck at ${position}, before the head ${head}`);
    events.push(...page.events);
    position = page.position;
  }
  return events;
};

/** Follows the log and keeps what comes, until asked to stop; `reached` waits for a state of the collection. */
export const follow = (
  t: Test,
  store: EventStore,
  after: Position = START,
  options: { readonly filter?: Filter; readonly onBatch?: (batch: Batch) => Promise<void> } = {},
) => {
  const batches: Batch[] = [];
  const events: StoredEvent[] = [];
  const waiting = new Set<() => void>();
  const { filter, onBatch } = options;
  const subscription = store.subscribe(after, {
    ...(filter && { filter }),
    onBatch: async (batch) => {
      await onBatch?.(batch);
      batches.push(batch);
      events.push(...batch.events);
      for (const look of waiting) look();
    },
  });
  subscription.done.catch(() => {});
  t.teardown(() => subscription.close());
  const position = () => batches.at(-1)?.position ?? after;
  const reached = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { subscription, batches, events, position, reached };
};

/** True when each position is higher than the one before. */
export const rising = (positions: readonly Position[]): boolean =>
  positions.every((position, n) => n === 0 || position > (positions[n - 1] ?? position));
