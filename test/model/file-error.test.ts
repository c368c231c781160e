import { expect, test } from 'vitest';
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
