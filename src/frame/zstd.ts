// The zstd codec that everything uses, and which of two implementations provides it: zstd-napi, or Node's own zstd where that package
// could not be built. Frames of both are the same to a reader. What goes into a frame is decided elsewhere.
import { TidemarkError } from '../model/errors.js';
import type { Codec } from './codec.js';
import { walkFrame } from './walk.js';
import { loadZlibCodec } from './zlib-codec.js';
import { loadNapiCodec } from './zstd-napi-codec.js';

/** Gives a codec, or throws where it cannot be used here. */
export type CodecLoader = () => Promise<Codec>;

let loaded: Codec | undefined;

/**
 * The best codec of this machine; the same one at each call. Throws TidemarkError CODEC_MISSING with a hint what to install.
 * Tests inject `loaders`, which are tried in order.
 */
export async function loadCodec(loaders?: readonly CodecLoader[]): Promise<Codec> {
  if (loaders === undefined && loaded !== undefined) return loaded;
  const failures: unknown[] = [];
  for (const load of loaders ?? [loadNapiCodec, loadZlibCodec]) {
    try {
      const codec = guarded(await load());
      if (loaders === undefined) loaded = codec;
      return codec;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new TidemarkError('CODEC_MISSING', 'load zstd: neither the package zstd-napi nor the zstd of Node itself can be used', {
    hint: 'install a C++ compiler, make and Python and run `npm rebuild zstd-napi`, or use Node.js 22.15 or later',
    details: { reasons: failures.map((failure) => (failure instanceof Error ? failure.message.split('\n')[0] : String(failure))) },
    cause: failures[0],
  });
}

/** Looks at the frame before any memory is allocated for its content: sizes in a manifest can be anybody's. */
function guarded(codec: Codec): Codec {
  return {
    name: codec.name,
    compress: (input, level, options) => codec.compress(input, level, options),
    compressStream: (level, rawBytes) => codec.compressStream(level, rawBytes),
    decompressStream: () => codec.decompressStream(),
    decompress(frame, rawBytes, allocate) {
      const { header, rawBound } = walkFrame(frame);
      if (header.kind !== 'zstd') throw new RangeError('a skippable frame has no content');
      const says = header.contentSize ?? rawBytes;
      if (says !== rawBytes || rawBytes > rawBound)
        throw new RangeError(`the frame holds ${Math.min(says, rawBound)} bytes, not ${rawBytes}`);
      const raw = codec.decompress(frame, rawBytes, allocate);
      if (raw.length !== rawBytes) throw new RangeError(`the frame holds ${raw.length} bytes, not ${rawBytes}`);
      return raw;
    },
  };
}
