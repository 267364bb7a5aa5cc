import { categoryOf, isUndecodable } from '../event.ts';
import type { FeedEvent } from '../feed.ts';

/** What a consumer wants of the log. */
export type Interest = {
  readonly types: ReadonlySet<string>;
  /** Categories of streams in which these types occur: an unreadable event there may be one of them. */
  readonly categories: ReadonlySet<string>;
};

/** What is known of each aggregate: its category and the types of its events. */
export type Aggregates = readonly { readonly category: string; readonly events: Readonly<Record<string, unknown>> }[];

export const interestIn = (types: readonly string[], aggregates: Aggregates): Interest => ({
  types: new Set(types),
  categories: new Set(
    aggregates.filter(({ events }) => types.some((type) => type in events)).map(({ category }) => category),
  ),
});

/** Whether the event concerns the consumer. */
export const concerns = ({ types, categories }: Interest, event: FeedEvent): boolean =>
  types.has(event.type) || (isUndecodable(event) && categories.has(categoryOf(event.stream)));
