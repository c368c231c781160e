import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRange } from '#dist/frame/decode.js';
import { TidemarkError } from '#dist/model/errors.js';
import { fileError } from '#dist/model/file-error.js';

test.each([
  ['ENOSPC', 'DISK_FULL', 'write x: no space left on the device'],
  ['EDQUOT', 'DISK_FULL', 'write x: the disk quota is used up'],
  ['EIO', 'FILE_ERROR', 'write x: input/output error'],
  ['ENAMETOOLONG', 'FILE_ERROR', 'write x: the name is too long'],
  ['EXYZ', 'FILE_ERROR', 'write x: the message of the system'],
])('%s is %s', (errno, code, message) => {
  const error = fileError(Object.assign(new Error('the message of the system'), { code: errno }), 'write x');
  expect(error).toMatchObject({ code, message, hint: expect.any(String), details: { errno } });
});

test('an error of ours stays what it is', () => {
  const known = new TidemarkError('ABORTED', 'stopped');
  expect(fileError(known, 'write x')).toBe(known);
});

test('an archive that cannot be read is no defect', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'file-error-'));
  try {
    // Any file whose reading fails will do.
    await using file = await open(directory);
    await expect(readRange(file, 0n, 10n).next()).rejects.toMatchObject({ code: 'FILE_ERROR', details: { errno: 'EISDIR' } });
  } finally {
    await rm(directory, { recursive: true });
  }
});
