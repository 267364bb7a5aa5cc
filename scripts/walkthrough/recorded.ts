import { STATUS_CODES } from 'node:http';
import type { Answered } from './expected.ts';
import type { Known } from './walk.ts';

const WIDTH = 100;
/** A variable is put in place of texts from this length on: a shorter one may be there by chance. */
const TELLING = 8;

/** What is another one each time, so far as it can be told by its looks. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, '20…Z'],
  [/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}(?:\.|$)/, '…'],
  [/^curl\/[\d.]+$/, 'curl/…'],
  [/^eyJ/, 'eyJ…'],
  [/^ak_live_/, 'ak_live_…'],
  [/^data:image\/png;base64,/, 'data:image/png;base64,…'],
];

const written = (value: unknown, known: Known): unknown => {
  if (Array.isArray(value)) return value.map((item) => written(item, known));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, written(item, known)]));
  if (typeof value !== 'string') return value;
  for (const [name, text] of known) if (text === value && text.length >= TELLING) return `$${name}`;
  return CHANGING.find(([looks]) => looks.test(value))?.[1] ?? value;
};

/** JSON over as few lines as read well. */
const printed = (value: unknown, indent = ''): string => {
  const line = JSON.stringify(value).replace(
    /("(?:[^"\\]|\\.)*")|(\{\}|\[\])|([:,{])|(\})/g,
    (_all, text?: string, empty?: string, before?: string) => text ?? empty ?? (before ? `${before} ` : ' }'),
  );
  if (indent.length + line.length <= WIDTH || typeof value !== 'object' || value === null) return line;
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const parts = list
    ? value.map((item) => printed(item, inner))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${printed(item, inner)}`);
  return `${list ? '[' : '{'}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${list ? ']' : '}'}`;
};

/** An answer as a document may show it, with `…` for what is another one each time. To be looked over by the author. */
export const recorded = ({ status, headers, text }: Answered, known: Known): string => {
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`];
  const after = headers.get('retry-after');
  if (after !== null) head.push(`Retry-After: ${after}`);
  const location = headers.get('location');
  if (location !== null) head.push(`Location: ${location}`);
  if (!headers.get('content-type')?.includes('json')) return head.join('\n');
  return [...head, '', printed(written(JSON.parse(text), known))].join('\n');
};
