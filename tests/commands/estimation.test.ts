import t from 'tap';
import type { Outcome, Step } from '../../src/commands/binding.ts';
import { create } from '../../src/commands/estimation/creation.ts';
import { resolve, resolveJoin } from '../../src/commands/estimation/references.ts';
import type { Fact, Loaded, Reads } from '../../src/commands/reads.ts';
import type { Decider } from '../../src/domain/decider.ts';
import { completeSession, createSession, session } from '../../src/domain/estimation/session/index.ts';
import { codeFrom, sessionCode, takeSessionCode } from '../../src/domain/estimation/sessionCode.ts';
import { sessionHost } from '../../src/domain/estimation/sessionHost.ts';
import { entropy, id, now, user } from '../support/spec.ts';

const fay = user(id('fay'));
/** Random bits that give another code each. */
const bits = (number: number): string => number.toString(16).padStart(32, '0');

/** Streams in memory; commands are judged by their own rules. */
const world = () => {
  const streams = new Map<string, Fact[]>();
  let time = now;
  const load = async <State, Event extends Fact>(of: Decider<State, Event>, key: string): Promise<Loaded<State>> => {
    const events = (streams.get(`${of.category}-${key}`) ?? []) as Event[];
    const revision = events.length === 0 ? undefined : events.length - 1;
    return { state: events.reduce(of.evolve, of.initial), revision };
  };
  const reads: Pick<Reads, 'load' | 'now'> = { load, now: () => time };

  const stepOf =
    (commandId: string): Step =>
    async (command, key, input, facts) => {
      const { decider, rule } = command;
      const { state } = await load(decider, key);
      const newId = (label: string) => id(`${commandId}/${label}`);
      const context = { now: time, actor: fay, commandId, newId, entropy, facts: facts as never };
      const decision = rule(command.input.parse(input), state, context);
      if ('reason' in decision) return { ok: false, ...decision, details: [] };
      const stream = `${decider.category}-${key}`;
      streams.set(stream, [...(streams.get(stream) ?? []), ...decision]);
      return { ok: true, stream, revision: 0, version: 0, position: 0n, data: null, replayed: false };
    };

  const sessionIdOf = (commandId: string) => id(`${commandId}/session`);
  const creation = (commandId: string, codes: readonly number[] = [1], judge?: () => Promise<Outcome>) => {
    const left = [...codes];
    const step = stepOf(commandId);
    const newId = (label: string) => id(`${commandId}/${label}`);
    const plain = async () => {
      const place = (await load(sessionHost, fay.id)).state.open[newId('session')];
      return step(
        createSession,
        newId('session'),
        { name: 'Sprint 12' },
        place === undefined ? {} : { code: place.code },
      );
    };
    return create({
      actor: fay,
      newId,
      entropy: () => bits(left.shift() ?? 999),
      reads: reads as Reads,
      step,
      judge: judge ?? plain,
    });
  };
  return {
    creation,
    reads: reads as Reads,
    load,
    sessionIdOf,
    step: stepOf('other'),
    later: (milliseconds: number) => {
      time = new Date(time.getTime() + milliseconds);
    },
    placesOf: async () => Object.keys((await load(sessionHost, fay.id)).state.open),
    codeOf: async (commandId: string) => (await load(session, sessionIdOf(commandId))).state.code,
    holderOf: async (code: string) => (await load(sessionCode, code)).state?.sessionId,
  };
};
const [first, second] = [codeFrom(bits(1)), codeFrom(bits(2))];

t.test('creating a session', async (t) => {
  t.test('reserves a code and a place for it', async (t) => {
    const { creation, codeOf, holderOf, placesOf, sessionIdOf } = world();
    t.match(await creation('a'), { ok: true });
    t.equal(await codeOf('a'), first);
    t.equal(await holderOf(first), sessionIdOf('a'));
    t.strictSame(await placesOf(), [sessionIdOf('a')]);
  });
  t.test('tries another code when one is taken', async (t) => {
    const { creation, codeOf } = world();
    await creation('a', [1]);
    t.match(await creation('b', [1, 1, 2]), { ok: true });
    t.equal(await codeOf('b'), second);
  });
  t.test('goes on where a crash left it, with the same code', async (t) => {
    const { creation, codeOf, placesOf } = world();
    await t.rejects(
      creation('a', [1], async () => {
        throw new Error('crash');
      }),
    );
    t.match(await creation('a', [2]), { ok: true });
    t.equal(await codeOf('a'), first);
    t.equal((await placesOf()).length, 1);
  });
  t.test('reserves nothing more when it is repeated', async (t) => {
    const { creation, holderOf, placesOf } = world();
    await creation('a', [1]);
    await creation('a', [2]);
    t.equal(await holderOf(second), undefined);
    t.equal((await placesOf()).length, 1);
  });
  t.test('gives both back when it is refused', async (t) => {
    const { creation, holderOf, placesOf } = world();
    const refused: Outcome = { ok: false, code: 'CONFLICT', reason: 'contended', message: '', details: [] };
    t.match(await creation('a', [1], async () => refused), refused);
    t.equal(await holderOf(first), undefined);
    t.strictSame(await placesOf(), []);
  });
  t.test('takes over a code whose session never came about, after an hour', async (t) => {
    const { creation, step, later, codeOf } = world();
    await step(takeSessionCode, first, { code: first, sessionId: id('never') });
    later(3_600_000);
    await creation('a', [1, 2]);
    t.equal(await codeOf('a'), second, 'not before');
    later(1);
    await creation('b', [1, 2]);
    t.equal(await codeOf('b'), first);
  });
  t.test('is refused beyond twenty open sessions, and counts none that is closed', async (t) => {
    const { creation, step, sessionIdOf, holderOf } = world();
    for (let index = 1; index <= 20; index += 1) t.match(await creation(`s${index}`, [index]), { ok: true });
    t.match(await creation('more', [50]), { ok: false, reason: 'too-many-sessions' });
    t.equal(await holderOf(codeFrom(bits(50))), undefined, 'its code is free again');
    await step(completeSession, sessionIdOf('s7'), { sessionId: sessionIdOf('s7') });
    t.match(await creation('more', [50]), { ok: true });
  });
});

t.test('a session is found', async (t) => {
  const { creation, reads, sessionIdOf } = world();
  await creation('a', [1]);
  const sessionId = sessionIdOf('a');
  t.strictSame(await resolve({ sessionId: first.toLowerCase() }, reads), { sessionId }, 'by its code in either case');
  t.strictSame(await resolve({ sessionId: sessionId.toUpperCase() }, reads), { sessionId }, 'by its id in either case');
  t.strictSame(await resolveJoin({ code: first }, reads), { sessionId }, 'by a code to join with');
  t.match(await resolve({ sessionId: second }, reads), { reason: 'session-unknown' }, 'not by another code');
  t.match(await resolveJoin({ code: 'no code' }, reads), { reason: 'session-unknown' }, 'not by what is no code');
});
