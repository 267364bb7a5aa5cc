import t, { type Test } from 'tap';
import { defaultLimits } from '../../../src/http/live/limits.ts';
import { createLive } from '../../../src/http/live/live.ts';
import type { Receiver } from '../../../src/http/live/subscription.ts';
import { type Frame, framesOf } from '../../../src/http/live/topics.ts';
import { createLog, kinds } from './log.ts';

const actor = { id: 'anna', kind: 'user' as const, permissions: [], verified: true };

const setUp = async (t: Test, limits: Partial<typeof defaultLimits> = {}) => {
  const log = createLog();
  const live = await createLive({
    ...log,
    kinds: kinds.map((kind) => ({ kind })),
    reads: { load: async () => ({ state: undefined as never, revision: undefined }) },
    limits: { ...defaultLimits, ...limits },
    onError: (error) => t.fail(String(error)),
  });
  t.teardown(live.close);
  return { ...log, live };
};
type Live = Awaited<ReturnType<typeof setUp>>['live'];

/** A subscriber that keeps what it is told and can be waited for. */
const reader = () => {
  const frames: Frame[] = [];
  let lost = false;
  let told = Promise.withResolvers<void>();
  const tell = (): void => {
    told.resolve();
    told = Promise.withResolvers();
  };
  const receiver: Receiver = {
    deliver: (delivery) => {
      frames.push(...framesOf(delivery));
      tell();
    },
    lost: () => {
      lost = true;
      tell();
    },
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await told.promise;
  };
  return {
    receiver,
    texts: () => frames.map(({ data }) => (data as { text: string }).text),
    seqs: () => frames.map(({ seq }) => BigInt(seq)),
    count: (n: number) => until(() => frames.length >= n),
    loss: () => until(() => lost),
  };
};

const begin = async (live: Live, topic: string, after: bigint | undefined, receiver: Receiver, id = 'anna') => {
  const opened = await live.open(topic, { ...actor, id }, after?.toString(), receiver);
  if (opened.kind === 'refused') throw new Error(opened.refusal.message);
  for (const delivery of opened.due()) receiver.deliver(delivery);
  opened.start();
  return opened;
};

