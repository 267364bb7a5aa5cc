import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { EventType } from '../domain/catalogue.ts';
import { ERASED, ERASURE } from '../domain/decider.ts';
import type { Metadata, Recorded, Undecodable } from './event.ts';
import type { KeyRing } from './keyRing.ts';
import { personalPaths } from './personalPaths.ts';
import type { NewEvent, Position, StoredEvent } from './port.ts';

/** Why an event could not be read, and where it lies. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';
  readonly kind: 'unknown-type' | 'damaged';
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  constructor(kind: UnreadableEvent['kind'], event: StoredEvent, why: string, options?: ErrorOptions) {
    super(`Event ${event.revision} of ${event.stream} at position ${event.position}: ${why}`, options);
    this.kind = kind;
    this.stream = event.stream;
    this.revision = event.revision;
    this.position = event.position;
  }
}

export type Decoded = Recorded | Undecodable;

/** An event on its way into the log, in the clear. */
export type Unsealed = { readonly id: string; readonly type: string; readonly data: unknown };

export type Codec = {
  /**
   * Checks the data against the current schema, seals personal fields, and writes both as JSON. Throws when data do
   * not fit their schema: a rule's defect.
   */
  readonly encode: (events: readonly Unsealed[], metadata: Metadata) => Promise<readonly NewEvent[]>;
  /** Opens, upcasts and checks. Never throws for an event; throws when the keys cannot be reached. */
  readonly decode: (events: readonly StoredEvent[]) => Promise<readonly Decoded[]>;
};

/** What the codec needs of a decider. */
export type EventShapes = {
  readonly events: Readonly<Record<string, z.ZodType>>;
  readonly older?: Readonly<
    Record<string, readonly { readonly schema: z.ZodType; readonly upcast: (data: never) => unknown }[]>
  >;
};

type Version = {
  readonly schema: z.ZodType;
  readonly personal: ReturnType<typeof personalPaths>;
  readonly upcast?: (data: never) => unknown;
};

/** A sealed field: `{"$pii":[subject, base64 of iv, tag and ciphertext]}`. */
type Sealed = { readonly $pii: readonly [string, string] };
const isSealed = (value: unknown): value is Sealed => typeof value === 'object' && value !== null && '$pii' in value;

const IV = 12;
const TAG = 16;

/** Bound to event and field, so that a sealed value cannot be moved elsewhere. */
const seal = (key: Buffer, value: unknown, place: string): string => {
  const iv = randomBytes(IV);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
};

const open = (key: Buffer, sealed: string, place: string): unknown => {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV))
    .setAAD(Buffer.from(place))
    .setAuthTag(bytes.subarray(IV, IV + TAG));
  return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(IV + TAG)), decipher.final()]).toString());
};

const versionsOf = (deciders: readonly EventShapes[]): ReadonlyMap<string, readonly Version[]> => {
  const versions = new Map<string, readonly Version[]>();
  for (const { events, older } of deciders)
    for (const [type, schema] of Object.entries(events)) {
      if (versions.has(type)) throw new Error(`Two aggregates have an event called ${type}`);
      const former = (older?.[type] ?? []).map((shape) => ({ ...shape, personal: personalPaths(shape.schema) }));
      versions.set(type, [...former, { schema, personal: personalPaths(schema) }]);
    }
  return versions;
};

const StoredMetadata = z.looseObject({
  schemaVersion: z.int().min(1),
  commandId: z.string(),
  command: z.string(),
  correlationId: z.string(),
  actor: z.object({ id: z.string(), kind: z.enum(['user', 'api_key', 'system', 'anonymous']) }),
});

const Erasure = z.object({ accountId: z.string() });

