// Decrypts an age file as it comes out of a pipe, chunk by chunk. That it was cut short can be known at its end only.
import { headerEnd, type Identities, isAge, magicBytes, unwrapFileKey } from './age-keys.js';
import { inChunks, nonceBytes, openChunk, payloadKey, sealedBytes } from './age-payload.js';
import { cutHeader, damaged, headerLimit, noIdentity } from './decrypt-errors.js';

/** Bytes from a pipe, decrypted where they are an age file; others as they are.
 *  @throws TidemarkError as `decrypted`; that it is cut short comes last */
export async function* decryptedStream(
  input: AsyncIterable<Uint8Array>,
  identities: () => Promise<Identities | undefined>,
  name = 'the archive from the pipe',
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = input[Symbol.asyncIterator]();
  try {
    const beginning = await readBeginning(source, (bytes) => bytes.length >= magicBytes);
    if (!isAge(beginning)) {
      yield beginning;
      yield* rest(source);
      return;
    }
    const known = await identities();
    if (known === undefined) throw noIdentity(name);
    const complete = (bytes: Buffer): boolean => {
      const end = headerEnd(bytes);
      if (end === undefined && bytes.length > headerLimit)
        throw damaged('ARCHIVE_CORRUPT', name, `its header has more than ${headerLimit} bytes`);
      return end !== undefined && bytes.length >= end + nonceBytes;
    };
    const start = await readBeginning(source, complete, beginning);
    const end = headerEnd(start);
    if (end === undefined || start.length < end + nonceBytes) throw damaged('ARCHIVE_TRUNCATED', name, cutHeader);
    const { key } = await unwrapFileKey(start.subarray(0, end), { identities: known, name });
    const nonce = start.subarray(end, end + nonceBytes);
    yield* openAll(payloadKey(key, nonce), { first: start.subarray(end + nonceBytes), source, name });
  } finally {
    await source.return?.();
  }
}

interface Remaining {
  readonly first: Buffer;
  readonly source: AsyncIterator<Uint8Array>;
  readonly name: string;
}

async function* openAll(key: Buffer, { first, source, name }: Remaining): AsyncGenerator<Buffer, void, undefined> {
  async function* all(): AsyncGenerator<Uint8Array> {
    yield first;
    yield* rest(source);
  }
  // A chunk is given out when it is known whether another one follows.
  let held: Buffer | undefined;
  let chunk = 0;
  const open = (sealed: Buffer, last: boolean): Buffer => {
    const plain = openChunk(key, sealed, { chunk, last });
    if (plain !== undefined && !(last && chunk > 0 && plain.length === 0)) return plain;
    const cut = last && openChunk(key, sealed, { chunk, last: false }) !== undefined;
    if (cut) throw damaged('ARCHIVE_TRUNCATED', name, `it is cut short behind its chunk ${chunk + 1}, which is not the last one`);
    if (last && sealed.length < sealedBytes)
      throw damaged('ARCHIVE_TRUNCATED', name, `its last chunk, ${chunk + 1}, is cut short or was altered`);
    throw damaged('ARCHIVE_CORRUPT', name, `its chunk ${chunk + 1} was altered`);
  };
  for await (const sealed of inChunks(all())) {
    if (held !== undefined) {
      yield open(held, false);
      chunk += 1;
    }
    held = sealed;
  }
  if (held === undefined) throw damaged('ARCHIVE_TRUNCATED', name, 'it is cut short behind its header');
  yield open(held, true);
}

async function readBeginning(
  source: AsyncIterator<Uint8Array>,
  enough: (bytes: Buffer) => boolean,
  before: Buffer = Buffer.alloc(0),
): Promise<Buffer> {
  let bytes = before;
  while (!enough(bytes)) {
    const { done, value } = await source.next();
    if (done) break;
    bytes = Buffer.concat([bytes, value]);
  }
  return bytes;
}

async function* rest(source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await source.next();
    if (done) return;
    yield value;
  }
}
