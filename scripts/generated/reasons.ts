import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A reason as the API reference lists it. */
export type Reason = { readonly reason: string /** With commas. */; readonly codes: string; readonly message: string };

const WORDS = String.raw`(?:'((?:[^'\\]|\\.)*)'|${'`'}((?:[^${'`'}\\]|\\.)*)${'`'}|"((?:[^"\\]|\\.)*)")`;
const CODE = "'([A-Z][A-Z_]+)'";
const NAME = "'([a-z][a-z0-9]*(?:-[a-z0-9]+)*)'";

/** The spellings in which the code gives a reason: code, reason and words, in whichever order. */
const spellings: readonly {
  readonly pattern: RegExp;
  readonly code?: number;
  readonly reason: number;
  readonly words: number;
}[] = [
  { pattern: new RegExp(String.raw`\breject\(\s*${CODE},\s*${NAME},\s*${WORDS}`, 'g'), code: 1, reason: 2, words: 3 },
  {
    pattern: new RegExp(String.raw`\bcode: ${CODE},\s*reason: ${NAME},\s*message:\s*${WORDS}`, 'g'),
    code: 1,
    reason: 2,
    words: 3,
  },
  {
    pattern: new RegExp(String.raw`\bnew Problem\(\s*${CODE},\s*${WORDS},\s*\{\s*reason: ${NAME}`, 'g'),
    code: 1,
    reason: 5,
    words: 2,
  },
  // The words say what exactly was wrong.
  {
    pattern: new RegExp(String.raw`\bnew Problem\(\s*${CODE},\s*[\w.[\]]+,\s*\{\s*reason: ${NAME}`, 'g'),
    code: 1,
    reason: 2,
    words: 9,
  },
  {
    pattern: new RegExp(String.raw`\b(?:refuse|refusal)\(\s*${CODE},\s*${NAME},\s*${WORDS}`, 'g'),
    code: 1,
    reason: 2,
    words: 3,
  },
  // Refusals of a login, which all have one code; also told apart from the general one.
  {
    pattern: new RegExp(String.raw`\.\.\.invalid\(\),\s*reason: ${NAME},\s*message:\s*${WORDS}`, 'g'),
    reason: 1,
    words: 2,
  },
  { pattern: new RegExp(String.raw`\brefused\(\s*${NAME},\s*${WORDS}`, 'g'), reason: 1, words: 2 },
];

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** What a template puts in is shown as an ellipsis. */
const plain = (words: string): string => words.replace(/\$\{[^}]*\}/g, '…').replace(/\\(.)/g, '$1');

/** Every reason that stands in the source text, by name. */
export const reasonsIn = (texts: readonly string[]): readonly Reason[] => {
  const found = new Map<string, { readonly codes: Set<string>; message: string }>();
  for (const text of texts)
    for (const { pattern, code, reason, words } of spellings)
      for (const match of text.matchAll(pattern)) {
        const name = match[reason] ?? '';
        const message = plain(match[words] ?? match[words + 1] ?? match[words + 2] ?? '');
        const known = found.get(name) ?? { codes: new Set<string>(), message: '' };
        if (known.message === '') known.message = message;
        known.codes.add(code === undefined ? 'UNAUTHORIZED' : (match[code] ?? ''));
        found.set(name, known);
      }
  return [...found]
    .map(([reason, { codes, message }]) => ({ reason, codes: [...codes].sort().join(', '), message }))
    .sort((a, b) => (a.reason < b.reason ? -1 : 1));
};

/** Every reason that the service may answer with. */
export const reasons = (root: URL): readonly Reason[] =>
  reasonsIn(
    ['src/domain', 'src/commands', 'src/http'].flatMap((folder) =>
      filesIn(new URL(folder, root).pathname).map((file) => readFileSync(file, 'utf8')),
    ),
  );