/** Between events in the clear and the bytes of the log, for the events of these deciders. */
export const createCodec = (deciders: readonly EventShapes[], keys: KeyRing): Codec => {
  const known = versionsOf(deciders);

  const encode: Codec['encode'] = async (events, metadata) => {
    const prepared = events.map(({ id, type, data }) => {
      const versions = known.get(type);
      const version = versions?.at(-1);
      if (versions === undefined || version === undefined) throw new Error(`No aggregate has an event called ${type}`);
      return { id, type, versions, version, data: version.schema.parse(data) };
    });
    const fields = prepared.flatMap(({ id, version, data }) =>
      version.personal.find(data).map((field) => ({ ...field, id })),
    );
    if (fields.length > 0) {
      const found = await keys.toSeal(fields.map(({ subject }) => subject));
      for (const { holder, name, subject, place, id } of fields) {
        const value = holder[name];
        if (value === undefined || value === null) continue;
        const key = found.get(subject);
        holder[name] = key ? { $pii: [subject, seal(key, value, `${id}/${place}`)] } : ERASED;
      }
    }
    const text = new Map<number, string>();
    return prepared.map(({ id, type, versions, data }) => {
      const schemaVersion = versions.length;
      const written = text.get(schemaVersion) ?? JSON.stringify({ schemaVersion, ...metadata });
      text.set(schemaVersion, written);
      return { id, type, data: JSON.stringify(data), metadata: written };
    });
  };

  /** The events of one append lie one after the other and have the same metadata. */
  let latest: { readonly text: string; readonly parsed: z.output<typeof StoredMetadata> } | undefined;
  const metadataOf = (text: string): z.output<typeof StoredMetadata> => {
    if (latest?.text !== text) latest = { text, parsed: StoredMetadata.parse(JSON.parse(text)) };
    return latest.parsed;
  };

  /** Parsed, and which sealed fields wait for a key. */
  const parse = (event: StoredEvent) => {
    const versions = known.get(event.type);
    if (versions === undefined) throw new UnreadableEvent('unknown-type', event, `unknown type ${event.type}`);
    let data: unknown;
    let metadata: z.output<typeof StoredMetadata>;
    try {
      data = JSON.parse(event.data);
      metadata = metadataOf(event.metadata);
    } catch {
      throw new UnreadableEvent('damaged', event, 'data or metadata are no longer what was written');
    }
    const version = versions[metadata.schemaVersion - 1];
    if (version === undefined)
      throw new UnreadableEvent(
        'damaged',
        event,
        `schema version ${metadata.schemaVersion} of ${event.type} is unknown`,
      );
    return { event, versions, data, metadata, sealed: sealedIn(event, version, data) };
  };

  const sealedIn = (event: StoredEvent, { personal }: Version, data: unknown) => {
    // Most events have none, and looking through the text costs less than walking the value.
    if (!event.data.includes('{"$pii":[')) return [];
    try {
      return personal.find(data).filter(({ holder, name }) => isSealed(holder[name]));
    } catch {
      throw new UnreadableEvent('damaged', event, 'the person of a sealed field is missing');
    }
  };

  const finish = (
    { event, versions, data, metadata, sealed }: ReturnType<typeof parse>,
    found: ReadonlyMap<string, Buffer | null>,
  ): Recorded => {
    const { schemaVersion, ...rest } = metadata;
    try {
      for (const { holder, name, place } of sealed) {
        const [subject, value] = (holder[name] as Sealed).$pii;
        const key = found.get(subject);
        holder[name] = key ? open(key, value, `${event.id}/${place}`) : ERASED;
      }
      let current = (versions[schemaVersion - 1] as Version).schema.parse(data);
      for (const version of versions.slice(schemaVersion - 1))
        if (version.upcast) current = version.upcast(current as never);
      if (schemaVersion < versions.length) current = (versions.at(-1) as Version).schema.parse(current);
      const { id, type, stream, revision, position, recordedAt } = event;
      // The one place where stored bytes become typed: the schema of `type` has just been held against `current`.
      return {
        id,
        type: type as EventType,
        data: current,
        stream,
        revision,
        position,
        recordedAt,
        schemaVersion,
        metadata: rest,
      } as Recorded;
    } catch (cause) {
      // The cause may quote the data: it is for a debugger, not for a log.
      throw new UnreadableEvent('damaged', event, `data do not fit the schema of ${event.type}, or were altered`, {
        cause,
      });
    }
  };

  const attempt = <R>(event: StoredEvent, step: () => R): R | Undecodable => {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof UnreadableEvent)) throw error;
      const { id, type, stream, revision, position, recordedAt } = event;
      return { id, type, stream, revision, position, recordedAt, error };
    }
  };

  const decode: Codec['decode'] = async (events) => {
    const parsed = events.map((event) => attempt(event, () => parse(event)));
    // Before anything is opened: what came about at the same moment, or was sealed since, is not read either.
    for (const one of parsed) {
      const erasure = 'sealed' in one && one.event.type === ERASURE ? Erasure.safeParse(one.data) : undefined;
      if (erasure?.success) keys.forget(erasure.data.accountId);
    }
    const subjects = parsed.flatMap((one) =>
      'sealed' in one ? one.sealed.map(({ holder, name }) => (holder[name] as Sealed).$pii[0]) : [],
    );
    const found = subjects.length === 0 ? new Map<string, Buffer | null>() : await keys.toOpen(subjects);
    return parsed.map((one) => ('sealed' in one ? attempt(one.event, () => finish(one, found)) : one));
  };

  return { encode, decode };
};
