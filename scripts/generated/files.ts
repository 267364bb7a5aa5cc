import { mkdir, readFile, writeFile } from 'node:fs/promises';

/** A file that is written by a program: its path in the repository, and what belongs in it. */
export type GeneratedFile = { readonly path: string; readonly content: () => string | Promise<string> };

const present = async (file: URL): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** The paths of the files that are missing or no longer what they should be. Reads, and writes nothing. */
const staleFiles = async (root: URL, files: readonly GeneratedFile[]): Promise<readonly string[]> => {
  const stale: string[] = [];
  for (const { path, content } of files)
    if ((await present(new URL(path, root))) !== (await content())) stale.push(path);
  return stale;
};

/** Writes what is missing or stale, and answers with those paths. */
const writeFiles = async (root: URL, files: readonly GeneratedFile[]): Promise<readonly string[]> => {
  const written: string[] = [];
  for (const { path, content } of files) {
    const text = await content();
    if ((await present(new URL(path, root))) === text) continue;
    await mkdir(new URL('./', new URL(path, root)), { recursive: true });
    await writeFile(new URL(path, root), text);
    written.push(path);
  }
  return written;
};

/**
 * What `npm run generate` does: writes what is stale, or with `check` only looks, and then fails when something is. Says
 * which files they are.
 */
export const generate = async (
  root: URL,
  files: readonly GeneratedFile[],
  check: boolean,
): Promise<{ readonly failed: boolean; readonly said: string }> => {
  const stale = await (check ? staleFiles : writeFiles)(root, files);
  if (stale.length === 0) return { failed: false, said: 'Generated files are fresh.' };
  return check
    ? { failed: true, said: `Stale: ${stale.join(', ')}. Run npm run generate and commit the result.` }
    : { failed: false, said: `Wrote ${stale.join(', ')}.` };
};
