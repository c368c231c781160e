// What is to be written, passed on while it is counted and hashed: a source that is not what it should be ends in an error in place of its
// end, so that no store takes it for whole.
import { createHash } from 'node:crypto';
import { TidemarkError } from '../model/errors.js';
import type { PutOptions } from './store.js';

export async function* checkedSource(
  source: AsyncIterable<Uint8Array>,
  name: string,
  { size, sha256 }: Pick<PutOptions, 'size' | 'sha256'>,
): AsyncGenerator<Uint8Array, void> {
  const hash = sha256 === undefined ? undefined : createHash('sha256');
  let bytes = 0n;
  for await (const chunk of source) {
    bytes += BigInt(chunk.length);
    if (size !== undefined && bytes > size) break;
    hash?.update(chunk);
    yield chunk;
  }
  if (size !== undefined && bytes !== size) {
    throw new TidemarkError('STORE_ERROR', `write ${name}: the source has ${bytes > size ? 'more' : bytes} bytes in place of ${size}`, {
      hint: 'nothing was written; what was to be written has changed, or its size was told wrong',
    });
  }
  if (hash !== undefined && hash.digest('hex') !== sha256?.toLowerCase()) {
    throw new TidemarkError('STORE_ERROR', `write ${name}: the source does not have the SHA-256 that it should have`, {
      hint: 'nothing was written; what was to be written is damaged, or has changed',
    });
  }
}
