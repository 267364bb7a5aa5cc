/** A stretch of a stream: at most `limit` events from the revision on. */
export type Stretch = { readonly stream: string; readonly from: number; readonly limit: number };

/** Reads that may be under way at once, each on a connection; whoever comes later waits, and goes out with all who wait. */
export const LANES = 4;
/** Stretches in one statement. A long one keeps its neighbours waiting, so not too many. */
const TOGETHER = 16;

type Waiting<Row> = {
  readonly stretch: Stretch;
  readonly settle: (rows: readonly Row[]) => void;
  readonly fail: (error: unknown) => void;
};

/**
 * Turns a read of many stretches, whose answers come in the order of the stretches, into one of a single stretch. With
 * little to do every read is a statement of its own at once; the more callers there are, the more of them share one.
 */
export const streamReads = <Row>(
  read: (stretches: readonly Stretch[]) => Promise<readonly (readonly Row[])[]>,
): ((stretch: Stretch) => Promise<readonly Row[]>) => {
  const line: Waiting<Row>[] = [];
  let underWay = 0;

  const answer = async (together: readonly Waiting<Row>[]): Promise<void> => {
    try {
      const answers = await read(together.map(({ stretch }) => stretch));
      for (const [index, { settle }] of together.entries()) settle(answers[index] ?? []);
    } catch (error) {
      for (const { fail } of together) fail(error);
    }
  };
  const next = (): void => {
    while (underWay < LANES && line.length > 0) {
      underWay += 1;
      void answer(line.splice(0, TOGETHER)).then(() => {
        underWay -= 1;
        next();
      });
    }
  };
  return (stretch) =>
    new Promise((settle, fail) => {
      line.push({ stretch, settle, fail });
      next();
    });
};
