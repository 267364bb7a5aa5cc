import type { Sent } from './wire.ts';

const parsed = (body: Buffer | undefined): unknown => {
  try {
    return body === undefined ? undefined : JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

const withBody = (sent: Sent, value: unknown): Sent => ({ ...sent, body: Buffer.from(JSON.stringify(value) ?? '') });

/** Simpler requests that might fail the same way, the simplest first. */
const simpler = (sent: Sent): readonly Sent[] => {
  const { body, headers, path, chunked } = sent;
  const all: Sent[] = [];
  if (chunked) all.push({ ...sent, chunked: false });
  if (body !== undefined) {
    const { body: _gone, ...bare } = sent;
    all.push({ ...bare, headers: headers.filter(([name]) => name !== 'content-type') });
    if (body.length > 2) all.push({ ...sent, body: Buffer.from('{}') });
  }
  const [bare = '', query] = path.split('?');
  if (query !== undefined) {
    all.push({ ...sent, path: bare });
    const pairs = query.split('&');
    if (pairs.length > 1)
      for (const index of pairs.slice(0, 20).keys())
        all.push({ ...sent, path: `${bare}?${pairs.filter((_pair, other) => other !== index).join('&')}` });
  }
  for (const index of headers.keys()) {
    const [name] = headers[index] ?? [];
    if (name === 'authorization' || name === 'content-type') continue;
    all.push({ ...sent, headers: headers.filter((_header, other) => other !== index) });
  }
  const value = parsed(body);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    for (const [key, part] of Object.entries(value)) {
      const rest = Object.entries(value).filter(([other]) => other !== key);
      all.push(withBody(sent, Object.fromEntries(rest)));
      if (typeof part === 'string' && part.length > 12)
        all.push(withBody(sent, { ...value, [key]: part.slice(0, Math.ceil(part.length / 2)) }));
    }
  return all;
};

/** How many requests a search for a simpler case may take. */
const TRIES = 60;

/** The simplest request found that still fails the same way. What depends on state may not fail twice: it stays as it is. */
export const shrunk = async (sent: Sent, failsAlike: (sent: Sent) => Promise<boolean>): Promise<Sent> => {
  let best = sent;
  for (let tries = 0, found = true; found && tries < TRIES; ) {
    found = false;
    for (const candidate of simpler(best)) {
      if (tries >= TRIES) break;
      tries += 1;
      if (!(await failsAlike(candidate))) continue;
      best = candidate;
      found = true;
      break;
    }
  }
  return best;
};
