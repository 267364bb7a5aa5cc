import t from 'tap';
import { z } from 'zod';
import { marksOf } from '../../src/audit/marks.ts';
import { masked, secretStandIns } from '../../src/audit/masking.ts';
import { pii, secret } from '../../src/domain/decider.ts';

const schema = z.object({
  accountId: z.string(),
  email: pii('accountId', z.string()),
  phone: pii('accountId', z.string()).optional().describe('a number'),
  name: pii('accountId', z.string()).nullable(),
  passwordHash: secret(z.string()).optional(),
  codes: z.array(secret(z.string())),
  contacts: z.array(z.object({ kind: z.string(), value: pii('accountId', z.string()) })),
  notes: z.record(z.string(), pii('accountId', z.string())),
  by: z.union([
    z.object({ kind: z.literal('person'), who: pii('accountId', z.string()) }),
    z.object({ kind: z.literal('system') }),
  ]),
});
const data = {
  accountId: 'a-1',
  email: 'anna@x.io',
  phone: '+352 621 123 456',
  name: 'Anna',
  passwordHash: 'h',
  codes: ['1', '2'],
  contacts: [{ kind: 'mail', value: 'b@y.org' }],
  notes: { first: 'hello' },
  by: { kind: 'person', who: 'Anna' },
};
const marks = marksOf(schema);

t.test('masking', async (t) => {
  t.test('hides personal fields wherever they stand and leaves secrets out', async (t) => {
    t.strictSame(masked(marks, data, false), {
      accountId: 'a-1',
      email: 'a***@x.io',
      phone: '***56',
      name: '***',
      codes: [],
      contacts: [{ kind: 'mail', value: 'b***@y.org' }],
      notes: { first: '***' },
      by: { kind: 'person', who: '***' },
    });
  });
  t.test('shows personal fields to the cleared, secrets to nobody', async (t) => {
    const { passwordHash: _, ...rest } = data;
    t.strictSame(masked(marks, data, true), { ...rest, codes: [] });
  });
  t.test('keeps null and what was erased', async (t) => {
    t.match(masked(marks, { ...data, name: null, email: 'deleted' }, false), { name: null, email: 'deleted' });
  });
  t.test('returns data without marks as it is', async (t) => {
    const plain = { a: [1, { b: null }] };
    t.equal(marksOf(z.object({ a: z.array(z.unknown()) })), undefined);
    t.equal(masked(undefined, plain, false), plain);
  });
});

t.test('secret stand-ins', async (t) => {
  const { standIn, without } = secretStandIns();
  const one = masked(marks, data, true, standIn) as { passwordHash: string; codes: string[] };
  const two = masked(marks, data, true, standIn) as { passwordHash: string };
  t.equal(one.passwordHash, two.passwordHash, 'are equal for equal secrets');
  t.not(one.codes[0], one.codes[1]);
  t.strictSame(
    without({ hash: one.passwordHash, byHash: { [one.codes[0] ?? '']: 1, kept: 2 }, list: [one.codes[1], 3], n: null }),
    { byHash: { kept: 2 }, list: [3], n: null },
    'are taken out of a state, as values and as keys',
  );
});
