// Decompresses frames of any size while they come by. Each frame gets a decompressor of its own, and its end is found here: the stream of
// node:zlib stops at the end of the first frame without a word, and takes an end within a frame for a good one (Node 22.23).
import { Readable } from 'node:stream';
import { TidemarkError } from '../model/errors.js';
import type { Codec } from './codec.js';
import { FrameWalker } from './walk.js';

/**
 * The content of all frames in the compressed bytes, in pieces. Throws ARCHIVE_CORRUPT where a frame is none or ends too early, and what
 * the codec throws where its content is damaged. Memory: what the window of the frames needs, and no more than one piece ahead.
 */
export async function* decompressed(codec: Codec, compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const input = compressed[Symbol.asyncIterator]();
  const walker = new FrameWalker();
  let piece: Buffer = Buffer.alloc(0);
  let at = 0;

  async function fill(): Promise<boolean> {
    while (at === piece.length) {
      const { done, value } = await input.next();
      if (done) return false;
      piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      at = 0;
    }
    return true;
  }

  async function* frame(): AsyncGenerator<Buffer> {
    while (!walker.ended) {
      if (!(await fill())) throw new TidemarkError('ARCHIVE_CORRUPT', 'decompress a zstd frame: it ends too early');
      const from = at;
      at += walker.feed(piece, from);
      yield piece.subarray(from, at);
    }
    walker.next();
  }

  try {
    while (await fill()) yield* decompressedFrame(codec, frame());
  } finally {
    await input.return?.();
  }
}

async function* decompressedFrame(codec: Codec, frame: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(frame, { highWaterMark: 1 });
  const transform = codec.decompressStream();
  source.once('error', (error) => transform.destroy(error));
  source.pipe(transform);
  try {
    for await (const piece of transform) yield piece;
  } finally {
    source.destroy();
    transform.destroy();
  }
}
