import { setTimeout as pause } from 'node:timers/promises';
import { isUndecodable } from './event.ts';
import { type Fact, type Feed, FeedClosed } from './feed.ts';

const RETRY_MS = 250;

/** Hands every event from now on to `observe`, until the feed is closed; what cannot be decoded is left out. */
export const follow = async (
  feed: Feed,
  observe: (event: Fact) => void,
  failed: (error: unknown) => void,
): Promise<void> => {
  await feed.ready;
  const never = new AbortController().signal;
  for (let position = feed.head(); ; ) {
    try {
      const { events, to } = await feed.after(position, never);
      for (const event of events) if (!isUndecodable(event)) observe(event);
      position = to;
    } catch (error) {
      if (error instanceof FeedClosed) return;
      failed(error);
      await pause(RETRY_MS);
    }
  }
};
