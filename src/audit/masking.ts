import { ERASED } from '../domain/decider.ts';
import type { Marks } from './marks.ts';

/** What a masked value reads as when nothing of it may be shown. */
export const MASK = '***';

/** A personal value as people without clearance see it: `a***@x.io`, the last two digits of a phone, else nothing. */
export const maskedText = (value: string): string => {
  if (value === ERASED) return value;
  const at = value.lastIndexOf('@');
  if (at > 0 && !/\s/.test(value)) return `${value.slice(0, 1)}${MASK}${value.slice(at)}`;
  if (/^\+?[\d ().-]{6,}$/.test(value)) return `${MASK}${value.replace(/\D/g, '').slice(-2)}`;
  return MASK;
};

const maskedValue = (value: unknown): unknown =>
  value === null || value === undefined ? value : typeof value === 'string' ? maskedText(value) : MASK;

/** What becomes of a secret: left out when this answers undefined, else replaced. */
export type SecretStandIn = (value: unknown) => string | undefined;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Data as it may be shown: personal fields masked unless `personal` is granted, secrets left out (or replaced by
 * `standIn`) for everybody. null stays null, an erased field stays erased.
 */
export const masked = (
  marks: Marks,
  value: unknown,
  personal: boolean,
  standIn: SecretStandIn = () => undefined,
): unknown => {
  if (marks === undefined || value === null || value === undefined) return value;
  if (marks.secret) return standIn(value);
  if (marks.pii && !personal) return maskedValue(value);
  if (Array.isArray(value)) {
    const shown = value.map((element) => masked(marks.items, element, personal, standIn));
    return shown.filter((element) => element !== undefined);
  }
  if (!isRecord(value)) return value;
  const shown: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(value)) {
    const marksOfChild = Object.hasOwn(marks.properties ?? {}, name) ? marks.properties?.[name] : marks.values;
    const result = masked(marksOfChild, child, personal, standIn);
    if (result !== undefined) shown[name] = result;
  }
  return shown;
};

/**
 * Stand-ins for secrets while a state is folded from events, and their removal from the result. Equal secrets get equal
 * stand-ins, so that a fold that looks a secret up still finds it; none of them reaches the outside.
 */
export const secretStandIns = () => {
  const known = new Map<string, string>();
  const prefix = '\u0000secret:';
  const standIn: SecretStandIn = (value) => {
    const text = JSON.stringify(value);
    const existing = known.get(text);
    if (existing !== undefined) return existing;
    const made = `${prefix}${known.size}`;
    known.set(text, made);
    return made;
  };
  const holds = (text: string) => text.includes(prefix);
  const without = (value: unknown): unknown => {
    if (typeof value === 'string') return holds(value) ? undefined : value;
    if (Array.isArray(value)) return value.map(without).filter((element) => element !== undefined);
    if (!isRecord(value)) return value;
    const kept: Record<string, unknown> = {};
    for (const [name, child] of Object.entries(value)) {
      const result = holds(name) ? undefined : without(child);
      if (result !== undefined) kept[name] = result;
    }
    return kept;
  };
  return { standIn, without };
};
