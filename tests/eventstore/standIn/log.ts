/** The log of the stand-in: what EventStoreDB 23.10 was seen to do with appends, its oddities included. */

export type Record = {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  /** 100 ns since 1970. */
  readonly created: string;
};
export type Proposed = Pick<Record, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>;
export type Wanted = number | 'noStream' | 'any' | 'streamExists';

export type Outcome =
  | { readonly is: 'stored' | 'repeated'; readonly revision: number; readonly position: bigint }
  | { readonly is: 'conflict'; readonly wanted: Wanted; readonly current: number }
  | { readonly is: 'tooLarge' | 'deleted' }
  | { readonly is: 'invalid'; readonly why: string };

export const MAX_APPEND_SIZE = 1_048_576;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NIL = '00000000-0000-0000-0000-000000000000';

const problem = (stream: string, events: readonly Proposed[]): string | undefined => {
  if (stream === '') return "Value cannot be null. (Parameter 'value')";
  if (events.some(({ id }) => !UUID.test(id))) return 'Unrecognized Guid format.';
  if (events.some(({ id }) => id === NIL)) return "Empty eventId provided. (Parameter 'eventId')";
  if (events.some(({ type }) => type === '')) return "Empty eventType provided. (Parameter 'eventType')";
  return undefined;
};

export type Log = ReturnType<typeof createLog>;

export const createLog = () => {
  const records: Record[] = [];
  const streams = new Map<string, Record[]>();
  const deleted = new Map<string, 'softly' | 'for good'>();
  /** The first revision that a softly deleted stream still shows. */
  const shownFrom = new Map<string, number>();
  const listeners = new Set<() => void>();
  /** What the server remembers of event ids until it is started again. */
  const remembered = new Map<string, { readonly revision: number; readonly position: bigint }>();
  // What the server writes first of all is never shown.
  let end = 163n;

  const of = (stream: string): readonly Record[] => streams.get(stream) ?? [];
  const lastRevision = (stream: string): number => of(stream).length - 1;

  const write = (stream: string, events: readonly Proposed[]): Outcome => {
    const list = streams.get(stream) ?? [];
    streams.set(stream, list);
    for (const event of events) {
      const record = { ...event, stream, revision: list.length, position: end, created: String(Date.now() * 10_000) };
      // A record has a head of its own length: positions are no count, and nothing lies between two of them.
      end += BigInt(127 + event.data.length + event.metadata.length + stream.length + (records.length % 7));
      list.push(record);
      records.push(record);
    }
    // Even an append of nothing takes up room.
    if (events.length === 0) end += 128n;
    const last = records.at(-1);
    const answer = { revision: list.length - 1, position: events.length === 0 ? end - 128n : (last?.position ?? 0n) };
    const [first] = events;
    if (first !== undefined) remembered.set(`${stream} ${first.id}`, answer);
    for (const listener of listeners) listener();
    return { is: 'stored', ...answer };
  };

  const system = (stream: string, type: string): void => {
    write(stream, [
      {
        id: crypto.randomUUID(),
        type,
        contentType: 'application/json',
        data: Buffer.from('{}'),
        metadata: Buffer.from(''),
      },
    ]);
  };

  const repeated = (stream: string, wanted: number, events: readonly Proposed[]): Outcome | undefined => {
    const list = of(stream);
    const last = list[wanted + events.length];
    if (last === undefined || events.some(({ id }, n) => list[wanted + 1 + n]?.id !== id)) return undefined;
    return { is: 'repeated', revision: last.revision, position: last.position };
  };

  const append = (stream: string, wanted: Wanted, events: readonly Proposed[]): Outcome => {
    const why = problem(stream, events);
    if (why !== undefined) return { is: 'invalid', why };
    if (events.reduce((sum, { data }) => sum + data.length, 0) > MAX_APPEND_SIZE) return { is: 'tooLarge' };
    if (deleted.get(stream) === 'for good') return { is: 'deleted' };
    const current = lastRevision(stream);
    const conflict: Outcome = { is: 'conflict', wanted, current };
    if (wanted === 'streamExists') {
      if (deleted.has(stream)) return { is: 'deleted' };
      return current >= 0 || streams.has(`$$${stream}`) ? write(stream, events) : conflict;
    }
    if (wanted === 'any') {
      const before = remembered.get(`${stream} ${events[0]?.id}`);
      return before ? { is: 'repeated', ...before } : write(stream, events);
    }
    const revision = wanted === 'noStream' ? -1 : wanted;
    // What expects the current revision is stored, whatever its ids.
    if (revision === current || (wanted === 'noStream' && deleted.has(stream))) return write(stream, events);
    return (revision < current && events.length > 0 ? repeated(stream, revision, events) : undefined) ?? conflict;
  };

  system('$users', '$UserCreated');
  system('$$$stats-0.0.0.0:2113', '$metadata');

  return {
    append,
    records: records as readonly Record[],
    /** Events of a stream that readers see; undefined when there is no such stream. Throws `deleted` when it is gone for good. */
    visible: (stream: string): readonly Record[] | undefined => {
      if (deleted.get(stream) === 'for good') throw new Error('deleted');
      const list = of(stream).slice(shownFrom.get(stream) ?? 0);
      return list.length === 0 ? undefined : list;
    },
    /** An event of the server itself, as it writes them now and then. */
    system,
    delete: (stream: string): void => {
      deleted.set(stream, 'softly');
      shownFrom.set(stream, of(stream).length);
      system(`$$${stream}`, '$metadata');
    },
    tombstone: (stream: string): void => {
      deleted.set(stream, 'for good');
      system(stream, '$streamDeleted');
    },
    /** Overwrites the bytes of an event, as damage to the disk would. */
    damage: (id: string, bytes: Partial<Pick<Record, 'data' | 'metadata'>>): void => {
      for (const list of [records, ...streams.values()])
        for (const [n, record] of list.entries()) if (record.id === id) list[n] = { ...record, ...bytes };
    },
    forget: () => remembered.clear(),
    onWrite: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end: () => end,
  };
};
