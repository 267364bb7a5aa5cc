import { createRequire } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';
import PDFDocument from 'pdfkit';

/** A column of a printed table: its heading, and its share of the width. */
export type PrintedColumn = { readonly title: string; readonly share: number };

/** What a printed table says of itself. */
export type Heading = {
  readonly title: string;
  readonly subtitle: string;
  /** When it was asked for: the same table is the same file. */
  readonly at: Date;
};

const MARGIN = 40;
const PADDING = 4;
const TEXT = 8;
/** Rows between which others get their turn: drawing one takes a quarter of a millisecond. */
const ROWS_A_TURN = 20;
const RULE = '#c8ced6';
const SHADE = '#f3f5f8';
const INK = '#1b2430';
const MUTED = '#5b6675';

const require = createRequire(import.meta.url);
// The letters built into readers cover western Europe alone.
const REGULAR = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf');
const BOLD = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf');

/** A table as PDF on as many A4 pages as it takes, in pieces: the rows come and go page by page. */
export async function* printedTable(
  heading: Heading,
  columns: readonly PrintedColumn[],
  pages: AsyncIterable<readonly (readonly string[])[]>,
): AsyncGenerator<Buffer> {
  const doc = new PDFDocument({
    size: 'A4',
    layout: 'landscape',
    // Nothing at the foot: text that reaches into it would begin a page by itself.
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: 0 },
    lang: 'en',
    displayTitle: true,
    info: { Title: heading.title, Creator: 'Convene', CreationDate: heading.at, ModDate: heading.at },
    autoFirstPage: false,
  });
  doc.registerFont('regular', REGULAR).registerFont('bold', BOLD);
  let number = 0;
  let y = 0;
  const width = (): number => doc.page.width - 2 * MARGIN;
  const total = columns.reduce((sum, { share }) => sum + share, 0);
  const widthOf = ({ share }: PrintedColumn): number => (width() * share) / total;

  const heightOf = (cells: readonly string[]): number =>
    2 * PADDING +
    Math.max(
      ...columns.map((column, index) =>
        doc.heightOfString(cells[index] || ' ', { width: widthOf(column) - 2 * PADDING }),
      ),
    );
  const row = (cells: readonly string[], height: number, shaded: boolean): void => {
    if (shaded) doc.rect(MARGIN, y, width(), height).fill(SHADE);
    let x = MARGIN;
    doc.fillColor(INK);
    for (const [index, column] of columns.entries()) {
      doc.text(cells[index] ?? '', x + PADDING, y + PADDING, {
        width: widthOf(column) - 2 * PADDING,
        height,
        ellipsis: true,
      });
      x += widthOf(column);
    }
    y += height;
    doc
      .moveTo(MARGIN, y)
      .lineTo(MARGIN + width(), y)
      .lineWidth(0.5)
      .stroke(RULE);
  };
  const begin = (): void => {
    doc.addPage();
    number += 1;
    y = MARGIN;
    if (number === 1) {
      doc.font('bold').fontSize(16).fillColor(INK).text(heading.title, MARGIN, y);
      doc
        .font('regular')
        .fontSize(10)
        .fillColor(MUTED)
        .text(heading.subtitle, MARGIN, y + 22);
      y += 46;
    }
    doc.font('regular').fontSize(TEXT).fillColor(MUTED);
    const foot = doc.page.height - MARGIN + 8;
    doc.text(`${heading.title} · ${number}`, MARGIN, foot, { width: width(), align: 'right', lineBreak: false });
    doc.font('bold').fontSize(TEXT);
    const titles = columns.map(({ title }) => title);
    row(titles, heightOf(titles), false);
    doc.font('regular');
  };
  const written = function* (): Generator<Buffer> {
    for (let piece = doc.read(); piece !== null; piece = doc.read()) yield piece as Buffer;
  };

  begin();
  let count = 0;
  for await (const rows of pages) {
    for (const cells of rows) {
      const room = doc.page.height - MARGIN - y;
      const height = Math.min(heightOf(cells), doc.page.height - 4 * MARGIN);
      if (height > room) begin();
      row(cells, height, count % 2 === 1);
      count += 1;
      yield* written();
      if (count % ROWS_A_TURN === 0) await turn();
    }
  }
  if (count === 0) doc.fillColor(MUTED).text('Nothing in this time.', MARGIN + PADDING, y + 2 * PADDING);
  doc.end();
  yield* written();
}
