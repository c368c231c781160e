// How a temporary file gets its name: at once, over nobody else's, and on file systems without hard links, too.
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { publishFenced } from '#dist/store/publish-fenced.js';

async function places(): Promise<{ directory: string; temporary: string; target: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-publish-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const temporary = join(directory, '.temporary');
  await writeFile(temporary, 'new');
  return { directory, temporary, target: join(directory, 'target') };
}

const noLinks = (code: string) => (): Promise<void> => Promise.reject(Object.assign(new Error('no links here'), { code }));

describe.each([
  ['with hard links', {}],
  ['without (FAT)', { makeLink: noLinks('EPERM') }],
  ['without (a network)', { makeLink: noLinks('ENOTSUP') }],
  ['without (FUSE)', { makeLink: noLinks('ENOSYS') }],
])('%s', (_, options) => {
  test('the temporary file becomes the target', async () => {
    const { directory, temporary, target } = await places();
    await publishFenced(temporary, target, options);
    expect(await readdir(directory)).toEqual(['target']);
    expect(await readFile(target, 'utf8')).toBe('new');
  });

  test('a file that is there stays', async () => {
    const { directory, temporary, target } = await places();
    await writeFile(target, 'old');
    await expect(publishFenced(temporary, target, options)).rejects.toMatchObject({ code: 'FILE_ERROR', details: { errno: 'EEXIST' } });
    expect(await readFile(target, 'utf8')).toBe('old');
    expect(await readdir(directory)).toEqual(['.temporary', 'target']);
  });

  test('so does a link that leads nowhere', async () => {
    const { temporary, target, directory } = await places();
    await symlink(join(directory, 'nowhere'), target);
    await expect(publishFenced(temporary, target, options)).rejects.toMatchObject({ code: 'FILE_ERROR' });
  });

  test('it is replaced where that was asked for', async () => {
    const { directory, temporary, target } = await places();
    await writeFile(target, 'old');
    await publishFenced(temporary, target, { ...options, replace: true });
    expect(await readFile(target, 'utf8')).toBe('new');
    expect(await readdir(directory)).toEqual(['target']);
  });

  test('a temporary file that is gone: the lock was lost', async () => {
    const { directory, temporary, target } = await places();
    await rm(temporary);
    await expect(publishFenced(temporary, target, options)).rejects.toMatchObject({ code: 'LOCK_LOST' });
    await expect(publishFenced(temporary, target, { ...options, replace: true })).rejects.toMatchObject({ code: 'LOCK_LOST' });
    expect(await readdir(directory)).toEqual([]);
  });

  test('a folder that is gone is none', async () => {
    const { directory, temporary, target } = await places();
    await rm(directory, { recursive: true });
    await expect(publishFenced(temporary, target, options)).rejects.toMatchObject({ code: 'FILE_ERROR' });
  });
});

test('another error of a link is no reason to rename', async () => {
  const { temporary, target, directory } = await places();
  await expect(publishFenced(temporary, target, { makeLink: noLinks('EIO') })).rejects.toMatchObject({ code: 'FILE_ERROR' });
  expect(await readdir(directory)).toEqual(['.temporary']);
});
