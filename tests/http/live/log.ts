import { z } from 'zod';
import { createCodec } from '../../../src/eventstore/codec.ts';
import type { Recorded } from '../../../src/eventstore/event.ts';
import type { Chunk } from '../../../src/eventstore/feed.ts';
import type { EventStore, Position, StoredEvent } from '../../../src/eventstore/port.ts';
import type { AnyTopicKind, Message } from '../../../src/http/live/topics.ts';

/** A topic of the tests: rooms, in which somebody says something, says several things at once, or is shown the door. */
const Said = z.object({ text: z.string() });
const SaidMore = z.object({ texts: z.array(z.string()) });
const ShownOut = z.object({ accountId: z.string() });
const events = { Said, SaidMore, ShownOut };

const said = (text: string): Message => ({ event: 'room:said', data: { text } });
type Data<S extends z.ZodType> = { readonly data: z.output<S> };

const kind = (of: Pick<AnyTopicKind, 'name' | 'category'> & Partial<AnyTopicKind>): AnyTopicKind => ({
  id: z.string().regex(/^[a-z0-9]+$/),
  summary: 'What is said in a room',
  topicOf: (stream) => stream.slice(stream.indexOf('-') + 1),
  messages: { 'room:said': Said },
  on: {
    Said: ({ data: { text } }: Data<typeof Said>) => [said(text)],
    SaidMore: ({ data: { texts } }: Data<typeof SaidMore>) => texts.map(said),
  },
  losses: { ShownOut: ({ data: { accountId } }: Data<typeof ShownOut>) => accountId },
  authorise: async (id) => (id === 'closed' ? { code: 'FORBIDDEN', message: 'The room is closed' } : undefined),
  ...of,
});
/** A topic that is one stream, and one spread over a category. */
export const kinds = [
  kind({ name: 'room', category: 'room', streamOf: (id) => `room-${id}` }),
  kind({
    name: 'hall',
    category: 'hallDay',
    topicOf: (stream) => stream.slice(stream.indexOf('-') + 1).split('~')[0] ?? '',
  }),
];

/** A log in memory with as much of the port as live updates use, a feed over it, and its codec. */
export const createLog = () => {
  const log: StoredEvent[] = [];
  let grown = Promise.withResolvers<void>();
  const codec = createCodec([{ events }], {
    toSeal: async () => new Map(),
    toOpen: async () => new Map(),
    erase: async () => {},
    forget: () => {},
  });
  const head = (): Position => log.at(-1)?.position ?? 0n;

  const append = (stream: string, type: keyof typeof events, data: object): Position => {
    const revision = log.filter((event) => event.stream === stream).length;
    const metadata = {
      schemaVersion: 1,
      commandId: 'c',
      command: 'Say',
      correlationId: 'r',
      actor: { id: 'a', kind: 'user' },
    };
    log.push({
      id: `${stream}/${revision}`,
      stream,
      revision,
      type,
      data: JSON.stringify(data),
      metadata: JSON.stringify(metadata),
      position: head() + 10n,
      recordedAt: '2027-03-01T09:00:00.000Z',
    });
    grown.resolve();
    grown = Promise.withResolvers();
    return head();
  };

  const store: Pick<EventStore, 'readStream' | 'readAll' | 'head'> = {
    head: async () => head(),
    readStream: async (stream, { from, direction = 'forwards', limit = 10_000 } = {}) => {
      const all = log.filter((event) => event.stream === stream);
      const backwards = direction === 'backwards';
      const ordered = backwards ? all.toReversed() : all;
      const start = from ?? (backwards ? Number.MAX_SAFE_INTEGER : 0);
      return ordered.filter(({ revision }) => (backwards ? revision <= start : revision >= start)).slice(0, limit);
    },
    readAll: async (after, { filter = {}, limit = 10_000 } = {}) => {
      const wanted = log.filter(
        ({ stream, position }) =>
          position > after && (filter.categories?.some((category) => stream.startsWith(`${category}-`)) ?? true),
      );
      const page = wanted.slice(0, limit);
      return { events: page, position: page.length < wanted.length ? (page.at(-1)?.position ?? after) : head() };
    },
  };
  const aborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  const feed = {
    after: async (position: Position, signal: AbortSignal): Promise<Chunk> => {
      while (position >= head()) await Promise.race([grown.promise, aborted(signal)]);
      const events = await codec.decode(log.filter((event) => event.position > position));
      return { events: events as Chunk['events'], from: position, to: head() };
    },
  };
  const recorded = async (): Promise<readonly Recorded[]> => (await codec.decode(log)) as readonly Recorded[];
  return { append, store: store as EventStore, feed, codec, recorded };
};
