import assert from 'node:assert/strict';
import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Test } from 'tap';
import type { AnyCommand, AnyDecider } from '../../src/commands/binding.ts';
import type { Fact } from '../../src/commands/reads.ts';
import type { Actor, Decider, Rejection } from '../../src/domain/decider.ts';
import { fewer, listOf, repeatWith, runs } from './random.ts';
import { id, now as start, user } from './spec.ts';

/**
 * Model tests of aggregates: random commands against the rules and against a plain model of the requirements, which
 * must agree on every answer and on everything that can be seen afterwards.
 */

/** When a command is judged, and the ids that it gives. */
export type Moment = { readonly now: Date; readonly newId: (label: string) => string };

/** What must come of a command: the reason of its refusal, or its events; of an event the fields that matter. */
export type Verdict = string | readonly (string | { readonly type: string; readonly data: object })[];

/** A command as somebody gives it, and what the model makes of it. */
export type Turn = {
  readonly command: AnyCommand;
  readonly input: unknown;
  readonly actor?: Actor;
  readonly facts?: unknown;
  /** Judges by the rows of the requirements, and takes note in the model's world when it accepts. */
  readonly expect: () => Verdict;
  /** The rules promise that the very same command once more changes nothing. */
  readonly twice?: 'nothing';
};

type AnyMove<World> = {
  readonly args: fc.Arbitrary<unknown>;
  readonly turn: (args: never, world: World, moment: Moment) => Turn | undefined;
  readonly weight: number;
};

/** The constructor of one model's moves: what is drawn, and the turn that follows from it; none when only the world changes. */
export const movesIn =
  <World>() =>
  <Args>(
    args: fc.Arbitrary<Args>,
    turn: (args: Args, world: World, moment: Moment) => Turn | undefined,
    weight = 1,
  ): AnyMove<World> => ({ args, turn, weight });

/** A plain model of one aggregate, and what is played against it. */
export type Model<State, Event extends Fact, World> = {
  readonly decider: Decider<State, Event>;
  /** The module of the aggregate: every command that it exports must be played. */
  readonly commands: Readonly<Record<string, unknown>>;
  /** A world in which nothing has happened. Moves change it in place. */
  readonly world: () => World;
  readonly moves: Readonly<Record<string, AnyMove<World>>>;
  /** The move that most lives begin with. */
  readonly first?: string;
  /** Moves that belong together: every other life stays within one part, so that its moves meet more often. */
  readonly parts?: readonly object[];
  /** Commands that have no event of their own. */
  readonly silent?: readonly string[];
  /** Milliseconds that may pass between two moves. */
  readonly waits?: readonly number[];
  /** Instants at which rules change their mind, in milliseconds: now and then the clock is set to one that lies ahead. */
  readonly moments?: (world: World) => readonly number[];
  /** What can be seen of the aggregate, and what the model expects to be seen. */
  readonly seen: (state: State, moment: Moment) => unknown;
  readonly expected: (world: World, moment: Moment) => unknown;
  /** What holds at any time. Throws when it does not. */
  readonly always?: (state: State, world: World, history: readonly Event[], moment: Moment) => void;
  /** Reasons of refusals that a run must have come across. */
  readonly refusals: readonly string[];
  /** Moves of one life at most, and lives of one run. */
  readonly length?: number;
  readonly lives?: number;
};
/** A model whose types are of no interest. */
export type AnyModel = Omit<Model<unknown, Fact, never>, 'decider' | 'world' | 'moments' | 'seen' | 'always'> & {
  readonly decider: AnyDecider;
  readonly world: () => unknown;
  readonly moments?: (world: never) => readonly number[];
  readonly seen: (state: never, moment: Moment) => unknown;
  readonly always?: (state: never, world: never, history: never, moment: Moment) => void;
};

export const model = <State, Event extends Fact, World>(of: Model<State, Event, World>): Model<State, Event, World> =>
  of;

const names = new Map<string, string>();
const ids = new Map<string, string>();
/** Every life asks for the same ids again. */
const idOf = (name: string): string => {
  const uuid = ids.get(name) ?? id(name);
  ids.set(name, uuid);
  return uuid;
};

/** The id of somebody or something, told by its name when a case is printed. */
export const named = (name: string): string => {
  const uuid = idOf(name);
  names.set(uuid, name);
  return uuid;
};
/** A verified account, told by its name when a case is printed. */
export const person = (name: string, ...permissions: readonly string[]): Actor => user(named(name), ...permissions);

const readable = (value: unknown): string =>
  inspect(value, { depth: 8, breakLength: Number.POSITIVE_INFINITY }).replace(
    /'([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})'/g,
    (text, uuid: string) => names.get(uuid) ?? text,
  );

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** So that a rule or fold that changes what it was given fails. */
const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
};