t.test('a topic', async (t) => {
  t.test('tells what happens from now on, to its own subscribers alone', async (t) => {
    const { live, append } = await setUp(t);
    append('room-a', 'Said', { text: 'before' });
    const [a, b] = [reader(), reader()];
    const opened = await begin(live, 'room:a', undefined, a.receiver);
    await begin(live, 'room:b', undefined, b.receiver);
    append('room-a', 'Said', { text: 'one' });
    append('room-b', 'Said', { text: 'other' });
    append('room-a', 'Said', { text: 'two' });
    await a.count(opened.seq < 10n ? 3 : 2);
    t.strictSame(a.texts().slice(-2), ['one', 'two']);
    await b.count(1);
    t.strictSame(b.texts(), ['other']);
  });

  for (const [name, stream] of [
    ['room:a', 'room-a'],
    ['hall:a', 'hallDay-a~2027-03-01'],
  ] as const)
    t.test(`resumes ${name} behind a message: every later one, none twice`, async (t) => {
      const { live, append } = await setUp(t);
      append(stream, 'Said', { text: 'seen' });
      const seen = append(stream, 'Said', { text: 'seen too' });
      append('room-other', 'Said', { text: 'elsewhere' });
      append('hallDay-b~2027-03-01', 'Said', { text: 'elsewhere' });
      for (let n = 0; n < 40; n += 1) append(stream, 'Said', { text: `missed ${n}` });
      const one = reader();
      const opening = live.open(name, actor, String(seen), one.receiver);
      for (let n = 40; n < 60; n += 1) append(stream, 'Said', { text: `missed ${n}` });
      const opened = await opening;
      if (opened.kind === 'refused') throw new Error('refused');
      t.equal(opened.seq, seen);
      for (const delivery of opened.due()) one.receiver.deliver(delivery);
      opened.start();
      append(stream, 'Said', { text: 'missed 60' });
      await one.count(61);
      t.strictSame(
        one.texts(),
        Array.from({ length: 61 }, (_, n) => `missed ${n}`),
      );
      t.ok(
        one.seqs().every((seq, index, all) => index === 0 || seq > (all[index - 1] ?? 0n)),
        'in rising order',
      );
    });

  t.test('cut off between two messages of one event resumes with the whole event', async (t) => {
    const { live, append } = await setUp(t);
    const before = append('room-a', 'Said', { text: 'seen' });
    append('room-a', 'SaidMore', { texts: ['one', 'two', 'three'] });
    const first = reader();
    await begin(live, 'room:a', before, first.receiver);
    t.strictSame(first.texts(), ['one', 'two', 'three']);
    const [cut, , last] = first.seqs();
    const second = reader();
    await begin(live, 'room:a', cut, second.receiver);
    t.strictSame(second.texts(), ['one', 'two', 'three']);
    const third = reader();
    await begin(live, 'room:a', last, third.receiver);
    t.strictSame(third.texts(), []);
  });

  for (const name of ['room:a', 'hall:a'])
    t.test(`of ${name} asks to read afresh when more was missed than is kept, or another log is meant`, async (t) => {
      const { live, append } = await setUp(t, { replayedMessages: 20 });
      const stream = name === 'room:a' ? 'room-a' : 'hallDay-a~2027-03-01';
      const start = append(stream, 'Said', { text: 'seen' });
      for (let n = 0; n < 21; n += 1) append(stream, 'Said', { text: `${n}` });
      const one = reader();
      t.match(await begin(live, name, start, one.receiver), { resync: true });
      t.strictSame(one.texts(), []);
      append(stream, 'Said', { text: 'goes on' });
      await one.count(1);
      t.equal(one.texts().at(-1), 'goes on');
      t.match(await begin(live, name, 9_999_999n, reader().receiver), { resync: true });
      t.match(await begin(live, name, start + 20n, reader().receiver), { resync: false });
    });

  t.test('is lost at once by the account that an event shows out, and by nobody else', async (t) => {
    const { live, append } = await setUp(t);
    const [anna, bert] = [reader(), reader()];
    await begin(live, 'room:a', undefined, anna.receiver, 'anna');
    await begin(live, 'room:a', undefined, bert.receiver, 'bert');
    append('room-a', 'ShownOut', { accountId: 'anna' });
    append('room-a', 'Said', { text: 'among ourselves' });
    await Promise.all([anna.loss(), bert.count(1)]);
    t.strictSame(anna.texts(), []);
    t.strictSame(bert.texts(), ['among ourselves']);
  });

  t.test('is refused to whoever is shown out while it opens', async (t) => {
    const { live, append } = await setUp(t);
    const opening = live.open('room:a', actor, undefined, reader().receiver);
    const bert = reader();
    await begin(live, 'room:a', undefined, bert.receiver, 'bert');
    append('room-a', 'ShownOut', { accountId: 'anna' });
    append('room-a', 'Said', { text: 'gone' });
    await bert.count(1);
    const opened = await opening;
    const after = opened.kind === 'open' ? opened.due() : [];
    t.strictSame(after, []);
    t.equal(live.hub.listeners(), 1);
  });

  t.test(
    'is refused without the right, of an unknown kind and with a malformed id, and leaves nothing behind',
    async (t) => {
      const { live } = await setUp(t);
      const { receiver } = reader();
      t.match(await live.open('room:closed', actor, undefined, receiver), { refusal: { code: 'FORBIDDEN' } });
      for (const topic of ['attic:a', 'room:A!', 'room', ''])
        t.match(await live.open(topic, actor, undefined, receiver), { refusal: { code: 'VALIDATION_ERROR' } }, topic);
      t.equal(live.hub.listeners(), 0);
    },
  );

  t.test('forgets subscribers that close', async (t) => {
    const { live } = await setUp(t);
    const opened = await begin(live, 'room:a', undefined, reader().receiver);
    t.equal(live.hub.listeners(), 1);
    opened.close();
    t.equal(live.hub.listeners(), 0);
  });
});

t.test('places', async (t) => {
  const { live } = await setUp(t, { connectionsPerAccount: 2 });
  const leave = live.enter('anna');
  t.ok(live.enter('anna'));
  t.equal(live.enter('anna'), undefined, 'end with the limit');
  t.ok(live.enter('bert'), 'are counted for each account');
  leave?.();
  leave?.();
  t.ok(live.enter('anna'), 'come back once');
  t.equal(live.enter('anna'), undefined);
});
