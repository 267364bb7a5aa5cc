import { createServer } from 'node:http';
import t, { type Test } from 'tap';
import { requestOf, wordsOf } from '../../scripts/walkthrough/curl.ts';
import { differences } from '../../scripts/walkthrough/expected.ts';
import { stepsIn } from '../../scripts/walkthrough/steps.ts';
import { walk } from '../../scripts/walkthrough/walk.ts';

const variables = (name: string): string => {
  if (name === 'API') return 'http://localhost/api/v1';
  if (name === 'NAME') return 'Ada Lovelace';
  throw new Error(`Nothing tells $${name}`);
};

t.test('a command', async (t) => {
  t.test('falls into words as in a shell', async (t) => {
    t.same(wordsOf(`a 'b c'"d $NAME"\\ e \\\n  f '' "\\"\\$\\n"`, variables), [
      'a',
      'b cd Ada Lovelace e',
      'f',
      '',
      '"$\\n',
    ]);
    t.same(wordsOf(`'{"name": "'"\${NAME}"'"}'`, variables), ['{"name": "Ada Lovelace"}']);
  });
  t.test('is refused where a shell would do something else with it', async (t) => {
    for (const wrong of [
      "curl 'a",
      'curl "a',
      'curl a | jq',
      'curl a?b=c&d',
      'curl $(a)',
      'curl {a}',
      'curl $NAME',
      'curl $OTHER',
    ])
      t.throws(() => wordsOf(wrong, variables), Error, wrong);
  });
  t.test('is a request', async (t) => {
    t.same(requestOf(`curl -X PUT "$API/x?y=z" -H 'If-Match: "3"' -b a=b --json '{"c": 1}'`, variables), {
      method: 'PUT',
      url: 'http://localhost/api/v1/x?y=z',
      headers: [
        ['If-Match', '"3"'],
        ['Cookie', 'a=b'],
        ['Content-Type', 'application/json'],
        ['Accept', 'application/json'],
      ],
      body: '{"c": 1}',
    });
    t.match(requestOf('curl $API/x', variables), { method: 'GET', body: undefined });
    t.match(requestOf("curl $API/x --json '{}'", variables), { method: 'POST' });
    for (const wrong of [
      'wget $API',
      'curl',
      'curl --compressed $API',
      'curl $API $API',
      'curl $API -H',
      'curl $API -H x',
    ])
      t.throws(() => requestOf(wrong, variables), Error, wrong);
  });
});

t.test('an answer', async (t) => {
  const differs = (written: unknown, value: unknown, known: [string, string][] = []) =>
    differences(written, value, new Map(known)).length > 0;
  t.test('has what is written, neither more nor less', async (t) => {
    t.notOk(differs({ a: 1, b: [true, null, 'x'] }, { a: 1, b: [true, null, 'x'] }));
    for (const value of [{ a: 2 }, { a: '1' }, { a: 1, b: 2 }, {}, [], null, 'a'])
      t.ok(differs({ a: 1 }, value), JSON.stringify(value));
    for (const value of [[1], [1, 2, 3], [2, 1], {}]) t.ok(differs([1, 2], value), value);
  });
  t.test('may have more where that is written', async (t) => {
    t.notOk(differs({ a: 1, '…': '…' }, { a: 1, b: 2 }));
    t.ok(differs({ a: 1, '…': '…' }, { b: 2 }));
    t.notOk(differs([1, '…'], [1, 2, 3]));
    t.ok(differs([1, '…'], []));
  });
  t.test('has texts that begin, go on and end as written', async (t) => {
    t.notOk(differs('…', 'anything'));
    t.notOk(differs('…', 3));
    for (const value of [null, {}, []]) t.ok(differs('…', value), JSON.stringify(value));
    t.notOk(differs('a…b', 'a, and then b'));
    t.ok(differs('a…b', 'a, and then c'));
    t.ok(differs('a.b', 'axb'), 'nothing else is a pattern');
  });
  t.test('gives values to keep, and has those that were kept', async (t) => {
    const known = new Map<string, string>();
    t.same(differences({ id: '$ID', text: '…token=$TOKEN more…' }, { id: 7, text: 'x?token=a.b-c more' }, known), []);
    t.same(
      [...known],
      [
        ['ID', '7'],
        ['TOKEN', 'a.b-c'],
      ],
    );
    t.notOk(differs('$ID', '7', [['ID', '7']]));
    t.notOk(differs(`\${DAY}T09:00`, '2030-01-01T09:00', [['DAY', '2030-01-01']]));
    t.ok(differs(`\${DAY}T09:00`, '2030-01-02T09:00', [['DAY', '2030-01-01']]));
    t.ok(differs('$ID', '8', [['ID', '7']]));
  });
});

t.test('a document', async (t) => {
  const block = (info: string, text: string) => `\`\`\`${info}\n${text}\n\`\`\``;
  t.test('has steps in their order, with what they come to', async (t) => {
    const steps = stepsIn(
      [
        '# Title',
        block('console', 'npm start'),
        block('sh', 'curl 1'),
        '',
        block('http', 'HTTP/1.1 200 OK'),
        block('sh eventually', 'curl 2'),
        block('js', 'go()'),
        block('text', 'gone'),
      ].join('\n'),
    );
    t.match(steps, [
      { kind: 'curl', text: 'curl 1', expected: 'HTTP/1.1 200 OK', eventually: false, line: 5 },
      { kind: 'curl', text: 'curl 2', expected: undefined, eventually: true },
      { kind: 'script', text: 'go()', expected: 'gone' },
    ]);
    t.throws(() => stepsIn(block('http', 'HTTP/1.1 200 OK')), /^Line 1: the answer follows no command/);
    t.throws(() => stepsIn('```sh\ncurl 1'), /^Line 1: this block is not closed/);
  });

  /** A server that counts how often it was asked, and says so. */
  const counting = async (t: Test) => {
    let asked = 0;
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ asked: ++asked }));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    t.teardown(() => server.close());
    const address = server.address();
    return { API: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
  };
  const answered = (count: string) => block('http', `HTTP/1.1 200 OK\n\n{ "asked": ${count} }`);

  t.test('is carried out to the first step that differs', async (t) => {
    const given = await counting(t);
    const good = [
      block('sh', 'curl $API'),
      answered('"$COUNT"'),
      block('js', 'console.log(COUNT, API.length > 3)'),
      block('text', '1 true'),
    ].join('\n');
    t.equal(await walk(good, { given }), 2);
    await t.rejects(
      walk([block('sh', 'curl $API'), answered('1')].join('\n'), { given }),
      /^Line 1: body.asked: 2 instead of 1\n/,
    );
    await t.rejects(walk(block('js', 'throw new Error("no")'), { given }), /^Line 1: no/);
    await t.rejects(
      walk([block('js', 'console.log(1)'), block('text', '2')].join('\n'), { given }),
      /printed: "1" instead of "2"/,
    );
  });
  t.test('may wait for an answer', async (t) => {
    const given = await counting(t);
    t.equal(await walk([block('sh eventually', 'curl $API'), answered('3')].join('\n'), { given }), 1);
  });
  t.test('is not whole without answers, which can be put in', async (t) => {
    const given = await counting(t);
    const bare = ['Before', block('sh', 'curl $API'), 'After'].join('\n');
    await t.rejects(walk(bare, { given }), /^Line 2: No answer is written behind it/);
    let text = '';
    await walk(bare, { given, record: (markdown) => (text = markdown) });
    t.equal(text, ['Before', block('sh', 'curl $API'), '', answered('2'), 'After'].join('\n'));
  });
});