/** Throws when two values are not the same JSON. Most are so to the letter. */
const sameJson = (actual: object, expected: object, message: string): void => {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) assert.deepEqual(JSON.parse(left), JSON.parse(right), message);
};

const isRejection = (decision: readonly Fact[] | Rejection): decision is Rejection => !Array.isArray(decision);

const agrees = (expected: Exclude<Verdict, string>, events: readonly Fact[]): boolean =>
  expected.length === events.length &&
  expected.every((one, index) => {
    const event = events[index];
    if (typeof one === 'string') return event?.type === one;
    const data = event?.data as Readonly<Record<string, unknown>> | undefined;
    return (
      event?.type === one.type &&
      Object.entries(one.data).every(([field, value]) => isDeepStrictEqual(data?.[field], value))
    );
  });

/** What a run came across. */
type Coverage = {
  readonly accepted: Map<string, number>;
  readonly answered: Map<string, number>;
  readonly events: Map<string, number>;
  readonly refusals: Map<string, number>;
};
const count = (counters: Map<string, number>, key: string): unknown => counters.set(key, (counters.get(key) ?? 0) + 1);

type Call = { readonly move: string; readonly args: unknown };

const everybody = user(named('somebody'));

/** Plays one life; throws at the first disagreement. `tell` is handed a line for every move, which it may leave unmade. */
const live = (of: AnyModel, calls: readonly Call[], coverage: Coverage, tell: (line: () => string) => void): void => {
  const { decider, moves, waits = [] } = of;
  const world = of.world() as never;
  let now = start;
  let state: unknown = frozen(decider.initial);
  const history: Fact[] = [];

  calls.forEach(({ move, args }, index) => {
    const commandId = idOf(`command ${index}`);
    const newId = (label: string): string => named(`${label}#${index}`);
    const entropy = idOf(`entropy ${index}`).replaceAll('-', '');
    const moment: Moment = { now, newId };
    if (move === 'wait') {
      const ms = waits[args as number] ?? 0;
      now = new Date(now.getTime() + ms);
      tell(() => `wait ${ms / 1000} s`);
      return;
    }
    if (move === 'until') {
      const ahead = (of.moments?.(world) ?? []).filter((ms) => ms > now.getTime());
      now = new Date(ahead[(args as number) % ahead.length] ?? now.getTime());
      const until = now;
      tell(() => `wait until ${until.toISOString()}`);
      return;
    }
    const turn = moves[move]?.turn(args as never, world, moment);
    if (turn === undefined) {
      tell(() => `${move} ${readable(args)}`);
      return;
    }
    const { command, input, actor = everybody, facts } = turn;
    const parsed = command.input.safeParse(input);
    tell(() => `${command.name} ${readable(input)} by ${names.get(actor.id) ?? actor.id}`);
    assert.ok(parsed.success, `the input is not acceptable: ${parsed.error?.message}`);
    const context = frozen({ now, actor, commandId, newId, entropy, facts });
    const before = state;
    const decision = command.rule(frozen(parsed.data) as never, before as never, context as never);
    const events = isRejection(decision) ? [] : decision;
    const verdict = turn.expect();
    tell(() => (isRejection(decision) ? `  refused: ${decision.reason}` : `  events: ${readable(events)}`));

    count(coverage.answered, command.name);
    if (isRejection(decision)) count(coverage.refusals, decision.reason);
    else if (events.length > 0 || of.silent?.includes(command.name)) count(coverage.accepted, command.name);
    const right = isRejection(decision)
      ? verdict === decision.reason
      : typeof verdict !== 'string' && agrees(verdict, events);
    if (!right)
      assert.fail(`the model expects ${typeof verdict === 'string' ? `refused: ${verdict}` : readable(verdict)}`);

    for (const event of events) {
      count(coverage.events, event.type);
      const schema = decider.events[event.type];
      assert.deepEqual(schema?.parse(throughJson(event.data)), event.data, `${event.type} as its schema reads it`);
      state = frozen(decider.evolve(state as never, frozen(event) as never));
      history.push(event);
    }
    if (turn.twice === 'nothing' && !isRejection(decision)) {
      const again = command.rule(parsed.data as never, state as never, context as never);
      assert.deepEqual(again, [], 'the same command once more changes nothing');
    }
    sameJson(
      { seen: of.seen(state as never, moment) },
      { seen: of.expected(world, moment) },
      'what is seen (+) is what the model expects (-)',
    );
    of.always?.(state as never, world, history as never, moment);
  });

  const replayed = (throughJson(history) as Fact[]).reduce(
    (past: unknown, event) => throughJson(decider.evolve(past as never, event as never)),
    throughJson(decider.initial),
  );
  sameJson({ state: replayed }, { state }, 'the stored events give the same state again');
};

