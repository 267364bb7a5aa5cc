import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { Outcome } from '../../src/commands/binding.ts';
import type { Fact } from '../../src/eventstore/feed.ts';
import { StoreUnavailable } from '../../src/eventstore/port.ts';
import type { Queued } from '../../src/policies/boss.ts';
import type { Cause, Execute } from '../../src/policies/execute.ts';
import type { AnyPolicy, Reaction } from '../../src/policies/policy.ts';
import { createPolicyRunner, registerPolicies } from '../../src/policies/runner.ts';
import { deadLetters, decide } from '../../src/projections/control.ts';
import { uuid5 } from '../../src/uuid.ts';
import { aggregates, eventually, log, readSide } from '../support/readSide.ts';

const done: Outcome = {
  ok: true,
  stream: 's',
  revision: 0,
  version: undefined,
  position: 1n,
  data: {},
  replayed: false,
};
const refused: Outcome = { ok: false, code: 'CONFLICT', reason: 'not-now', message: 'No', details: [] };

type Counted = Fact & { readonly data: { readonly id: string; readonly by?: number } };
const react = (event: Counted): readonly Reaction[] => [
  { kind: 'command', command: 'Note', input: { id: event.data.id } },
  { kind: 'command', command: 'Later', input: {}, at: new Date('2999-01-01T00:00:00Z') },
  { kind: 'job', job: 'tell', data: { id: event.data.id } },
];
const noting: AnyPolicy = { name: 'noting', on: { Counted: react } };

type Issued = { readonly command: string; readonly input: unknown; readonly cause: Cause };

/** Policies that record what they do instead of doing it. */
const reacting = async (
  t: Parameters<typeof readSide>[0],
  policies: readonly AnyPolicy[],
  answer: (command: string) => Outcome = () => done,
  refuses: (job: Queued) => boolean = () => false,
) => {
  const side = await readSide(t);
  const issued: Issued[] = [];
  const queued: Queued[] = [];
  const execute: Execute = async (command, input, cause) => {
    issued.push({ command, input, cause });
    return answer(command);
  };
  const queue = {
    add: async (jobs: readonly Queued[]) => {
      if (jobs.some(refuses)) throw new Error('No such job');
      queued.push(...jobs);
    },
  };
  const start = () => createPolicyRunner({ ...side, execute, queue, log, policies, aggregates });
  const position = async (name: string): Promise<bigint> =>
    BigInt(
      (
        await side.pool.query<{ position: string }>('select position::text from convene.checkpoints where name = $1', [
          name,
        ])
      ).rows[0]?.position ?? -1,
    );
  return { ...side, issued, queued, start, position };
};

