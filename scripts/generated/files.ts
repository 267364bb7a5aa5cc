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
export const staleFiles = async (root: URL, files: readonly GeneratedFile[]): Promise<readonly string[]> => {
  const stale: string[] = [];
  for (const { path, content } of files)
    if ((await present(new URL(path, root))) !== (await content())) stale.push(path);
  return stale;
};

/** Writes what is missing or stale, and answers with those paths. */
export const writeFiles = async (root: URL, files: readonly GeneratedFile[]): Promise<readonly string[]> => {
  const stale = await staleFiles(root, files);
  for (const { path, content } of files)
    if (stale.includes(path)) {
      await mkdir(new URL('./', new URL(path, root)), { recursive: true });
      await writeFile(new URL(path, root), await content());
    }
  return stale;
};
