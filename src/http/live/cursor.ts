import type { Position } from '../../eventstore/port.ts';

/** Where a reader stands: behind an event of the log, and behind some messages of the event that follows it. */
export type Cursor = { readonly position: Position; readonly within: number };

const DIGITS = 4;

/** What clients may name as the last message that they have seen. */
export const SEQ = /^\d{1,20}(?:\.\d{1,9})?$/;

/** The same as clients write it. */
export const textOf = ({ position, within }: Cursor): string =>
  within === 0 ? String(position) : `${position}.${String(within).padStart(DIGITS, '0')}`;

/**
 * The place of a message in the log: the event's position on its last message, on those before it the position right
 * before it and their number. As decimal numbers they rise; a reader cut off in the middle of an event goes on there.
 */
export const seqOf = (position: Position, index: number, count: number): string =>
  textOf(index === count - 1 ? { position, within: 0 } : { position: position - 1n, within: index + 1 });

/** Reads what {@link SEQ} admits. */
export const cursorOf = (seq: string): Cursor => {
  const [position = '', within = '0'] = seq.split('.');
  return { position: BigInt(position), within: Number(within) };
};

/** Of several places the one that most follows. */
export const furthestBack = (seqs: readonly string[]): string =>
  seqs.reduce((least, each) => {
    const [a, b] = [cursorOf(each), cursorOf(least)];
    return a.position < b.position || (a.position === b.position && a.within < b.within) ? each : least;
  });
