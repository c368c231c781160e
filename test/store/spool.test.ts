import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Spool } from '#dist/store/spool.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-spool-'));
  vi.stubEnv('TMPDIR', folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('makes nothing by itself, and removes what was made in its name and nothing else', async () => {
  {
    await using one = await Spool.open();
    await using other = await Spool.open();
    expect(await readdir(folder)).toEqual([]);
    await writeFile(`${one.prefix}-0-1`, 'rows');
    await writeFile(`${other.prefix}-0-1`, 'rows');
    await writeFile(join(folder, 'tidemark-not-ours'), '');
    await one[Symbol.asyncDispose]();
    expect((await readdir(folder)).length).toBe(2);
  }
  expect(await readdir(folder)).toEqual(['tidemark-not-ours']);
});

test('says at once where no file could be made', async () => {
  vi.stubEnv('TMPDIR', join(folder, 'missing'));
  await expect(Spool.open()).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('(TMPDIR)') });
});
