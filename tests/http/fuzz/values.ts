import type { Schema } from './document.ts';
import { oddNames, oddValue } from './odd.ts';
import type { Pool } from './pool.ts';
import type { Random } from './random.ts';

const listOf = (value: unknown): readonly Schema[] | undefined =>
  Array.isArray(value) ? (value as readonly Schema[]) : undefined;
const numberOf = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);
const DAY_MS = 86_400_000;

/** A text of a format, in one of the spellings that count as right. */
const formatted = (format: unknown, random: Random): string | undefined => {
  const at = new Date(Date.now() + random.int(-40, 400) * DAY_MS).toISOString();
  const hex = (length: number): string => Array.from({ length }, () => random.int(0, 15).toString(16)).join('');
  switch (format) {
    case 'uuid':
      return `${hex(8)}-${hex(4)}-7${hex(3)}-a${hex(3)}-${hex(12)}`;
    case 'date-time':
      return random.chance(0.5) ? at : at.replace(/\.\d+Z$/, random.pick(['Z', '+02:00', '.123456789Z', '-11:30']));
    case 'date':
      return at.slice(0, 10);
    case 'email':
      return `${random.pick(['a', "o'neil+x", 'x'.repeat(64)])}${hex(4)}@example.org`;
    case 'uri':
      return random.pick(['https://example.org/meeting?x=1#y', 'https://xn--bcher-kva.example', 'https://[::1]:9/']);
    default:
      return undefined;
  }
};

const textOf = ({ minLength, maxLength, pattern, format }: Schema, random: Random): string => {
  const known = formatted(format, random);
  if (known !== undefined) return known;
  const [least, most] = [numberOf(minLength, 0), numberOf(maxLength, 40)];
  const text = random.pick(['Text', 'Ünïcödé', 'مرحبا', '測試', '👍🏽', "O'Neil; --", 'a b c']);
  if (pattern === '^\\d{1,9}$') return String(random.int(0, 12));
  const length = random.pick([least, least + 1, Math.min(most, 12), most]);
  return text.padEnd(length, 'x').slice(0, Math.max(length, least));
};

/** A value that a schema allows, most often; ids and names come from what was seen before. */
export const generated = (schema: Schema, name: string, random: Random, pool: Pool): unknown => {
  const seen = pool.pick(name, random);
  if (seen !== undefined && random.chance(0.75) && schema.type !== 'object' && schema.type !== 'array') return seen;
  if ('const' in schema) return schema.const;
  const choices = listOf(schema.enum);
  if (choices !== undefined) return random.pick(choices);
  if ('default' in schema && random.chance(0.3)) return schema.default;
  const variants = listOf(schema.anyOf) ?? listOf(schema.oneOf);
  if (variants !== undefined) return generated(random.pick(variants), name, random, pool);
  const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type;
  switch (type) {
    case 'object': {
      const required = new Set(Array.isArray(schema.required) ? schema.required : []);
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
      return Object.fromEntries(
        properties
          .filter(([key]) => required.has(key) || random.chance(0.5))
          .map(([key, of]) => [key, generated(of, key, random, pool)]),
      );
    }
    case 'array': {
      const length = random.int(numberOf(schema.minItems, 0), Math.min(numberOf(schema.maxItems, 3), 6));
      const items = (schema.items ?? {}) as Schema;
      return Array.from({ length }, () => generated(items, name.replace(/s$/, ''), random, pool));
    }
    case 'integer':
    case 'number': {
      const [least, most] = [numberOf(schema.minimum, 0), numberOf(schema.maximum, 1_000)];
      return random.pick([least, most, Math.min(least + 1, most), random.int(least, Math.min(most, least + 50))]);
    }
    case 'boolean':
      return random.chance(0.5);
    case 'null':
      return null;
    case 'string':
      return textOf(schema, random);
    default:
      return oddValue(random);
  }
};

type Slot = { readonly holder: Record<string, unknown> | unknown[]; readonly key: string | number };

const slotsIn = (value: unknown): readonly Slot[] => {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, key) => [{ holder: value, key }, ...slotsIn(item)]);
  const holder = value as Record<string, unknown>;
  return Object.entries(holder).flatMap(([key, item]) => [{ holder, key }, ...slotsIn(item)]);
};

const put = ({ holder, key }: Slot, value: unknown): void => {
  // Assigning `__proto__` would change the prototype instead.
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
};
const valueAt = ({ holder, key }: Slot): unknown => Reflect.get(holder, key);

/** The value with one thing about it changed: a field replaced, taken away, added, wrapped, doubled, renamed or emptied. */
export const mutated = (value: unknown, random: Random): unknown => {
  const root = { root: structuredClone(value) };
  const slots = slotsIn(root);
  const slot = random.pick(random.chance(0.1) || slots.length < 2 ? slots : slots.slice(1));
  const present = valueAt(slot);
  switch (random.int(0, 7)) {
    case 0:
      if (!Array.isArray(slot.holder) && slots.length > 1) Reflect.deleteProperty(slot.holder, slot.key);
      break;
    case 1: {
      const target = typeof present === 'object' && present !== null ? present : slot.holder;
      if (Array.isArray(target)) target.push(oddValue(random));
      else put({ holder: target as Record<string, unknown>, key: random.pick(oddNames) }, oddValue(random));
      break;
    }
    case 2:
      put(slot, random.pick([[present], [[present]], { value: present }, [present, present]]));
      break;
    case 3:
      put(slot, typeof present === 'string' ? Number(present) : JSON.stringify(present));
      break;
    case 4:
      put(slot, null);
      break;
    case 5:
      if (typeof present === 'string')
        put(
          slot,
          random.pick([
            present.toUpperCase(),
            ` ${present} `,
            `${present}\u0000`,
            present.repeat(3),
            present.slice(1),
            `${present}\u0301`,
          ]),
        );
      else if (typeof present === 'number')
        put(slot, random.pick([-present, present + 0.5, present * 1e6, present + 1, present - 1]));
      else put(slot, oddValue(random));
      break;
    default:
      put(slot, oddValue(random));
  }
  return root.root;
};
