/**
 * Turns a question about many keys into one about a single key: all keys that are asked for in one turn of the event loop
 * go out together. Under load that is one round trip for all requests that have just come in, instead of one each; a
 * failure is that of all who asked, so keys must be well-formed. Undefined: no answer for that key.
 */
export const gathered = <Value>(
  ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): ((key: string) => Promise<Value | undefined>) => {
  let open: { readonly keys: Set<string>; readonly answers: Promise<ReadonlyMap<string, Value>> } | undefined;
  const begin = () => {
    const keys = new Set<string>();
    const turn = new Promise<void>((resolve) => setImmediate(resolve));
    const answers = turn.then(() => {
      open = undefined;
      return ask([...keys]);
    });
    open = { keys, answers };
    return open;
  };
  return async (key) => {
    const { keys, answers } = open ?? begin();
    keys.add(key);
    return (await answers).get(key);
  };
};
