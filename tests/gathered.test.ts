import t from 'tap';
import { gathered } from '../src/gathered.ts';

t.test('questions of one turn', async (t) => {
  const asked: (readonly string[])[] = [];
  const lengthOf = gathered(async (keys) => {
    asked.push(keys);
    if (keys.includes('bad')) throw new Error('refused');
    return new Map(keys.filter((key) => key !== 'nobody').map((key) => [key, key.length]));
  });
  t.test('go out together, each key once, and everybody gets his own answer', async (t) => {
    t.same(await Promise.all(['a', 'bb', 'nobody', 'a'].map(lengthOf)), [1, 2, undefined, 1]);
    t.same(asked.splice(0), [['a', 'bb', 'nobody']]);
  });
  t.test('are asked anew in the next turn', async (t) => {
    t.equal(await lengthOf('a'), 1);
    t.equal(await lengthOf('a'), 1);
    t.same(asked.splice(0), [['a'], ['a']]);
  });
  t.test('fail together, and those of the next turn do not', async (t) => {
    const answers = await Promise.allSettled(['a', 'bad'].map(lengthOf));
    t.same(
      answers.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    t.equal(await lengthOf('a'), 1);
  });
});
