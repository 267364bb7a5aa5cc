import t from 'tap';
import { tapReader } from '../../scripts/tap.ts';

const tallyOf = (tap: string) => {
  const reports: { file: string; failures: readonly string[] }[] = [];
  const reader = tapReader((report) => reports.push(report));
  tap.split('\n').forEach(reader.line);
  return { ...reader.end(), reports };
};

t.test('the count of tests', async (t) => {
  t.test('takes each subtest that holds no other', async (t) =>
    t.match(
      tallyOf(`TAP version 14
1..1
# Subtest: a.test.ts
    # Subtest: one
        # Subtest: inner
            ok 1 - x
            1..1
        ok 1 - inner # time=1ms
        1..1
    ok 1 - one # time=1ms
    # Subtest: two
        1..0
    ok 2 - two # time=1ms
    1..2
ok 1 - a.test.ts # time=12.5ms`),
      { passed: 2, failed: 0, reports: [{ file: 'a.test.ts', time: 12.5, failures: [] }] },
    ),
  );
  t.test('takes a failure once, with its diagnosis', async (t) => {
    const { passed, failed, reports } = tallyOf(`1..1
# Subtest: a.test.ts
    # Subtest: one
        not ok 1 - x
          ---
          diff: here
          ...
        1..1
    not ok 1 - one # time=1ms
    1..1
not ok 1 - a.test.ts`);
    t.match({ passed, failed }, { passed: 0, failed: 1 });
    t.match(reports[0]?.failures.join('\n'), /diff: here/);
  });
  t.test('takes a file that failed although its tests passed', async (t) =>
    t.match(tallyOf('1..1\n# Subtest: a.test.ts\n    # Subtest: one\n    ok 1 - one\nnot ok 1 - a.test.ts'), {
      passed: 1,
      failed: 1,
    }),
  );
  t.test('goes on after a file that was stopped in the middle of a test', async (t) => {
    const { passed, failed, reports } = tallyOf(`1..2
# Subtest: a.test.ts
    # Subtest: one
        # Subtest: inner
            ok 1 - x
not ok 1 - a.test.ts # time=240000ms
# Subtest: b.test.ts
    # Subtest: two
        ok 1 - x
        1..1
    ok 1 - two # time=1ms
    1..1
ok 2 - b.test.ts # time=2ms`);
    t.strictSame({ passed, failed }, { passed: 1, failed: 1 });
    t.strictSame(
      reports.map(({ file }) => file),
      ['a.test.ts', 'b.test.ts'],
    );
  });
  t.test('takes a stream that was cut off for a failure', async (t) => {
    t.match(tallyOf('1..1\n# Subtest: a.test.ts\n    # Subtest: one'), { passed: 0, failed: 1 });
    t.match(tallyOf(''), { passed: 0, failed: 1 });
  });
});
