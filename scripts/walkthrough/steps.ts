/** A block of a document that is carried out. `line` is where it begins in the document, from 1. */
type Block = {
  readonly line: number;
  readonly text: string;
  /** What it has to come to: the answer, or what the script prints. Undefined where nothing is said yet. */
  readonly expected: string | undefined;
  /** The line behind the block: where the expectation stands, or would. */
  readonly end: number;
};

/** A command that is sent, or a script that is run; in the order in which they stand. */
export type Step =
  | (Block & {
      readonly kind: 'curl';
      /** What it asks for comes about by itself a moment later: asked again until the answer is as written. */
      readonly eventually: boolean;
    })
  | (Block & { readonly kind: 'script' });

type Fenced = { readonly info: string; readonly line: number; readonly end: number; readonly text: string };

const FENCE = /^```(.*)$/;

const fencedIn = (markdown: string): readonly Fenced[] => {
  const found: Fenced[] = [];
  let open: { readonly info: string; readonly line: number; readonly lines: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    const fence = FENCE.exec(text);
    if (fence === null) open?.lines.push(text);
    else if (open === undefined) open = { info: (fence[1] ?? '').trim(), line: index + 1, lines: [] };
    else {
      found.push({ info: open.info, line: open.line, end: index + 1, text: open.lines.join('\n') });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`Line ${open.line}: this block is not closed`);
  return found;
};

const EXPECTATION = { curl: 'http', script: 'text' } as const;

/** Blocks that can be carried out, by their fence. */
const KINDS: Readonly<Record<string, { readonly kind: Step['kind']; readonly eventually?: true }>> = {
  sh: { kind: 'curl' },
  'sh eventually': { kind: 'curl', eventually: true },
  js: { kind: 'script' },
};

/**
 * The steps of a Markdown document. A block fenced `sh` is one curl command, the block `http` right behind it its answer; a
 * block fenced `js` is a script as a browser runs it, the block `text` behind it what it prints. All other text is for
 * readers. Throws where an expectation belongs to no step.
 */
export const stepsIn = (markdown: string): readonly Step[] => {
  const blocks = fencedIn(markdown);
  const taken = new Set<Fenced>();
  const steps = blocks.flatMap((block, index): Step[] => {
    const { info, line, end, text } = block;
    const as = KINDS[info];
    if (as === undefined) return [];
    const next = blocks[index + 1];
    const answers = next !== undefined && next.info === EXPECTATION[as.kind];
    if (answers) taken.add(next);
    const of = { line, end, text, expected: answers ? next.text : undefined };
    return [
      as.kind === 'script' ? { kind: 'script', ...of } : { kind: 'curl', eventually: as.eventually ?? false, ...of },
    ];
  });
  const stray = blocks.find((block) => block.info === 'http' && !taken.has(block));
  if (stray !== undefined) throw new Error(`Line ${stray.line}: the answer follows no command`);
  return steps;
};

/** The document with an expectation put behind a step that had none. */
export const withExpectation = (markdown: string, { end, kind }: Step, expected: string): string =>
  markdown
    .split('\n')
    .toSpliced(end, 0, '', `\`\`\`${EXPECTATION[kind]}`, ...expected.split('\n'), '```')
    .join('\n');
