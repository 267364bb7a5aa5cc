import { randomUUID } from 'node:crypto';
import t from 'tap';
import { requestRebuild } from '../../src/projections/control.ts';
import { type AnyProjection, integer, nullable, text, uuid } from '../../src/projections/projection.ts';
import { verify } from '../../src/projections/verify.ts';
import { aggregates, eventually, readSide } from '../support/readSide.ts';

type NoteRow = { readonly id: string; readonly owner: string; readonly text: string | null; readonly edits: number };
type NoteEvent = { readonly data: { readonly id: string; readonly owner: string; readonly text: string } };

/** Notes by id, which an erasure does not know. */
const notes: AnyProjection = {
  name: 'notes',
  version: 1,
  columns: { id: uuid, owner: uuid, text: nullable(text), edits: integer },
  key: { column: 'id', of: ({ data }: NoteEvent) => data.id },
  erasure: { column: 'owner', row: (row: NoteRow) => ({ ...row, text: null }) },
  indexes: [['edits'], ['owner', 'edits']],
  fold: {
    Noted: (row: NoteRow | undefined, { data }: NoteEvent): NoteRow => ({ ...data, edits: (row?.edits ?? 0) + 1 }),
  },
};
const known = [
  ...aggregates,
  { category: 'note', events: { Noted: {} } },
  { category: 'account', events: { AccountErased: {} } },
];

t.test('an erasure', async (t) => {
  const side = await readSide(t);
  const [ada, bob] = [randomUUID(), randomUUID()];
  const note = (id: string, owner: string, content: string) =>
    side.append(`note-${id}`, 'Noted', { id, owner, text: content });
  const rows = async (): Promise<readonly object[]> =>
    (await side.pool.query('select owner, text, edits from read.notes order by edits, owner = $1, text', [ada])).rows;

  const ids = Array.from({ length: 3 }, () => randomUUID());
  for (const id of ids) await note(id, ada, 'mine');
  await note(randomUUID(), bob, 'his');
  side.run([notes], { aggregates: known });
  const last = await note(ids[0] ?? '', ada, 'mine again');
  await side.reached(last, notes);

  await t.test('reaches every row of the person, and nobody else’s', async (t) => {
    // In capitals, as a client may have spelled it.
    const position = await side.append(`account-${ada}`, 'AccountErased', { accountId: ada.toUpperCase() });
    await side.reached(position, notes);
    t.strictSame(await rows(), [
      { owner: bob, text: 'his', edits: 1 },
      { owner: ada, text: null, edits: 1 },
      { owner: ada, text: null, edits: 1 },
      { owner: ada, text: null, edits: 2 },
    ]);
  });
  await t.test('leaves alone what comes after it', async (t) => {
    const position = await note(ids[1] ?? '', ada, 'later');
    await side.reached(position, notes);
    t.match((await rows()).at(-1), { owner: ada, text: null });
    t.ok((await rows()).some((row) => 'text' in row && row.text === 'later'));
  });
  await t.test('does the same in a rebuild, where rows and erasure come in one batch', async (t) => {
    const before = await rows();
    t.match(await verify(notes, { ...side, aggregates: known }), { differing: 0, rows: 4 });
    await requestRebuild(side.pool, 'notes');
    await eventually(
      async () => (await side.pool.query('select from convene.projection_control where rebuild')).rowCount,
      (count) => count === 0,
    );
    t.strictSame(await rows(), before);
  });
  await t.test('finds the rows by an index that is there from the beginning, once', async (t) => {
    const { rows: indexes } = await side.pool.query<{ indexdef: string }>(
      `select indexdef from pg_indexes where schemaname = 'read' and tablename = 'notes'`,
    );
    const columns = indexes.map(({ indexdef }) => /\((.*)\)/.exec(indexdef)?.[1]).sort();
    t.strictSame(columns, ['edits', 'id', 'owner, edits']);
  });
});
