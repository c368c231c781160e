// What a directory has that other stores do not: files of others, temporary files of processes that were killed, directories that empty.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DirectoryStore } from '#dist/store/directory-store.js';
import { chunks, keysOf, read } from './contract.js';

async function place(): Promise<{ directory: string; store: DirectoryStore }> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-directory-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return { directory, store: new DirectoryStore(directory) };
}

const some = () => chunks(Buffer.from('some'));

test('directories that hold nothing any more go, others stay', async () => {
  const { directory, store } = await place();
  await store.put('a/b/c/one', some());
  await store.put('a/two', some());
  await store.remove('a/b/c/one');
  expect(await readdir(join(directory, 'a'))).toEqual(['two']);
  await store.remove('a/two');
  expect(await readdir(directory)).toEqual([]);
});

test('writers and removers of one directory do not trip over each other', async () => {
  const { directory, store } = await place();
  const turns = Array.from({ length: 40 }, (_, n) => n);
  await Promise.all(turns.map(async (n) => store.put(`a/b/${n}`, some()).then(() => store.remove(`a/b/${n}`))));
  expect(await readdir(directory)).toEqual([]);
});

test('a directory is no object', async () => {
  const { store } = await place();
  await store.put('a/b', some());
  expect(await store.stat('a')).toBeUndefined();
  expect(await store.stat('a/b/c')).toBeUndefined();
  await expect(read(store, 'a')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  await store.remove('a');
  await store.remove('a/b/c');
  await expect(store.put('a', some())).rejects.toMatchObject({ code: 'FILE_ERROR' });
  await expect(store.put('a/b/c', some())).rejects.toMatchObject({ code: 'FILE_ERROR' });
  expect(await keysOf(store)).toEqual(['a/b']);
  expect(await store.cleanUp({ olderThanMs: 0 })).toBe(0);
});

test('a file that grows or shrinks while it is read is an error', async () => {
  const { directory, store } = await place();
  const path = join(directory, 'one');
  for (const bytes of [3_000_000, 5_000_000]) {
    await store.put('one', chunks(Buffer.alloc(4_000_000)));
    const reader = store.get('one')[Symbol.asyncIterator]();
    await reader.next();
    await writeFile(path, Buffer.alloc(bytes));
    const rest = async () => {
      for (let next = await reader.next(); !next.done; next = await reader.next());
    };
    await expect(rest()).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_/) });
  }
});

test('what killed writers left goes: of this machine at once, of others after a day; files of others stay', async () => {
  const { directory, store } = await place();
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const unique = '-0123456789abcdef.tidemark';
  const gone = [
    `.put-${hostname()}-${dead}${unique}`,
    `.put-${hostname()}-${process.pid}${unique}`,
    `.put-elsewhere-1-old${unique}`.replace('-old', ''),
  ];
  const stay = ['.put-elsewhere-2'.concat(unique), '.hidden', `.put-${hostname()}-${process.ppid}${unique}`, '.x.tidemark', 'one'];
  await mkdir(join(directory, 'deep'));
  for (const name of [...gone, ...stay]) await writeFile(join(directory, 'deep', name), '');
  const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
  await utimes(join(directory, 'deep', gone[2] ?? ''), twoDaysAgo, twoDaysAgo);
  expect(await keysOf(store)).toEqual(['deep/.hidden', 'deep/one']);
  expect(await store.cleanUp()).toBe(gone.length);
  expect((await readdir(join(directory, 'deep'))).sort()).toEqual([...stay].sort());
});

test('what is being written is not cleaned away', async () => {
  const { directory, store } = await place();
  async function* source(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from('first ');
    expect(await store.cleanUp({ olderThanMs: 0 })).toBe(0);
    expect(await readdir(directory)).toHaveLength(1);
    expect(await keysOf(store)).toEqual([]);
    yield Buffer.from('second');
  }
  await store.put('one', source());
  expect(await readFile(join(directory, 'one'), 'utf8')).toBe('first second');
});

test('a link to a file is one; a link that leads nowhere is none', async () => {
  const { directory, store } = await place();
  await store.put('one', some());
  await symlink('one', join(directory, 'link'));
  await symlink('none', join(directory, 'nowhere'));
  expect(await keysOf(store)).toEqual(['link', 'one']);
  await expect(store.put('nowhere', some(), { ifAbsent: true })).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
});
