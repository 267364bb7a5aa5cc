/** A request as curl would send it. */
export type Request = {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
};

/** Gives the value of a shell variable. Throws for one that is not known. */
export type Variables = (name: string) => string;

const NAME = /^\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))/;

/** The words of one command as a POSIX shell would make them: both kinds of quotes, backslashes, variables; nothing else. */
export const wordsOf = (command: string, variable: Variables): readonly string[] => {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | undefined;
  for (let at = 0; at < command.length; at++) {
    const rest = command.slice(at);
    const [char = ''] = rest;
    const named = NAME.exec(rest);
    if (char === '\\') {
      const next = rest[1] ?? '';
      if (quote === '"' && !'"\\$`\n'.includes(next)) word = `${word ?? ''}\\`;
      else {
        at++;
        if (next !== '\n') word = (word ?? '') + next;
      }
    } else if (named !== null) {
      const value = variable(named[1] ?? named[2] ?? '');
      if (quote === undefined && /[\s*?[\]]/.test(value))
        throw new Error(`$${named[1] ?? named[2]} must stand in quotes`);
      word = (word ?? '') + value;
      at += named[0].length - 1;
    } else if (char === '"') {
      quote = quote === undefined ? '"' : undefined;
      word ??= '';
    } else if (quote === '"') word = (word ?? '') + char;
    else if (char === "'") {
      const end = command.indexOf("'", at + 1);
      if (end < 0) throw new Error('A quotation is not closed');
      word = (word ?? '') + command.slice(at + 1, end);
      at = end;
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|&;<>()`$*?[\]#~!{}]/.test(char))
      throw new Error(`${char} means something to a shell: put it in quotes`);
    else word = (word ?? '') + char;
  }
  if (quote !== undefined) throw new Error('A quotation is not closed');
  return word === undefined ? words : [...words, word];
};

const headerOf = (text: string): readonly [string, string] => {
  const [, name = '', value = ''] = /^([\w-]+): *(.*)$/.exec(text) ?? [];
  if (name === '') throw new Error(`This is no header: ${text}`);
  return [name, value];
};

/**
 * What a curl command sends. It may use `-X`, `-H`, `-b`, `--json` and `--data-binary`, and names one address; `-i` and `-s` change
 * nothing. Throws for anything else, so that documents stay with what every reader knows.
 */
export const requestOf = (command: string, variable: Variables): Request => {
  const [program, ...words] = wordsOf(command, variable);
  if (program !== 'curl') throw new Error('Only curl commands are carried out');
  let method: string | undefined;
  let url: string | undefined;
  let body: string | undefined;
  const headers: (readonly [string, string])[] = [];
  const rest = words.values();
  const value = (option: string): string => {
    const { value: next } = rest.next();
    if (next === undefined) throw new Error(`${option} lacks its value`);
    return next;
  };
  for (const word of rest) {
    if (word === '-i' || word === '-s') continue;
    if (word === '-X') method = value(word);
    else if (word === '-H') headers.push(headerOf(value(word)));
    else if (word === '-b') headers.push(['Cookie', value(word)]);
    else if (word === '--data-binary') body = value(word);
    else if (word === '--json') {
      body = value(word);
      headers.push(['Content-Type', 'application/json'], ['Accept', 'application/json']);
    } else if (word.startsWith('-')) throw new Error(`The option ${word} is not known here`);
    else if (url !== undefined) throw new Error('One address a command');
    else url = word;
  }
  if (url === undefined) throw new Error('The command names no address');
  return { method: method ?? (body === undefined ? 'GET' : 'POST'), url, headers, body };
};
