// The bytes of an archive in a file: any part of it, and what is said where there is none.
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileBytes } from '#dist/frame/file-bytes.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';

const content = Buffer.from(Array.from({ length: 3 * 1024 * 1024 + 11 }, (_, at) => (at * 7 + (at >> 9)) & 0xff));

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory[Symbol.asyncDispose]());

async function stored(): Promise<string> {
  const path = join(directory.path, 'bytes');
  await writeFile(path, content);
  return path;
}

async function all(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const taken: Buffer[] = [];
  for await (const piece of pieces) taken.push(piece);
  return Buffer.concat(taken);
}

test('gives any part, several at a time, in buffers of their own', async () => {
  await using file = await FileBytes.open(await stored());
  expect(file.size).toBe(BigInt(content.length));
  const [one, other, none] = await Promise.all([file.read(5n, 100), file.read(2_000_000n, 1_000_000), file.read(file.size, 0)]);
  expect(one.equals(content.subarray(5, 105))).toBe(true);
  expect(one.buffer.byteLength).toBe(100);
  expect(other.equals(content.subarray(2_000_000, 3_000_000))).toBe(true);
  expect(none).toHaveLength(0);
  expect((await all(file.stream(17n, file.size - 17n))).equals(content.subarray(17))).toBe(true);
});

test('what became shorter meanwhile is cut short', async () => {
  const path = await stored();
  await using file = await FileBytes.open(path);
  await truncate(path, 1_100_000);
  const refused = { code: 'ARCHIVE_TRUNCATED', message: expect.stringContaining(path), hint: expect.any(String) };
  await expect(file.read(1_000_000n, 200_000)).rejects.toMatchObject(refused);
  await expect(all(file.stream(1_000_000n, 200_000n))).rejects.toMatchObject(refused);
});

test.each([
  ['is not there', (path: string) => `${path}-none`, 'there is no such file'],
  ['is a directory', (path: string) => join(path, '..'), 'it is not a regular file'],
])('a path that %s is refused', async (_, of, message) => {
  await expect(FileBytes.open(of(await stored()))).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining(message) });
});
