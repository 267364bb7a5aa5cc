import type { Codec } from '../eventstore/codec.ts';
import type { Metadata } from '../eventstore/event.ts';
import type { EventStore, NewEvent } from '../eventstore/port.ts';
import { uuid7 } from '../uuid.ts';

/** Something that happened to the service itself and that no rule decides about. */
export type ServiceFact = {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: Metadata;
};

/** Facts of one category on their way into the log. */
export type FactWriter = {
  /**
   * Stores the facts in order. The same ones may be handed in again after a failure: they are stored once. Those of one
   * `series` share a stream; another series begins another one. False: they lie in no stream and never will. Throws
   * the errors of the event-store port.
   */
  readonly write: (series: string, facts: readonly ServiceFact[]) => Promise<boolean>;
};

/**
 * Writes facts into streams of the caller's own: nobody else appends to them, so nothing is read before an append. One
 * call at a time.
 */
export const factWriter = (
  category: string,
  { store, codec }: { readonly store: Pick<EventStore, 'append'>; readonly codec: Pick<Codec, 'encode'> },
): FactWriter => {
  let stream: { readonly series: string; readonly name: string; readonly revision: number | undefined } | undefined;
  return {
    write: async (series, facts) => {
      const events: NewEvent[] = [];
      for (const { id, type, data, metadata } of facts)
        events.push(...(await codec.encode([{ id, type, data }], metadata)));
      if (stream?.series !== series) stream = { series, name: `${category}-${uuid7()}`, revision: undefined };
      const { name, revision } = stream;
      const appended = await store.append(name, revision ?? 'noStream', events);
      stream = appended.ok ? { series, name, revision: appended.revision } : undefined;
      return appended.ok;
    },
  };
};
