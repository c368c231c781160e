import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSidecar } from '#dist/archive/sidecar-files.js';
import { checksumSidecar, checksumText, manifestSidecar, parseChecksumText } from '#dist/archive/sidecars.js';
import { temporaryDirectory } from '../temporary-directory.js';

const sha256 = 'a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447';

test('lie beside the archive', () => {
  expect(manifestSidecar('/a/b.tar.zst')).toBe('/a/b.tar.zst.manifest.json');
  expect(checksumSidecar('/a/b.tar.zst')).toBe('/a/b.tar.zst.sha256');
});

// The right-hand sides are what sha256sum of GNU coreutils 9.1 printed for files of these names.
test.each([
  ['snap.tar.zst', `${sha256}  snap.tar.zst\n`],
  ['with space', `${sha256}  with space\n`],
  ['new\nline', `\\${sha256}  new\\nline\n`],
  ['back\\slash', `\\${sha256}  back\\\\slash\n`],
  ['carriage\rreturn', `\\${sha256}  carriage\\rreturn\n`],
])('%j has the line of sha256sum, and it is read back', (basename, line) => {
  expect(checksumText(sha256, basename)).toBe(line);
  expect(parseChecksumText(line)).toEqual({ sha256, basename });
});

test('the binary mode of sha256sum is read', () => {
  expect(parseChecksumText(`${sha256} *snap.tar.zst\n`)).toEqual({ sha256, basename: 'snap.tar.zst' });
});

test.each([
  '',
  'x',
  `${sha256}\n`,
  `${sha256} snap\n`,
  `${sha256.slice(1)}  snap\n`,
  `${sha256}  a\n${sha256}  b\n`,
  `${sha256.toUpperCase()}  a\n`,
])('%j is no such line', (text) => {
  expect(parseChecksumText(text)).toBeUndefined();
});

test('what is too large for what it is called is not read', async () => {
  await using folder = await temporaryDirectory();
  const archive = join(folder.path, 'x.tar.zst');
  expect(await readSidecar(archive, '.sha256')).toBeUndefined();
  await writeFile(`${archive}.sha256`, 'x');
  expect(await readSidecar(archive, '.sha256')).toMatchObject({ content: Buffer.from('x') });
  await truncate(`${archive}.sha256`, 2 ** 20 + 1);
  await expect(readSidecar(archive, '.sha256')).rejects.toMatchObject({
    code: 'FILE_ERROR',
    message: expect.stringContaining('1048576 are the most'),
    hint: expect.any(String),
  });
});
