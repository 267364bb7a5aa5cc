import type pg from 'pg';
import { z } from 'zod';
import { listen } from '../../eventstore/postgres/listener.ts';
import { uuid7 } from '../../uuid.ts';
import type { Message } from './topics.ts';

const CHANNEL = 'convene_live';
/** Postgres takes less than 8,000 bytes in a notification. */
const PAYLOAD_BYTES = 7_900;

const Payload = z.object({ from: z.string(), topic: z.string(), at: z.string(), event: z.string(), data: z.unknown() });

export type Relay = {
  /** Tells the other nodes; they hear it at once, or never. */
  readonly send: (topic: string, message: Message, at: string) => void;
  readonly close: () => Promise<void>;
};

/** Passes messages that are not stored between the nodes, through notifications of the database they share. */
export const createRelay = (of: {
  readonly pool: pg.Pool;
  readonly heard: (topic: string, message: Message, at: string) => void;
  readonly onError: (error: unknown) => void;
}): Relay => {
  const node = uuid7();
  const listener = listen(of.pool.options, CHANNEL, (text) => {
    try {
      const { from, topic, at, event, data } = Payload.parse(JSON.parse(text));
      if (from !== node) of.heard(topic, { event, data }, at);
    } catch (error) {
      of.onError(error);
    }
  });
  return {
    send: (topic, message, at) => {
      const payload = JSON.stringify({ from: node, topic, at, ...message });
      if (Buffer.byteLength(payload) > PAYLOAD_BYTES) of.onError(new Error(`${message.event} is too long to be told`));
      else of.pool.query('select pg_notify($1, $2)', [CHANNEL, payload]).catch(of.onError);
    },
    close: listener.close,
  };
};
