import fc from 'fast-check';
import t from 'tap';
import { fewer, runs } from '../../support/random.ts';
import { openStream, type Sent } from './client.ts';
import { createLog } from './log.ts';
import { liveServer } from './server.ts';

const ROUNDS = 30;

const Say = fc.record({ of: fc.constantFrom('room', 'hall', 'elsewhere'), texts: fc.integer({ min: 1, max: 4 }) });
/** Cut off after so many more messages, or at once, and on again at one node or the other. */
const Cut = fc.record({ behind: fc.integer({ min: 0, max: 3 }), node: fc.integer({ min: 0, max: 1 }) });
const Steps = fc.array(fc.oneof({ weight: 5, arbitrary: Say }, { weight: 1, arbitrary: Cut }), {
  minLength: 10,
  maxLength: 60,
});

const STREAMS = { room: 'room-a', hall: 'hallDay-a~2027-03-01', elsewhere: 'room-b' } as const;

t.test('streams of several topics, cut off anywhere and resumed on any node, tell all of them in order', async (t) => {
  const log = createLog();
  const nodes = [await liveServer(t, log), await liveServer(t, log)] as const;
  const property = runs(ROUNDS);
  let resumed = 0;
  let said = 0;
  await fc.assert(
    fc.asyncProperty(Steps, async (steps) => {
      const wanted: string[] = [];
      const seen: Sent[] = [];
      let after: string | undefined;
      const open = async (node: number) => {
        const url = `${nodes[node as 0 | 1].url}/live?topics=room:a,hall:a&ticket=one`;
        const stream = await openStream(url, after === undefined ? {} : { 'last-event-id': after });
        await stream.next(({ event }) => event === 'subscribed');
        return stream;
      };
      const messages = (events: readonly Sent[]) => events.filter(({ data }) => data.event !== undefined);
      let stream = await open(0);
      const say = (of: keyof typeof STREAMS, count: number): void => {
        const texts = Array.from({ length: count }, (_, n) => `${said + n}`);
        said += count;
        if (count === 1) log.append(STREAMS[of], 'Said', { text: texts[0] });
        else log.append(STREAMS[of], 'SaidMore', { texts });
        if (of !== 'elsewhere') wanted.push(...texts);
      };
      const cut = async (): Promise<void> => {
        await stream.close();
        seen.push(...messages(stream.events));
        after = stream.events.findLast(({ id }) => id !== undefined)?.id ?? after;
      };
      for (const step of steps) {
        if ('of' in step) say(step.of as keyof typeof STREAMS, step.texts);
        else {
          const enough = Math.min(wanted.length, seen.length + step.behind);
          await stream.next(() => seen.length + messages(stream.events).length >= enough);
          await cut();
          const opening = open(step.node);
          say('room', 1);
          stream = await opening;
          resumed += 1;
        }
      }
      await stream.next(() => seen.length + messages(stream.events).length >= wanted.length);
      await cut();
      const texts = seen.map(({ data }) => data.data.text);
      if (texts.join() !== wanted.join()) throw new Error(`heard ${texts.join()} of ${wanted.join()}`);
    }),
    property,
  );
  t.ok(resumed > ROUNDS || fewer(ROUNDS), `${resumed} times resumed`);
});
