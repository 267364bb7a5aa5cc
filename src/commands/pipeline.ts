import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { type Actor, type Context, can, type Decider, type Rejection } from '../domain/decider.ts';
import { noSignIn, type SignIn } from '../domain/identity/signIn.ts';
import { type Connectors, noConnectors } from '../domain/messaging/connector.ts';
import type { Metadata } from '../eventstore/event.ts';
import { uuid5, uuid7 } from '../uuid.ts';
import type { Aggregates } from './aggregates.ts';
import type { AnyBinding, AnyCommand, Origin, Outcome, Refused, Run, Step } from './binding.ts';
import { keyedHash } from './keyedHash.ts';
import type { Judge } from './lines.ts';
import { Abandoned, refused } from './outcomes.ts';
import type { Fact, Occurrence, Reads } from './reads.ts';

/** A command on its way: who wants it and how it came. */
export type Request = {
  /** As it came in; parsed by the command's schema. */
  readonly input: unknown;
  readonly actor: Actor;
  /** Where it came from; nowhere when the service itself issues it. */
  readonly origin?: Origin;
  readonly correlationId: string;
  /** The event (or command) that led to this one. */
  readonly causationId?: string;
  readonly traceparent?: string;
  /** The caller's Idempotency-Key. */
  readonly idempotencyKey?: string;
  /** Fixed by policies and timers, so that a repeat is recognised; otherwise derived from the key, or random. */
  readonly commandId?: string;
  /** The version that `If-Match` names: refused with PRECONDITION_FAILED when the addressed object is at another. */
  readonly ifMatch?: number;
  /** Aborted when the caller went away or the deadline passed: a command not yet decided is then dropped (throws Abandoned). */
  readonly signal?: AbortSignal;
};

export type Commands = {
  /** Authorises, parses, loads, decides, appends. Refusals are answers. Throws Abandoned and the errors of the event-store port. */
  readonly execute: (binding: AnyBinding, request: Request) => Promise<Outcome>;
  readonly reads: Reads;
};

const NOWHERE: Origin = { ip: '', userAgent: '' };
/** Events of one stream read at a time. */
const HISTORY_PAGE = 2_000;
/** Namespace of the ids that commands with an Idempotency-Key get. */
const KEYED = '6f1b7a52-6f0f-5d2e-9c39-3f7a1f1d8a10';

/** Whether the actor may issue the command at all; the refusal when he may not. */
export const authorise = ({ access, unverified, internal, command }: AnyBinding, actor: Actor): Refused | undefined => {
  if (internal && actor.kind !== 'system')
    return refused({ code: 'NOT_FOUND', reason: 'command-unknown', message: `There is no command ${command.name}` });
  if (access === 'anyone') return undefined;
  if (actor.kind === 'anonymous')
    return refused({ code: 'UNAUTHORIZED', reason: 'login-required', message: 'Log in first' });
  if (!actor.verified && !unverified)
    return refused({
      code: 'FORBIDDEN',
      reason: 'address-unverified',
      message: 'Verify your e-mail address first',
      field: 'emailVerified',
    });
  if (access === 'loggedIn' || can(actor, access)) return undefined;
  return refused({ code: 'FORBIDDEN', reason: 'permission-missing', message: `This needs the permission ${access}` });
};

/** The fields that a schema complained about, with dots. */
export const invalid = (error: z.ZodError): Refused => ({
  ok: false,
  code: 'VALIDATION_ERROR',
  reason: 'input-invalid',
  message: 'Some fields are not acceptable',
  details: error.issues.map(({ path, message }) => ({ field: path.join('.'), message })),
});

const isRejection = (value: unknown): value is Rejection =>
  typeof value === 'object' && value !== null && 'code' in value && 'reason' in value && 'message' in value;

/** JSON with sorted keys, so that two spellings of one request have one hash. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/**
 * The one way every command takes: HTTP, policies and timers alike.
 * `hashKey` is the service's own secret for payload hashes and other keyed hashes.
 */
