import type { Frame } from './topics.ts';

/** How message names are spelt: `session:vote-cast` or `session-vote-cast`. */
export type Names = 'colon' | 'hyphen';
/** What a message travels by. */
export type Carrier = 'webSocket' | 'serverSent';

const spelt: Readonly<Record<Names, (name: string) => string>> = {
  colon: (name) => name,
  hyphen: (name) => name.replace(':', '-'),
};

/** One server-sent event; without an id a reader that is cut off goes on where it stood before. */
export const block = (event: string, id: string | undefined, text: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`;

const encoders: Readonly<Record<Carrier, (frame: Frame) => string>> = {
  webSocket: JSON.stringify,
  serverSent: (frame) => block(frame.event, frame.seq, JSON.stringify(frame)),
};

/** Bytes of a message, made once however many connections they go to; what waits for slow readers is shared by all. */
const encoder = (carrier: Carrier, names: Names): ((frame: Frame) => Buffer) => {
  const known = new WeakMap<Frame, Buffer>();
  return (frame) => {
    let bytes = known.get(frame);
    if (bytes === undefined) {
      bytes = Buffer.from(encoders[carrier]({ ...frame, event: spelt[names](frame.event) }));
      known.set(frame, bytes);
    }
    return bytes;
  };
};

export const encoded: Readonly<Record<Carrier, Readonly<Record<Names, (frame: Frame) => Buffer>>>> = {
  webSocket: { colon: encoder('webSocket', 'colon'), hyphen: encoder('webSocket', 'hyphen') },
  serverSent: { colon: encoder('serverSent', 'colon'), hyphen: encoder('serverSent', 'hyphen') },
};
