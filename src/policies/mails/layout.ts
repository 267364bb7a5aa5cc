/** What a mail says, before it takes shape. */
export type Letter = {
  readonly subject: string;
  /** Greets by this name; left out where the address may be a stranger's, who is spared words of somebody else's choice. */
  readonly name?: string;
  readonly paragraphs: readonly string[];
  /** Shown large, to be typed. */
  readonly code?: string;
  readonly link?: { readonly text: string; readonly url: string };
};

const escaped = (text: string): string => text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

const FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const BUTTON =
  'display:inline-block;padding:12px 24px;background:#1d4ed8;color:#ffffff;border-radius:6px;text-decoration:none';
const CODE = 'font-size:28px;letter-spacing:6px;font-weight:bold';

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

/** The two parts of a mail, plain text and HTML: one column that narrows with the screen. Every value is escaped. */
export const laidOut = ({ subject, name, paragraphs, code, link }: Letter): { text: string; html: string } => {
  const greeting = name === undefined ? 'Hello,' : `Hello ${name},`;
  const said = [greeting, ...paragraphs];
  return {
    text: `${[...said, ...(code === undefined ? [] : [code]), ...(link === undefined ? [] : [link.url])].join('\n\n')}\n`,
    html: page(
      escaped(subject),
      [
        ...said.map((paragraph) => `<p style="margin:0 0 16px">${escaped(paragraph)}</p>`),
        ...(code === undefined ? [] : [`<p style="margin:0 0 16px;${CODE}">${escaped(code)}</p>`]),
        ...(link === undefined
          ? []
          : [
              `<p style="margin:0 0 16px"><a href="${escaped(link.url)}" style="${BUTTON}">${escaped(link.text)}</a></p>`,
            ]),
      ].join('\n'),
    ),
  };
};
