import { catalogue, type EventType } from '../domain/catalogue.ts';
import type { Codec } from '../eventstore/codec.ts';
import { categoryOf, isUndecodable } from '../eventstore/event.ts';
import { personalPaths } from '../eventstore/personalPaths.ts';
import type { EventStore } from '../eventstore/port.ts';
import { contextOf } from './contexts.ts';

/** One thing that is stored about a person, and where it came from. */
export type PersonalItem = {
  readonly context: string;
  readonly stream: string;
  readonly event: string;
  readonly at: string;
  /** Its path with dots. */
  readonly field: string;
  readonly value: unknown;
};

const PAGE = 2_000;

const pathsOf = new Map(Object.entries(catalogue).map(([type, schema]) => [type, personalPaths(schema)]));

/**
 * Everything personal that streams hold of the person whose subjects are given, oldest first in each stream, in the
 * clear. Secrets such as those of second factors are left out.
 */
export const personalDataIn = async (
  { store, codec }: { readonly store: Pick<EventStore, 'readStream'>; readonly codec: Pick<Codec, 'decode'> },
  streams: readonly string[],
  subjects: ReadonlySet<string>,
): Promise<readonly PersonalItem[]> => {
  const items: PersonalItem[] = [];
  for (const stream of streams)
    for (let from = 0; ; from += PAGE) {
      const stored = await store.readStream(stream, { from, limit: PAGE });
      for (const event of await codec.decode(stored)) {
        if (isUndecodable(event)) continue;
        const found = pathsOf.get(event.type satisfies EventType)?.find(event.data) ?? [];
        for (const { holder, name, subject, place, secret } of found)
          if (!secret && subjects.has(subject))
            items.push({
              context: contextOf(categoryOf(stream)),
              stream,
              event: event.type,
              at: event.recordedAt,
              field: place,
              value: holder[name],
            });
      }
      if (stored.length < PAGE) break;
    }
  return items;
};
