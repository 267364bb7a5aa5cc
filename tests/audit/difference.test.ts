import t from 'tap';
import { differences } from '../../src/audit/difference.ts';

t.test('differences', async (t) => {
  t.test('of equal values are none', async (t) => {
    t.strictSame(differences({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), []);
  });
  t.test('name each changed place with its path', async (t) => {
    t.strictSame(differences({ a: 1, b: { c: [1, 2] }, gone: 1 }, { a: 2, b: { c: [1, 3, 4] }, come: { x: 1 } }), [
      { path: 'a', before: 1, after: 2 },
      { path: 'b.c.1', before: 2, after: 3 },
      { path: 'b.c.2', after: 4 },
      { path: 'gone', before: 1 },
      { path: 'come', after: { x: 1 } },
    ]);
  });
  t.test('against nothing are the whole', async (t) => {
    t.strictSame(differences(undefined, { a: 1 }), [{ path: '', after: { a: 1 } }]);
  });
  t.test('between a list and an object are one change', async (t) => {
    t.strictSame(differences({ a: [] }, { a: {} }), [{ path: 'a', before: [], after: {} }]);
  });
});
