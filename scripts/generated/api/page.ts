import { statusOf } from '../../../src/http/problem.ts';
import type { Reason } from '../reasons.ts';
import type { Document, Operation } from './document.ts';
import { inputsOf } from './fields.ts';

const PREFIX = '/api/v1';

/** One operation of a page's source: where it is called, and what the author says about it. */
export type Section = {
  /** Such as `POST /auth/login`; further ones are other spellings of the same. */
  readonly spellings: readonly string[];
  readonly lines: readonly string[];
};

/** The source of a page: what comes before its operations, and the operations in their order. */
export type Source = {
  /** Paths below the prefix whose operations all have to stand on some page. */
  readonly covers: readonly string[];
  readonly intro: readonly string[];
  readonly sections: readonly Section[];
};

const COVERS = /^<!-- covers (.+) -->$/;
const HEADING = /^## ((?:GET|POST|PUT|PATCH|DELETE) \/.*)$/;

/** A page's source: Markdown in which `## METHOD /path` begins an operation. */
export const sourceOf = (markdown: string): Source => {
  const [first = '', ...lines] = markdown.split('\n');
  const covers = COVERS.exec(first)?.[1]?.split(', ');
  if (covers === undefined) throw new Error('The source of a page begins with <!-- covers /path -->');
  const intro: string[] = [];
  const sections: { spellings: readonly string[]; lines: string[] }[] = [];
  for (const line of lines) {
    const heading = HEADING.exec(line)?.[1];
    if (heading !== undefined) sections.push({ spellings: heading.split(', '), lines: [] });
    else (sections.at(-1)?.lines ?? intro).push(line);
  }
  return { covers, intro, sections };
};

/** The operation of a spelling such as `POST /auth/login`. */
export const operationAt = ({ paths }: Document, spelling: string): Operation | undefined => {
  const [method = '', path = ''] = spelling.split(' ');
  return paths[`${PREFIX}${path}`]?.[method.toLowerCase()];
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const trimmed = (lines: readonly string[]): string => lines.join('\n').trim();
/** Reads like prose: lines of a paragraph are as long as their author made them. */
const paragraphs = (...texts: readonly string[]): string => texts.filter((text) => text !== '').join('\n\n');

const FIELD = /^Field `([^`]+)`: (.+)$/;
const REFUSES = /^Refuses: (.+)$/;
const REFUSED = /^Refused (?:(\d{3}) )?`([^`]+)`: (.+)$/;

/** A refusal of an operation; status and words are those of the list of reasons unless the author gives them. */
type Refusal = { readonly reason: string; readonly status?: number | undefined; readonly says?: string | undefined };

const whoMay = ({ description, security }: Operation): string => {
  const [, who = description] = /^(?:Command `\w+`\. )?(.*)$/s.exec(description) ?? [];
  return security.some((scheme) => 'apiKey' in scheme) ? `${who} API keys are accepted.` : who;
};

const fieldTable = (operation: Operation, meanings: ReadonlyMap<string, string>): string => {
  const fields = inputsOf(operation);
  const unknown = [...meanings.keys()].filter((name) => !fields.some(({ path }) => path === name));
  if (unknown.length > 0) throw new Error(`${operation.operationId} has no field ${unknown.join(', ')}`);
  if (fields.length === 0) return '';
  const rows = fields.map(({ path, where, required, limits, description }) => {
    const place = where === 'body' ? '' : `, in the ${where}`;
    const meaning = meanings.get(path) ?? description;
    return `| \`${path}\` | ${cell(limits)}${place} | ${required ? 'yes' : ''} | ${cell(meaning)} |`;
  });
  return ['| Field | Type and limits | Required | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
};

const refusalTable = (refusals: readonly Refusal[], reasons: readonly Reason[]): string => {
  if (refusals.length === 0) return '';
  const rows = refusals.map(({ reason, status, says }) => {
    const known = reasons.find((each) => each.reason === reason);
    if (known === undefined) throw new Error(`There is no reason ${reason}`);
    const codes = known.codes
      .split(', ')
      .map((code) => ({ code, status: statusOf[code as keyof typeof statusOf] }))
      .filter((each) => status === undefined || each.status === status);
    if (codes.length === 0) throw new Error(`${reason} never has the status ${status}`);
    const answers = codes.map((each) => `${each.status} \`${each.code}\``).join(', ');
    return `| ${answers} | \`${reason}\` | ${cell(says ?? known.message)} |`;
  });
  return ['| Refused with | Reason | Says |', '| --- | --- | --- |', ...rows].join('\n');
};

const sectionText = (document: Document, reasons: readonly Reason[], { spellings, lines }: Section): string => {
  const [first = ''] = spellings;
  const operation = operationAt(document, first);
  const unknown = spellings.filter((spelling) => operationAt(document, spelling) === undefined);
  if (operation === undefined || unknown.length > 0) throw new Error(`There is no operation ${unknown.join(', ')}`);
  const meanings = new Map<string, string>();
  const refusals: Refusal[] = [];
  const said = lines.filter((line) => {
    const [, field, meaning = ''] = FIELD.exec(line) ?? [];
    if (field !== undefined) meanings.set(field, meaning);
    const listed = REFUSES.exec(line)?.[1]?.split(', ') ?? [];
    refusals.push(...listed.map((reason) => ({ reason })));
    const [, status, reason, says] = REFUSED.exec(line) ?? [];
    if (reason !== undefined)
      refusals.push({ reason, status: status === undefined ? undefined : Number(status), says });
    return field === undefined && listed.length === 0 && reason === undefined;
  });
  const example = said.findIndex((line) => line.startsWith('```'));
  const worked = example < 0 ? said.length : example;
  // The sentence that leads to the first command stays with it.
  const lead = said.slice(0, worked).join('\n').trimEnd().endsWith(':')
    ? said.slice(0, worked).join('\n').trimEnd().lastIndexOf('\n\n')
    : -1;
  const before = said.slice(0, worked).join('\n').trimEnd();
  const [purpose, leading] = lead < 0 ? [before, ''] : [before.slice(0, lead), before.slice(lead)];
  return paragraphs(
    `## ${operation.summary}`,
    spellings.map((spelling) => `\`${spelling.replace(' ', ` ${PREFIX}`)}\``).join(' or '),
    purpose.trim(),
    whoMay(operation),
    fieldTable(operation, meanings),
    refusalTable(refusals, reasons),
    leading.trim(),
    trimmed(said.slice(worked)),
  );
};

/** A page of the API reference: its source, with what the API document and the list of reasons know put in. */
export const apiPage = (name: string, markdown: string, document: Document, reasons: readonly Reason[]): string => {
  const { intro, sections } = sourceOf(markdown);
  const [title = '', ...rest] = trimmed(intro).split('\n');
  return `${paragraphs(
    title,
    `<!-- Generated by scripts/generate.ts from the API document and scripts/generated/api/pages/${name}. Edit those. -->`,
    trimmed(rest),
    ...sections.map((section) => sectionText(document, reasons, section)),
  )}\n`;
};
