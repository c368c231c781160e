// Makes what was done to a directory's entries durable: a file that was made, renamed or removed is so after a power cut only when its
// directory was fsynced, too.
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** fsync of a directory. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a directory with those above it that are missing, durably; one that is there already is left as it is. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let above = dirname(resolve(directory)); ; above = dirname(above)) {
    await syncDirectory(above);
    if (above === top || above === dirname(above)) return;
  }
}
