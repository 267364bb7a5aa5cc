import { categoryOf } from './event.ts';
import type { Filter } from './port.ts';

/** Judges events by a filter, for stores that cannot (fully) do so themselves. Without a filter everything passes. */
export const passing = (
  filter: Filter | undefined,
): ((event: { readonly type: string; readonly stream: string }) => boolean) => {
  const types = filter?.types && new Set(filter.types);
  const categories = filter?.categories && new Set(filter.categories);
  return ({ type, stream }) =>
    (types?.has(type) ?? true) &&
    (categories === undefined || (stream.includes('-') && categories.has(categoryOf(stream))));
};
