import { setTimeout as pause } from 'node:timers/promises';
import { format } from 'node:util';
import { type Request, requestOf } from './curl.ts';
import { type Answered, answerDifferences, differences, expectedOf } from './expected.ts';
import { recorded } from './recorded.ts';
import { type Step, stepsIn, withExpectation } from './steps.ts';

/** Values by the names under which a document keeps them. */
export type Known = Map<string, string>;

/** What a document may name from the start: a value, or one that is made anew whenever it is used. */
export type Given = Readonly<Record<string, string | ((known: ReadonlyMap<string, string>) => Promise<string>)>>;

/** Milliseconds for which an answer that comes about by itself, or is not up to date yet, is waited for. */
const EVENTUALLY_MS = 30_000;
const AGAIN_MS = 20;

/** What the program calls itself where nothing else is said. */
const AGENT = 'curl/8.14.1';

const send = async ({ method, url, headers, body }: Request): Promise<Answered> => {
  const sent = new Headers({ 'User-Agent': AGENT, Accept: '*/*' });
  for (const [name, value] of headers) sent.set(name, value);
  const answer = await fetch(url, {
    method,
    headers: sent,
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

/** Whether to ask again, as the answer says: read models are behind, and the request may be made twice. */
const isEarly = ({ method, url }: Request, { status, text }: Answered): boolean =>
  status === 503 && text.includes('"READ_MODEL_BEHIND"') && (method === 'GET' || url.endsWith('/auth/login'));

type Script = (...values: readonly unknown[]) => Promise<void>;
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (...text: readonly string[]) => Script;

/** Runs a script as a browser would, its variables being what is known. Gives what it prints by `console.log`. */
const printedBy = async (code: string, known: Known): Promise<string> => {
  const lines: string[] = [];
  const console = { log: (...values: readonly unknown[]) => void lines.push(format(...values)) };
  await new AsyncFunction('console', ...known.keys(), code)(console, ...known.values());
  return lines.join('\n');
};

/** A step that did not come to what the document says. */
class Differs extends Error {}

const carryOut = async (step: Step, known: Known, given: Given): Promise<string | undefined> => {
  for (const [name, value] of Object.entries(given))
    if (typeof value === 'string') known.set(name, value);
    else if (new RegExp(`\\$\\{?${name}\\b`).test(step.text)) known.set(name, await value(known));
  const variable = (name: string): string => {
    const value = known.get(name);
    if (value === undefined) throw new Error(`Nothing before tells $${name}`);
    return value;
  };
  if (step.kind === 'script') {
    const said = await printedBy(step.text, known);
    if (step.expected === undefined) return said;
    const wrong = differences(step.expected, said, known, 'printed');
    if (wrong.length > 0) throw new Differs(wrong.join('\n'));
    return undefined;
  }
  const request = requestOf(step.text, variable);
  const { expected } = step;
  for (const end = performance.now() + EVENTUALLY_MS; ; await pause(AGAIN_MS)) {
    const answer = await send(request);
    if (isEarly(request, answer) && performance.now() <= end) continue;
    if (expected === undefined) return recorded(answer, known);
    const learned = new Map(known);
    const wrong = answerDifferences(expectedOf(expected), answer, learned);
    if (wrong.length === 0) {
      for (const [name, value] of learned) known.set(name, value);
      return undefined;
    }
    if (!step.eventually || performance.now() > end) throw new Differs(wrong.join('\n'));
  }
};

/**
 * Carries out a Markdown document from top to bottom, each step after the one before. Throws at the first that does not
 * come to what is written behind it, naming the line. What a step without an expectation came to is put into the
 * document and handed to `record`; without that it throws. Gives the number of steps.
 */
export const walk = async (
  markdown: string,
  { given, record }: { readonly given: Given; readonly record?: ((markdown: string) => void) | undefined },
): Promise<number> => {
  const known: Known = new Map();
  let text = markdown;
  for (let done = 0; ; done++) {
    const step = stepsIn(text)[done];
    if (step === undefined) return done;
    try {
      const found = await carryOut(step, known, given);
      if (found === undefined) continue;
      if (record === undefined) throw new Error('No answer is written behind it');
      text = withExpectation(text, step, found);
      record(text);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      throw new Error(`Line ${step.line}: ${said}\n${step.text}`, error instanceof Differs ? {} : { cause: error });
    }
  }
};
