// What is on disk while a file is written, and that a failure to put it there is not lost.
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { TemporaryFile } from '#dist/store/temporary-file.js';

let directory: string;
let handles: FileHandle;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-temporary-'));
  await using handle = await open(join(directory, 'any'), 'w');
  handles = Object.getPrototypeOf(handle);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rm(directory, { recursive: true }));

const piece = Buffer.alloc(5 << 20, 'x');

test('the disk takes it some megabytes at a time, one after the other, and all of it in the end', async () => {
  let goOn = (): void => undefined;
  const slow = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const flush = vi.spyOn(handles, 'datasync').mockReturnValueOnce(slow);
  const sync = vi.spyOn(handles, 'sync');
  await using file = await TemporaryFile.open(join(directory, 'some'), 'some');
  for (let pieces = 0; pieces < 3; pieces++) await file.write(piece);
  expect(flush).toHaveBeenCalledTimes(0);
  for (let pieces = 0; pieces < 7; pieces++) await file.write(piece);
  expect(flush).toHaveBeenCalledTimes(1);
  goOn();
  await slow;
  await file.write(piece);
  expect(flush).toHaveBeenCalledTimes(2);
  await file.write(piece);
  await file.sync();
  expect(sync).toHaveBeenCalledTimes(1);
  expect(flush).toHaveBeenCalledTimes(2);
  expect((await readFile(file.path)).equals(Buffer.alloc(12 * piece.length, 'x'))).toBe(true);
});

test.each(['write', 'sync'] as const)('the disk is full, which the next %s says', async (next) => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'fdatasync' });
  vi.spyOn(handles, 'datasync').mockRejectedValueOnce(full);
  const sync = vi.spyOn(handles, 'sync');
  await using file = await TemporaryFile.open(join(directory, next), 'the archive');
  for (let pieces = 0; pieces < 4; pieces++) await file.write(piece);
  await expect(next === 'write' ? file.write(piece) : file.sync()).rejects.toMatchObject({ code: 'DISK_FULL', cause: full });
  await expect(file.sync()).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(sync).not.toHaveBeenCalled();
});
