import { CsvError, type Info, parse } from 'csv-parse/sync';
import { Problem } from '../../problem.ts';

/** A row of a table with the line on which it begins, counted from 1. */
export type TableRow = { readonly cells: readonly string[]; readonly line: number };

/** The body of a request that came as CSV. */
export type Table = { readonly table: readonly TableRow[] };
export const isTable = (body: unknown): body is Table => typeof body === 'object' && body !== null && 'table' in body;

const unreadable = (line: number, message: string) =>
  new Problem('BAD_REQUEST', `Line ${line} of the CSV file cannot be read: ${message}`, { reason: 'csv-unreadable' });

const WORDS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quotation mark is not closed',
  INVALID_OPENING_QUOTE: 'a quotation mark stands in the middle of a cell that has none around it',
  CSV_INVALID_CLOSING_QUOTE: 'something follows the quotation mark that ends a cell',
};

/** The character between cells: the one that the header line has most of. Spreadsheets write semicolons in many countries. */
const separatorOf = (text: string): string => {
  const header = /^.*/.exec(text)?.[0] ?? '';
  const count = (separator: string): number => header.split(separator).length;
  return [',', ';', '\t'].reduce((best, one) => (count(one) > count(best) ? one : best));
};

/** The rows of a CSV file (RFC 4180; any line breaks, byte-order mark allowed), empty lines left out. Throws 400 with the line. */
export const readTable = (text: string): readonly TableRow[] => {
  const plain = text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n');
  try {
    const rows = parse(plain, {
      delimiter: separatorOf(plain),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as readonly { readonly record: readonly string[]; readonly info: Info }[];
    return rows.map(({ record, info }) => ({
      cells: record,
      line: info.lines - record.reduce((breaks, cell) => breaks + cell.split('\n').length - 1, 0),
    }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw unreadable(Number(error.lines ?? 1), WORDS[error.code] ?? 'it is not CSV');
  }
};

const COLUMNS = ['title', 'description', 'externalRef', 'url'] as const;
type Column = (typeof COLUMNS)[number];
const spelled = (name: string): string => name.replaceAll(/[\s_-]/g, '').toLowerCase();

const refuse = (line: number, field: string, message: string) =>
  new Problem('VALIDATION_ERROR', 'Some lines are not acceptable', {
    reason: 'input-invalid',
    details: [{ field, message: `Line ${line}: ${message}` }],
  });

/** Which cell of a row is which field. Columns that stories do not have are passed over. */
const placesOf = ({ cells, line }: TableRow): ReadonlyMap<Column, number> => {
  const places = new Map<Column, number>();
  for (const [index, cell] of cells.entries()) {
    const column = COLUMNS.find((name) => spelled(name) === spelled(cell));
    if (column === undefined) continue;
    if (places.has(column)) throw refuse(line, column, 'There are two columns of this name');
    places.set(column, index);
  }
  if (!places.has('title')) throw refuse(line, 'title', 'The first line must name the columns; there is no title');
  return places;
};

/** Stories as they stand in a table, unchecked, and the line of each. Empty cells count as left out. Throws 422 with the line. */
export const storiesIn = ([header, ...rows]: readonly TableRow[]): {
  readonly stories: readonly Partial<Record<Column, string>>[];
  readonly lines: readonly number[];
} => {
  if (header === undefined) throw refuse(1, 'title', 'The file is empty; its first line must name the columns');
  const places = placesOf(header);
  const stories = rows.map(({ cells, line }) => {
    if (cells.length > header.cells.length) throw refuse(line, '', 'There are more cells than columns');
    const filled = [...places].flatMap(([column, place]): [Column, string][] => {
      const text = cells[place]?.trim() ?? '';
      return text === '' && column !== 'title' ? [] : [[column, text]];
    });
    return Object.fromEntries(filled);
  });
  return { stories, lines: rows.map(({ line }) => line) };
};