/** Calls of some of the moves, with time passing in between. */
const strandOf = (
  { moves, moments, waits = [], length = 40 }: AnyModel,
  names: readonly string[],
): fc.Arbitrary<readonly Call[]> => {
  const calls = names.flatMap((move) => {
    const of = moves[move];
    return of === undefined
      ? []
      : [{ weight: of.weight * 4, arbitrary: of.args.map((drawn): Call => ({ move, args: drawn })) }];
  });
  const wait = fc.nat(Math.max(waits.length - 1, 0)).map((drawn): Call => ({ move: 'wait', args: drawn }));
  const until = fc.nat(20).map((drawn): Call => ({ move: 'until', args: drawn }));
  const total = calls.reduce((sum, { weight }) => sum + weight, 0);
  return listOf(
    fc.oneof(
      ...calls,
      ...(waits.length === 0 ? [] : [{ weight: Math.ceil(total / 6), arbitrary: wait }]),
      ...(moments === undefined ? [] : [{ weight: Math.ceil(total / 6), arbitrary: until }]),
    ),
    length,
  );
};

const lifeOf = (of: AnyModel): fc.Arbitrary<readonly Call[]> => {
  const { moves, first, parts = [] } = of;
  const life = fc.oneof(
    { weight: Math.max(1, parts.length), arbitrary: strandOf(of, Object.keys(moves)) },
    ...parts.map((part) => ({ weight: 1, arbitrary: strandOf(of, Object.keys(part)) })),
  );
  const begin = first === undefined ? undefined : moves[first];
  if (first === undefined || begin === undefined) return life;
  return fc
    .tuple(fc.option(begin.args, { freq: 9 }), life)
    .map(([drawn, rest]) => (drawn === null ? rest : [{ move: first, args: drawn }, ...rest]));
};

/** The commands of an aggregate that its module exports. */
export const commandsIn = (module: Readonly<Record<string, unknown>>, decider: AnyDecider): readonly string[] =>
  Object.values(module)
    .filter(
      (value): value is AnyCommand =>
        typeof value === 'object' && value !== null && 'rule' in value && (value as AnyCommand).decider === decider,
    )
    .map(({ name }) => name);

/** So many times the lives of a run are played at most, until it has come across everything that it must. */
const LONGEST = 6;

/**
 * Plays random lives against a model; a life that fails is shortened and printed command by command. What a run must come
 * across is rare in some models: as long as anything is missing, more lives follow.
 */
export const play = (t: Test, of: AnyModel): void => {
  const coverage: Coverage = { accepted: new Map(), answered: new Map(), events: new Map(), refusals: new Map() };
  const usual = of.lives ?? 150;
  const commands = commandsIn(of.commands, of.decider);
  const missing = (wanted: readonly string[], met: ReadonlyMap<string, number>) =>
    wanted.filter((one) => !met.has(one));
  const unmet = () => ({
    commands: missing(commands, coverage.accepted),
    events: missing(Object.keys(of.decider.events), coverage.events),
    refusals: missing(of.refusals, coverage.refusals),
  });
  const given = runs(usual);
  const property = fc.property(lifeOf(of), (calls) => live(of, calls, coverage, () => {}));
  const isWhole = () => fewer(usual) || Object.values(unmet()).every((names) => names.length === 0);
  let settings = given;
  let details = fc.check(property, settings);
  for (let more = 1; more < LONGEST && !details.failed && !isWhole(); more += 1) {
    settings = { ...given, seed: given.seed + more };
    details = fc.check(property, settings);
  }
  if (details.failed) {
    const lines: string[] = [];
    let why = String(details.errorInstance);
    try {
      live(of, details.counterexample?.[0] ?? [], coverage, (line) => lines.push(line()));
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    t.fail(`the rules and the model disagree. ${repeatWith(settings)}`, { life: [...lines, ...why.split('\n')] });
    return;
  }
  const played = [...coverage.answered.values()].reduce((a, b) => a + b, 0);
  t.ok(details.numRuns === settings.numRuns && played > 0, `${details.numRuns} lives, ${played} commands`);
  if (fewer(usual)) return;
  t.ok(commands.length > 0, 'the module has commands');
  const left = unmet();
  t.strictSame(left.commands, [], 'every command was accepted');
  t.strictSame(left.events, [], 'every event came about');
  t.strictSame(left.refusals, [], 'every refusal came about');
  t.strictSame(missing([...coverage.refusals.keys()], new Map(of.refusals.map((one) => [one, 1]))), [], 'and no other');
};
