/** One place where two states differ. `before` or `after` is undefined where the place does not exist. */
export type Change = { readonly path: string; readonly before?: unknown; readonly after?: unknown };

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

const childrenOf = (value: unknown): Record<string, unknown> =>
  isContainer(value) ? Object.fromEntries(Object.entries(value)) : {};

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const sameKind = (a: unknown, b: unknown): boolean =>
  isContainer(a) && isContainer(b) && Array.isArray(a) === Array.isArray(b);

/**
 * Where two plain JSON values differ, by path with dots (`round.votes.0`), in the order of the values' own keys. A place
 * that came or went is one change, whatever lies below it.
 */
export const differences = (before: unknown, after: unknown, path = ''): readonly Change[] => {
  if (sameKind(before, after)) {
    const [old, now] = [childrenOf(before), childrenOf(after)];
    const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return names.flatMap((name) => differences(old[name], now[name], join(path, name)));
  }
  if (before === after) return [];
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
};