t.test('a policy', async (t) => {
  t.test('reacts to what happens after it was registered, with ids that follow from the event', async (t) => {
    const { append, store, issued, queued, start, position } = await reacting(t, [noting]);
    const id = randomUUID();
    await append(`counter-${id}`, 'Counted', { id });
    const runner = await start();
    const last = await append(`counter-${id}`, 'Counted', { id });
    await eventually(
      () => position('noting'),
      (at) => at === last,
    );
    await runner.close();
    const [, event] = await store.readStream(`counter-${id}`);
    const idOf = (index: number): string => uuid5(`noting/${index}`, event?.id ?? '');
    t.match(issued, [
      { command: 'Note', input: { id }, cause: { policy: 'noting', commandId: idOf(0), causationId: event?.id } },
    ]);
    t.equal(issued.length, 1);
    t.match(queued, [
      { id: idOf(1), job: 'command', data: { command: 'Later' }, at: new Date('2999-01-01T00:00:00Z') },
      { id: idOf(2), job: 'tell', data: { id } },
    ]);
    t.notOk(queued[1]?.at);
  });

  t.test('handles an event again with the same ids when its position was lost', async (t) => {
    const { append, pool, issued, queued, start, position } = await reacting(t, [noting]);
    const id = randomUUID();
    const first = await start();
    const last = await append(`counter-${id}`, 'Counted', { id }, { id });
    await eventually(
      () => position('noting'),
      (at) => at === last,
    );
    await first.close();
    await pool.query('update convene.checkpoints set position = 0');
    const again = await start();
    await eventually(
      () => position('noting'),
      (at) => at === last,
    );
    await again.close();
    t.equal(issued.length, 4);
    t.equal(new Set(issued.map(({ cause }) => cause.commandId)).size, 2);
    t.equal(queued.length, 8);
    t.equal(new Set(queued.map((job) => job.id)).size, 4);
  });

  t.test('keeps its position when it is registered again', async (t) => {
    const { append, pool, store, start, position } = await reacting(t, [noting]);
    await registerPolicies(pool, store, [noting]);
    t.equal(await position('noting'), 0n);
    const last = await append('other-1', 'Noise', {});
    await registerPolicies(pool, store, [noting]);
    t.equal(await position('noting'), 0n);
    const runner = await start();
    await eventually(
      () => position('noting'),
      (at) => at === last,
    );
    await runner.close();
  });

  t.test('takes a refusal for an answer', async (t) => {
    const { append, pool, issued, start, position } = await reacting(t, [noting], () => refused);
    const runner = await start();
    const id = randomUUID();
    const last = await append(`counter-${id}`, 'Counted', { id });
    await eventually(
      () => position('noting'),
      (at) => at === last,
    );
    await runner.close();
    t.equal(issued.length, 1);
    t.equal((await deadLetters(pool)).total, 0);
  });

  t.test('sits out an outage and parks nothing', async (t) => {
    let failures = 3;
    const { append, pool, issued, start, position } = await reacting(t, [noting], () => {
      if (failures-- > 0) throw new StoreUnavailable('away');
      return done;
    });
    const runner = await start();
    const id = randomUUID();
    const last = await append(`counter-${id}`, 'Counted', { id });
    await eventually(
      () => position('noting'),
      (at) => at === last,
    );
    await runner.close();
    t.equal(issued.length, 4);
    t.equal((await deadLetters(pool)).total, 0);
  });

  t.test('parks the stream of an event that its handler fails on', async (t) => {
    const failing: AnyPolicy = {
      name: 'failing',
      on: {
        Counted: (event: Counted) => {
          if (event.data.by === 13) throw new Error('thirteen');
          return react(event).slice(0, 1);
        },
      },
    };
    const { append, pool, issued, start, position } = await reacting(t, [failing]);
    const runner = await start();
    const [bad, good] = [randomUUID(), randomUUID()];
    await append(`counter-${bad}`, 'Counted', { id: bad, by: 13 }, { id: bad });
    const last = await append(`counter-${good}`, 'Counted', { id: good });
    await eventually(
      () => position('failing'),
      (at) => at === last,
    );
    t.strictSame(new Set(issued.map(({ input }) => (input as { id: string }).id)), new Set([good]));
    const { letters } = await deadLetters(pool);
    t.match(letters, [{ kind: 'policy', name: 'failing', stream: `counter-${bad}`, revision: 0 }]);
    t.equal(await decide(pool, letters[0]?.id ?? '', 'skip'), 'done');
    await eventually(
      () => deadLetters(pool),
      ({ total }) => total === 0,
    );
    await runner.close();
    t.match(issued.at(-1), { input: { id: bad } });
  });

  t.test('parks the stream of an event alone whose job the queue refuses', async (t) => {
    const [bad, good] = [randomUUID(), randomUUID()];
    const idIn = ({ data }: Queued): unknown => (data as { readonly id?: string }).id;
    const refuses = (job: Queued): boolean => idIn(job) === bad;
    const { append, pool, queued, start, position } = await reacting(t, [noting], () => done, refuses);
    const runner = await start();
    await append(`counter-${bad}`, 'Counted', { id: bad });
    const last = await append(`counter-${good}`, 'Counted', { id: good });
    await eventually(
      () => position('noting'),
      (at) => at === last,
    );
    await runner.close();
    const { letters } = await deadLetters(pool);
    t.match(letters, [{ kind: 'policy', name: 'noting', stream: `counter-${bad}` }]);
    t.equal(letters.length, 1);
    t.ok(queued.some((job) => idIn(job) === good));
  });
});
