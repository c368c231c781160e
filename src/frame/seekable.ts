// Bytes of which any part can be read at any time. Archives are read through it, wherever they lie: a file, an object in a store, either of
// them decrypted. What opens them is elsewhere.
import { TidemarkError } from '../model/errors.js';

export interface Seekable extends AsyncDisposable {
  /** For messages: a path, or a URL without secrets. */
  readonly name: string;
  readonly size: bigint;
  /** True where a read is answered at once, so that nothing is gained by asking ahead. */
  readonly nearby?: boolean;
  /** `length` bytes from `offset` on, all of which must be there. Several reads may run at once.
   *  @param memory into whose beginning they may be read, instead of new memory
   *  @throws TidemarkError ARCHIVE_TRUNCATED where there are fewer, FILE_ERROR, STORE_ERROR */
  read(offset: bigint, length: number, memory?: ArrayBuffer): Promise<Buffer>;
  /** The same in pieces of any size, for what is too long to be held at once. Nothing is read before the first piece is asked for. */
  stream(offset: bigint, length: bigint): AsyncIterable<Buffer>;
}

/** Where fewer bytes are there than there should be. */
export function cutShort(
  name: string,
  { offset, got, of }: { readonly offset: bigint; readonly got: number; readonly of: number },
): TidemarkError {
  return new TidemarkError('ARCHIVE_TRUNCATED', `read ${name} at offset ${offset}: it ends after ${got} of ${of} bytes`, {
    hint: 'copy it again from where it was made, or use another archive',
    details: { offset },
  });
}

/** The same bytes, for a reader that closes what it is given: they stay open. */
export function borrowed(bytes: Seekable): Seekable {
  return {
    name: bytes.name,
    size: bytes.size,
    ...(bytes.nearby && { nearby: true }),
    read: (offset, length, memory) => bytes.read(offset, length, memory),
    stream: (offset, length) => bytes.stream(offset, length),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
