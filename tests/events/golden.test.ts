import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';
import { z } from 'zod';
import type { AnyDecider } from '../../src/commands/binding.ts';
import { deciders } from '../../src/domain/catalogue.ts';

const folder = new URL('./golden/', import.meta.url);
const Golden = z.object({ type: z.string(), schemaVersion: z.int().min(1), data: z.record(z.string(), z.unknown()) });

/** Every shape in which an event may lie in the log, and how data of it become data of today. */
const shapes = (deciders as readonly AnyDecider[]).flatMap(({ events, older }) =>
  Object.entries(events).flatMap(([type, current]) => {
    const former = older?.[type] ?? [];
    return [...former.map(({ schema }) => schema), current].map((schema, index) => ({
      type,
      version: index + 1,
      stored: schema,
      today: (data: unknown): unknown =>
        former.slice(index).reduce((value, { upcast }) => upcast(value as never), schema.parse(data)),
      current,
    }));
  }),
);
const fileOf = ({ type, version }: { type: string; version: number }) => `${type}.v${version}.json`;

t.test('the golden files', async (t) => {
  const present = new Set(await readdir(folder));
  const expected = new Set(shapes.map(fileOf));
  t.ok(shapes.length > 20, `cover ${shapes.length} shapes of events`);
  t.strictSame([...expected].filter((file) => !present.has(file)).sort(), [], 'are all there');
  t.strictSame([...present].filter((file) => !expected.has(file)).sort(), [], 'stand for events that exist');

  for (const shape of shapes.filter((shape) => present.has(fileOf(shape))))
    t.test(`${fileOf(shape)} reads as an event of today`, async (t) => {
      const golden = Golden.parse(JSON.parse(await readFile(new URL(fileOf(shape), folder), 'utf8')));
      t.match(golden, { type: shape.type, schemaVersion: shape.version });
      const today = shape.current.parse(shape.today(golden.data));
      t.strictSame(JSON.parse(JSON.stringify(today)), today, 'is plain JSON');
      const known = Object.keys(shape.stored.parse(golden.data) as object);
      t.strictSame(Object.keys(golden.data).sort(), known.sort(), 'has no field that its schema does not know');
    });
});
