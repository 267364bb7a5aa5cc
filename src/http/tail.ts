import { type Fact, type Feed, isUndecodable } from '../eventstore/feed.ts';

/** Hands every new event of the log to `listener`, from now until the signal is aborted or the feed closed. */
export const followTail = async (feed: Feed, signal: AbortSignal, listener: (event: Fact) => void): Promise<void> => {
  await feed.ready;
  let position = feed.head();
  while (!signal.aborted) {
    const { events, to } = await feed.after(position, signal);
    for (const event of events) if (!isUndecodable(event)) listener(event);
    position = to;
  }
};