export const createCommands = (options: {
  readonly aggregates: Aggregates;
  readonly judge: Judge;
  readonly hashKey: Buffer;
  readonly lookups: Reads['lookups'];
  readonly passwords: Reads['passwords'];
  readonly signIn?: SignIn;
  readonly connectors?: Connectors;
  readonly textable?: Reads['textable'];
  readonly adminEmail?: string;
  /** Destroys the key of a person or thing. */
  readonly destroyKey?: Run<unknown>['destroyKey'];
  readonly now?: () => Date;
  /** Told of every outcome, for metrics. */
  readonly observe?: (command: string, outcome: Outcome) => void;
}): Commands => {
  const { aggregates, judge, hashKey, lookups, passwords, now = () => new Date(), observe } = options;
  const { signIn = noSignIn, connectors = noConnectors, textable = () => true, destroyKey = async () => {} } = options;
  const hash = keyedHash(hashKey);
  const reads: Reads = {
    load: async (decider, id) => {
      const { state, revision } = await aggregates.load(decider, `${decider.category}-${id}`);
      return { state: state as typeof decider.initial, revision: revision < 0 ? undefined : revision };
    },
    history: async <State, Event extends Fact>(decider: Decider<State, Event>, id: string) => {
      const stream = `${decider.category}-${id}`;
      const history: Fact[] = [];
      for (;;) {
        const from = history.length;
        const { events } = await aggregates.replay(decider, stream, { from, to: from + HISTORY_PAGE - 1 });
        // What the log has been asked for need not stay unknown to what is in memory.
        for (const event of events) aggregates.observe(event);
        history.push(...events);
        if (events.length < HISTORY_PAGE) return history as unknown as readonly (Event & Occurrence)[];
      }
    },
    opened: async <State, Event extends Fact>({ category }: Decider<State, Event>, id: string, revision: number) =>
      (await aggregates.at(`${category}-${id}`, revision)) as unknown as Event | undefined,
    lookups,
    passwords,
    signIn,
    connectors,
    textable,
    adminEmail: options.adminEmail,
    now,
    hash,
  };

  const commandIdOf = (binding: AnyBinding, input: unknown, { commandId, idempotencyKey, actor }: Request): string => {
    if (commandId !== undefined) return commandId;
    if (idempotencyKey === undefined || actor.kind === 'anonymous') return uuid7();
    // A new aggregate is called after its command, so the key itself addresses it.
    let fresh = false;
    const id = binding.stream(input as never, {
      actor,
      hash,
      newId: () => {
        fresh = true;
        return KEYED;
      },
    });
    return uuid5(JSON.stringify([actor.id, binding.command.name, fresh ? '' : id, idempotencyKey]), KEYED);
  };

  const metadataOf = (name: string, commandId: string, request: Request, payloadHash?: string): Metadata => ({
    commandId,
    command: name,
    correlationId: request.correlationId,
    ...(request.causationId === undefined ? {} : { causationId: request.causationId }),
    actor: { id: request.actor.id, kind: request.actor.kind },
    ...(request.actor.sessionId === undefined ? {} : { sessionId: request.actor.sessionId }),
    ...(request.traceparent === undefined ? {} : { traceparent: request.traceparent }),
    ...(payloadHash === undefined ? {} : { payloadHash }),
  });

  const contextOf = (actor: Actor, commandId: string): Omit<Context, 'facts'> => ({
    now: now(),
    actor,
    commandId,
    newId: (label) => uuid5(label, commandId),
    entropy: randomBytes(16).toString('hex'),
  });

  const step =
    (request: Request, causationId: string): Step =>
    (command, id, input, facts) => {
      const commandId = uuid7();
      return judge({
        command: command as unknown as AnyCommand,
        stream: `${command.decider.category}-${id}`,
        input: command.input.parse(input),
        facts: async () => facts,
        context: () => contextOf(request.actor, commandId),
        metadata: metadataOf(command.name, commandId, { ...request, causationId }),
        commandId,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    };

  const run = async (binding: AnyBinding, request: Request): Promise<Outcome> => {
    const { actor } = request;
    const { command } = binding;
    const forbidden = authorise(binding, actor);
    if (forbidden !== undefined) return forbidden;
    const parsed = command.input.safeParse(request.input);
    if (!parsed.success) return invalid(parsed.error);
    if (request.signal?.aborted) throw new Abandoned('The caller went away');
    const resolved =
      binding.resolve === undefined ? parsed.data : await binding.resolve(parsed.data as never, reads, actor);
    if (isRejection(resolved)) return refused(resolved);

    const commandId = commandIdOf(binding, resolved, request);
    const newId = (label: string): string => uuid5(label, commandId);
    const payloadHash = request.idempotencyKey === undefined ? undefined : hash('payload', canonical(parsed.data));

    const plain = (input: unknown = resolved, known?: unknown): Promise<Outcome> => {
      const id = binding.stream(input as never, { actor, newId, hash });
      return judge({
        command,
        binding,
        stream: `${command.decider.category}-${id}`,
        input,
        facts: async () => known ?? binding.facts?.(input as never, reads, { actor, id }),
        context: () => contextOf(actor, commandId),
        metadata: metadataOf(command.name, commandId, request, payloadHash),
        commandId,
        ...(payloadHash === undefined ? {} : { payloadHash }),
        ...(request.ifMatch === undefined ? {} : { ifMatch: request.ifMatch }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    };
    if (binding.process === undefined) return plain();
    const longer: Run<unknown> = {
      input: resolved,
      actor,
      origin: request.origin ?? NOWHERE,
      commandId,
      newId,
      entropy: () => randomBytes(16).toString('hex'),
      reads,
      step: step(request, commandId),
      destroyKey,
      judge: plain,
    };
    return binding.process(longer as never);
  };

  return {
    execute: async (binding, request) => {
      const outcome = await run(binding, request);
      observe?.(binding.command.name, outcome);
      return outcome;
    },
    reads,
  };
};
