import { z } from 'zod';
import { Problem } from '../../problem.ts';

/** The log position that a cursor stands for. */
export const positionOf = (text: string): string => Buffer.from(text, 'base64url').toString();
/** A query parameter that goes on where the page before ended. */
export const cursor = z
  .string()
  .refine(
    (text) => /^[A-Za-z0-9_-]{2,40}$/.test(text) && /^\d{1,19}$/.test(positionOf(text)),
    'Must be a cursor that an answer gave',
  )
  .meta({ description: 'The `nextCursor` of the page before, in place of `page`' });
/** The cursor of the entry at a log position. */
export const cursorOf = (position: string): string => Buffer.from(position).toString('base64url');

const bothGiven = (url: string): boolean => {
  const given = new URL(url, 'http://localhost').searchParams;
  return given.has('cursor') && given.has('page');
};
/** Refuses an address that names both a page and a cursor. */
export const refuseBoth = (url: string): void => {
  const message = 'Not together with cursor';
  if (bothGiven(url))
    throw new Problem('VALIDATION_ERROR', message, { reason: 'input-invalid', details: [{ field: 'page', message }] });
};
