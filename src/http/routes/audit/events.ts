import { isUndecodable, type Recorded } from '../../../eventstore/event.ts';
import type { StoredEvent } from '../../../eventstore/port.ts';
import type { AuditEntry } from '../../../projections/audit/auditEntries.ts';
import type { Deps } from '../../app.ts';

type Log = Pick<Deps, 'store' | 'codec'>;

const PAGE = 2_000;

const readable = async ({ codec }: Log, stored: readonly StoredEvent[]): Promise<readonly Recorded[]> =>
  (await codec.decode(stored)).map((event) => {
    // A history with a hole would be a wrong one.
    if (isUndecodable(event)) throw event.error;
    return event;
  });

/** All events of a stream in order, in the clear; empty when there is no such stream. Throws UnreadableEvent. */
export const eventsOfStream = async (log: Log, stream: string): Promise<readonly Recorded[]> => {
  const events: Recorded[] = [];
  for (;;) {
    const stored = await log.store.readStream(stream, { from: events.length, limit: PAGE });
    events.push(...(await readable(log, stored)));
    if (stored.length < PAGE) return events;
  }
};

/** How many events are looked up side by side. */
const AT_ONCE = 10;

/** The events behind entries of the audit trail, by id. What cannot be read is missing. */
export const eventsOfEntries = async (
  { store, codec }: Log,
  entries: readonly Pick<AuditEntry, 'id' | 'stream' | 'revision'>[],
): Promise<ReadonlyMap<string, Recorded>> => {
  const found = new Map<string, Recorded>();
  for (let index = 0; index < entries.length; index += AT_ONCE) {
    const part = entries.slice(index, index + AT_ONCE);
    const stored = await Promise.all(
      part.map(({ stream, revision }) => store.readStream(stream, { from: revision, limit: 1 })),
    );
    for (const event of await codec.decode(stored.flat())) if (!isUndecodable(event)) found.set(event.id, event);
  }
  return found;
};
