import fc from 'fast-check';
import t from 'tap';
import { cursorOf } from '../../../src/http/live/cursor.ts';
import { defaultLimits } from '../../../src/http/live/limits.ts';
import { createLive, type Live } from '../../../src/http/live/live.ts';
import type { Opened } from '../../../src/http/live/subscription.ts';
import type { Frame } from '../../../src/http/live/topics.ts';
import { fewer, runs } from '../../support/random.ts';
import { createLog, kinds } from './log.ts';

const RUNS = 300;

type Log = ReturnType<typeof createLog>;
type Open = Extract<Opened, { kind: 'open' }>;

/** What may happen. Numbers choose among what is there at that moment. */
const Step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('say' as const), texts: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('elsewhere' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), deliveries: fc.integer({ min: 1, max: 5 }) }) },
  // In the middle of what came last, on one node or the other.
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('cut' as const),
      unseen: fc.integer({ min: 0, max: 3 }),
      node: fc.integer({ min: 0, max: 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lag' as const) }) },
);
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A node whose feed can be held up. */
const node = async (log: Log, replayedMessages: number) => {
  let held: Promise<void> | undefined;
  let release = (): void => {};
  const live = await createLive({
    ...log,
    feed: {
      after: async (position, signal) => {
        const chunk = await log.feed.after(position, signal);
        await held;
        return chunk;
      },
    },
    kinds: kinds.map((kind) => ({ kind })),
    reads: { load: async () => ({ state: undefined as never, revision: undefined }) },
    limits: { ...defaultLimits, replayedMessages },
    standing: async (actor) => actor,
    activeOf: async () => true,
    observe: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  return {
    live,
    /** Holds the node's feed up, or lets it go on. */
    lag: () => {
      release();
      if (held === undefined) {
        held = new Promise((resolve) => {
          release = resolve;
        });
      } else held = undefined;
    },
    catchUp: () => {
      release();
      held = undefined;
    },
  };
};

/** A client that keeps the texts it saw, and begins anew after each `resync`. */
const createClient = (topic: string) => {
  let seen: Frame[] = [];
  let after: string | undefined;
  let open: Open | undefined;
  let started = false;
  let leave = (): void => {};
  let alive = { over: true };

  const take = (frames: readonly Frame[]): void => {
    seen.push(...frames);
    after = frames.at(-1)?.seq ?? after;
  };
  const afresh = (seq: string): void => {
    seen = [];
    after = seq;
    begun = seq;
  };
  let begun = '0';

  const connect = async (live: Live): Promise<void> => {
    const mine = { over: false };
    alive = mine;
    started = false;
    const place = await live.enter(
      { id: 'anna', kind: 'user', permissions: [], verified: true, sessionId: 's' },
      () => undefined,
    );
    if (place === undefined) throw new Error('No place');
    const opened = await place.open(topic, after, {
      deliver: ({ frames }) => {
        if (!mine.over) take(frames);
      },
      lost: () => {
        throw new Error('Lost');
      },
    });
    if (opened.kind === 'refused') throw new Error(opened.refusal.message);
    open = opened;
    leave = () => {
      mine.over = true;
      opened.close();
      place.leave();
    };
    if (opened.resync || after === undefined) afresh(opened.seq);
  };
  /** Reads so much of what is due. */
  const read = (deliveries: number): void => {
    for (let n = 0; n < deliveries && !started && !alive.over; n += 1) {
      const due = open?.due();
      if (due === undefined) {
        started = true;
        open?.start();
        return;
      }
      open?.take();
      if ('resync' in due) afresh(String(due.resync));
      else take(due.frames);
    }
  };
  return {
    connect,
    read,
    /** Is cut off, and never got the last so many messages. */
    cut: (unseen: number): void => {
      leave();
      for (let n = 0; n < unseen && seen.length > 0; n += 1) {
        seen.pop();
        after = seen.at(-1)?.seq ?? begun;
      }
    },
    seen: () => seen.map(({ data }) => (data as { text: string }).text),
    begun: () => cursorOf(begun).position,
  };
};

const play = async (topic: string, stream: string, steps: readonly Step[], replayedMessages: number) => {
  const log = createLog();
  const nodes = [await node(log, replayedMessages), await node(log, replayedMessages)] as const;
  const told: { position: bigint; text: string }[] = [];
  let resumed = 0;
  const say = (count: number): void => {
    const texts = Array.from({ length: count }, (_, n) => `${told.length + n}`);
    const position =
      count === 1 ? log.append(stream, 'Said', { text: texts[0] }) : log.append(stream, 'SaidMore', { texts });
    for (const text of texts) told.push({ position, text });
  };
  const client = createClient(topic);
  await client.connect(nodes[0].live);
  for (const step of steps) {
    if (step.do === 'say') say(step.texts);
    else if (step.do === 'elsewhere') log.append(`${stream.split('-')[0]}-b`, 'Said', { text: 'elsewhere' });
    else if (step.do === 'read') client.read(step.deliveries);
    else if (step.do === 'lag') nodes[1].lag();
    else if (step.do === 'wait') for (let n = 0; n < step.turns; n += 1) await turn();
    else {
      client.cut(step.unseen);
      const connecting = client.connect(nodes[step.node as 0 | 1].live);
      say(1);
      await connecting;
      resumed += 1;
    }
  }
  nodes[1].catchUp();
  say(1);
  const last = told.at(-1);
  for (const { live } of nodes) while (live.hub.position() < (last?.position ?? 0n)) await turn();
  client.read(Number.POSITIVE_INFINITY);
  const wanted = told.filter(({ position }) => position > client.begun()).map(({ text }) => text);
  const seen = client.seen();
  client.cut(0);
  await Promise.all(nodes.map(({ live }) => live.close()));
  return { seen, wanted, resumed, begun: client.begun() };
};

for (const [topic, stream] of [
  ['room:a', 'room-a'],
  ['hall:a', 'hallDay-a~2027-03-01'],
] as const)
  t.test(
    `${topic}, cut off anywhere and resumed on any node, tells every message in order and none twice`,
    async (t) => {
      let resumed = 0;
      let afresh = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(Step, { minLength: 5, maxLength: 60 }),
          fc.constantFrom(3, 10, 500),
          async (steps, replayedMessages) => {
            const result = await play(topic, stream, steps, replayedMessages);
            resumed += result.resumed;
            if (result.begun > 0n) afresh += 1;
            if (result.seen.join() !== result.wanted.join())
              throw new Error(`saw ${result.seen.join()} of ${result.wanted.join()}`);
          },
        ),
        runs(RUNS),
      );
      t.ok(resumed > RUNS || fewer(RUNS), `${resumed} times resumed`);
      t.ok(afresh > 10 || fewer(RUNS), `${afresh} times afresh`);
    },
  );
