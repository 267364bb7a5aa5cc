import t, { type Test } from 'tap';
import { defaultLimits } from '../../../src/http/live/limits.ts';
import { createLive } from '../../../src/http/live/live.ts';
import type { Opened, Receiver } from '../../../src/http/live/subscription.ts';
import type { Frame } from '../../../src/http/live/topics.ts';
import { createLog, kinds } from './log.ts';

const actor = { id: 'anna', kind: 'user' as const, permissions: [], verified: true };

const setUp = async (t: Test, limits: Partial<typeof defaultLimits> = {}) => {
  const log = createLog();
  const live = await createLive({
    ...log,
    kinds: kinds.map((kind) => ({ kind })),
    reads: { load: async () => ({ state: undefined as never, revision: undefined }) },
    limits: { ...defaultLimits, ...limits },
    standing: async (who) => who,
    activeOf: async () => true,
    observe: () => undefined,
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
      frames.push(...delivery.frames);
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
    seqs: () => frames.map(({ seq }) => seq ?? ''),
    count: (n: number) => until(() => frames.length >= n),
    loss: () => until(() => lost),
  };
};

/** A connection of somebody's that opens topics. */
const connect = async (live: Live, id = 'anna') => {
  const place = await live.enter({ ...actor, id }, () => undefined);
  if (place === undefined) throw new Error('No place');
  return place;
};
/** Takes what is due and starts. */
const begun = (opened: Opened, receiver: Receiver) => {
  if (opened.kind === 'refused') throw new Error(opened.refusal.message);
  for (let due = opened.due(); due !== undefined; due = opened.due()) {
    opened.take();
    if (!('resync' in due)) receiver.deliver(due);
  }
  opened.start();
  return opened;
};
const begin = async (live: Live, topic: string, after: string | undefined, receiver: Receiver, id = 'anna') =>
  begun(await (await connect(live, id)).open(topic, after, receiver), receiver);

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
    await a.count(BigInt(opened.seq) < 10n ? 3 : 2);
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
      const opening = (await connect(live)).open(name, String(seen), one.receiver);
      for (let n = 40; n < 60; n += 1) append(stream, 'Said', { text: `missed ${n}` });
      t.equal(begun(await opening, one.receiver).seq, String(seen));
      append(stream, 'Said', { text: 'missed 60' });
      await one.count(61);
      t.strictSame(
        one.texts(),
        Array.from({ length: 61 }, (_, n) => `missed ${n}`),
      );
      t.ok(
        one.seqs().every((seq, index, all) => index === 0 || Number(seq) > Number(all[index - 1])),
        'in rising order',
      );
    });

  t.test('cut off between two messages of one event resumes with the rest of it', async (t) => {
    const { live, append } = await setUp(t);
    const before = append('room-a', 'Said', { text: 'seen' });
    append('room-a', 'SaidMore', { texts: ['one', 'two', 'three'] });
    append('room-a', 'Said', { text: 'four' });
    const first = reader();
    await begin(live, 'room:a', String(before), first.receiver);
    t.strictSame(first.texts(), ['one', 'two', 'three', 'four']);
    t.strictSame(first.seqs(), ['19.0001', '19.0002', '20', '30']);
    for (const [index, seq] of first.seqs().entries()) {
      const again = reader();
      t.equal((await begin(live, 'room:a', seq, again.receiver, `reader ${index}`)).seq, seq);
      t.strictSame(again.texts(), first.texts().slice(index + 1), seq);
    }
  });

  for (const name of ['room:a', 'hall:a'])
    t.test(`of ${name} asks to read afresh when more was missed than is kept, or another log is meant`, async (t) => {
      const { live, append } = await setUp(t, { replayedMessages: 20 });
      const stream = name === 'room:a' ? 'room-a' : 'hallDay-a~2027-03-01';
      const start = append(stream, 'Said', { text: 'seen' });
      for (let n = 0; n < 21; n += 1) append(stream, 'Said', { text: `${n}` });
      const one = reader();
      t.match(await begin(live, name, String(start), one.receiver), { resync: true });
      t.strictSame(one.texts(), []);
      append(stream, 'Said', { text: 'goes on' });
      await one.count(1);
      t.equal(one.texts().at(-1), 'goes on');
      t.match(await begin(live, name, '9999999', reader().receiver), { resync: true });
      t.match(await begin(live, name, String(start + 20n), reader().receiver), { resync: false });
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
    const anna = reader();
    const opening = (await connect(live)).open('room:a', undefined, anna.receiver);
    const bert = reader();
    await begin(live, 'room:a', undefined, bert.receiver, 'bert');
    append('room-a', 'ShownOut', { accountId: 'anna' });
    append('room-a', 'Said', { text: 'gone' });
    await bert.count(1);
    const opened = await opening;
    if (opened.kind === 'open') {
      begun(opened, anna.receiver);
      await anna.loss();
    }
    t.strictSame(anna.texts(), []);
    t.equal(live.hub.listeners(), 1);
  });

  t.test(
    'is refused without the right, of an unknown kind and with a malformed id, and leaves nothing behind',
    async (t) => {
      const { live } = await setUp(t);
      const { receiver } = reader();
      const { open } = await connect(live);
      t.match(await open('room:closed', undefined, receiver), { refusal: { code: 'FORBIDDEN' } });
      for (const topic of ['attic:a', 'room:A!', 'room', ''])
        t.match(await open(topic, undefined, receiver), { refusal: { code: 'VALIDATION_ERROR' } }, topic);
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
  const enter = (id: string) => live.enter({ ...actor, id }, () => undefined);
  const place = await enter('anna');
  t.ok(await enter('anna'));
  t.equal(await enter('anna'), undefined, 'end with the limit');
  t.ok(await enter('bert'), 'are counted for each account');
  place?.leave();
  place?.leave();
  t.ok(await enter('anna'), 'come back once');
  t.equal(await enter('anna'), undefined);
});
