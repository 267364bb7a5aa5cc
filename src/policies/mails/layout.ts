/** One line of what a mail is about; `before` is what the value was, where it has changed. An https address can be followed. */
export type Detail = { readonly label: string; readonly value: string; readonly before?: string };

export type Link = { readonly text: string; readonly url: string };

/** What a mail says, before it takes shape. */
export type Letter = {
  readonly subject: string;
  /** Greets by this name; left out where the address may be a stranger's, who is spared words of somebody else's choice. */
  readonly name?: string;
  readonly paragraphs: readonly string[];
  readonly details?: readonly Detail[];
  /** Shown large, to be typed. */
  readonly code?: string;
  /** What the reader is most likely to do; shown as a button. */
  readonly link?: Link;
  /** What else can be done. */
  readonly links?: readonly Link[];
};

const escaped = (text: string): string => text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

const FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const BUTTON =
  'display:inline-block;padding:12px 24px;background:#1d4ed8;color:#ffffff;border-radius:6px;text-decoration:none';
const CODE = 'font-size:28px;letter-spacing:6px;font-weight:bold';
const CELL = 'padding:8px 0;border-bottom:1px solid #d1d5db;vertical-align:top';
/** Anything that people enter may be one long word, and its lines are theirs. */
const ENTERED = 'white-space:pre-line;overflow-wrap:anywhere;word-break:break-word';

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
</head>
<body style="margin:0;padding:0">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
<tr><td align="center" style="padding:24px 16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;text-align:left">
<tr><td style="${FONT};font-size:16px;line-height:1.5">
${body}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;

const paragraph = (html: string, style = ''): string => `<p style="margin:0 0 16px${style && `;${style}`}">${html}</p>`;
/** Without a style the mail program chooses a colour that can be read on its own background. */
const linked = ({ text, url }: Link, style = ''): string =>
  `<a href="${escaped(url)}"${style && ` style="${style}"`}>${escaped(text)}</a>`;
const shown = (value: string): string =>
  /^https:\/\/\S+$/.test(value) ? linked({ text: value, url: value }) : escaped(value);

const row = ({ label, value, before }: Detail): string => {
  const former = before === undefined ? '' : `<br><span style="opacity:0.7">before: <s>${escaped(before)}</s></span>`;
  return `<tr>
<th scope="row" align="left" width="30%" style="${CELL};padding-right:16px;font-weight:600">${escaped(label)}</th>
<td style="${CELL};${ENTERED}">${shown(value)}${former}</td>
</tr>`;
};

const table = (details: readonly Detail[]): readonly string[] =>
  details.length === 0
    ? []
    : [
        `<table width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 24px;border-top:1px solid #d1d5db">
${details.map(row).join('\n')}
</table>`,
      ];

const rowText = ({ label, value, before }: Detail): string =>
  `${label}: ${value}${before === undefined ? '' : `\n  before: ${before}`}`;

/** The two parts of a mail, plain text and HTML: one column that narrows with the screen. Every value is escaped. */
export const laidOut = (letter: Letter): { text: string; html: string } => {
  const { subject, name, paragraphs, details = [], code, link, links = [] } = letter;
  const said = [name === undefined ? 'Hello,' : `Hello ${name},`, ...paragraphs];
  const text = [
    ...said,
    ...(details.length === 0 ? [] : [details.map(rowText).join('\n')]),
    ...(code === undefined ? [] : [code]),
    ...(link === undefined ? [] : [link.url]),
    ...links.map((one) => `${one.text}: ${one.url}`),
  ];
  const body = [
    ...said.map((words) => paragraph(escaped(words))),
    ...table(details),
    ...(code === undefined ? [] : [paragraph(escaped(code), CODE)]),
    ...(link === undefined ? [] : [paragraph(linked(link, BUTTON))]),
    ...(links.length === 0 ? [] : [paragraph(links.map((one) => linked(one)).join(' &nbsp; '))]),
  ];
  return { text: `${text.join('\n\n')}\n`, html: page(escaped(subject), body.join('\n')) };
};
