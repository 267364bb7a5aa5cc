import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Actor, Command, Context, Decider, Rejection } from '../../src/domain/decider.ts';

type Fact = { readonly type: string; readonly data: unknown };

/** A UUID that belongs to a name: the same again in every run. */
export const id = (name: string): string => {
  const hex = createHash('sha1').update(name).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/** The instant at which commands of a spec are decided, unless the spec says otherwise: a Monday. */
export const now = new Date('2026-03-02T10:00:00.000Z');
export const commandId = id('command');
/** The id that a rule gets from `context.newId(label)`. */
export const newId = (label: string): string => id(`${commandId}/${label}`);
export const entropy = '00112233445566778899aabbccddeeff';

/** A verified account with these permissions. */
export const user = (accountId: string, ...permissions: readonly string[]): Actor => ({
  id: accountId,
  kind: 'user',
  permissions,
  verified: true,
});
/** A policy or timer. */
export const system: Actor = { id: 'policy:test', kind: 'system', permissions: ['*:*'], verified: true };

const anybody = user(id('anybody'));
const contextOf = (given: Actor | Partial<Context>): Omit<Context, 'facts'> => ({
  now,
  actor: anybody,
  commandId,
  newId,
  entropy,
  ...('kind' in given ? { actor: given } : given),
});

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Every personal value of an event, found by the marks of its schema. */
const personal = (schema: unknown, value: unknown): readonly string[] => {
  if (!(schema instanceof z.ZodType) || value === null || value === undefined) return [];
  if (schema.meta()?.pii !== undefined) return typeof value === 'string' ? [value] : [];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return personal(schema.unwrap(), value);
  if (schema instanceof z.ZodArray && Array.isArray(value))
    return value.flatMap((item) => personal(schema.element, item));
  if (schema instanceof z.ZodObject && typeof value === 'object')
    return Object.entries(value).flatMap(([field, of]) => personal(schema.shape[field], of));
  return [];
};

/**
 * Specifications of one aggregate: `given(...past).when(command, input, actorOrContext?, facts?)`, then one of
 * - `.then(...events)`: exactly these events follow;
 * - `.nothing()`: accepted, and nothing follows;
 * - `.rejected(reason, field?)`: refused for this reason; input that its schema refuses has the reason `input-invalid`.
 * `outcome` and `state` (after the command) are there for anything else. The check happens at once, by throwing.
 *
 * Every event, past or new, goes through JSON and its schema and must come back the same; so does the state after each
 * event, which must hold no personal value.
 */
export const spec = <State, Event extends Fact>(decider: Decider<State, Event>) => {
  const checked = (event: Event): Event => {
    const schema = decider.events[event.type];
    assert.ok(schema, `the aggregate has no event ${event.type}`);
    assert.deepEqual(schema.parse(throughJson(event.data)), event.data, `${event.type} as its schema reads it`);
    return event;
  };
  const fold = (from: State, events: readonly Event[]): State =>
    events.reduce((state, event) => {
      const next = throughJson(decider.evolve(state, event)) as State;
      const text = JSON.stringify(next) ?? '';
      for (const value of personal(decider.events[event.type], event.data))
        assert.ok(!text.includes(JSON.stringify(value)), `the state holds the personal value ${value} (${event.type})`);
      return next;
    }, from);

  return (...past: readonly Event[]) => ({
    when: <Name extends string, Input extends z.ZodType, Facts>(
      command: Command<Name, Input, State, Event, Facts>,
      input: z.input<Input>,
      actorOrContext: Actor | Partial<Context> = anybody,
      facts?: Facts,
    ) => {
      const before = fold(decider.initial, past.map(checked));
      const parsed = command.input.safeParse(input);
      const outcome: readonly Event[] | Rejection = parsed.success
        ? command.rule(parsed.data, before, { ...contextOf(actorOrContext), facts: facts as Facts })
        : {
            code: 'VALIDATION_ERROR',
            reason: 'input-invalid',
            message: parsed.error.message,
            field: parsed.error.issues[0]?.path.join('.') ?? '',
          };
      const events = 'reason' in outcome ? [] : outcome.map(checked);
      const state = fold(before, events);
      return {
        outcome,
        state,
        then: (...expected: readonly Event[]): void => assert.deepEqual(outcome, expected),
        nothing: (): void => assert.deepEqual(outcome, []),
        rejected: (reason: string, field?: string): void => {
          assert.ok('reason' in outcome, `expected ${reason}, but events followed: ${JSON.stringify(outcome)}`);
          assert.equal(outcome.reason, reason, outcome.message);
          if (field !== undefined) assert.equal(outcome.field, field);
        },
      };
    },
  });
};
