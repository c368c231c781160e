// The codecs that this machine has, to run the same tests with each.

import type { Codec } from '#dist/frame/codec.js';
import { loadZlibCodec } from '#dist/frame/zlib-codec.js';
import { loadCodec } from '#dist/frame/zstd.js';
import { loadNapiCodec } from '#dist/frame/zstd-napi-codec.js';

export const codecs: Codec[] = [await loadCodec([loadNapiCodec])];
try {
  codecs.push(await loadCodec([loadZlibCodec]));
} catch {
  // Node before 22.15: test/frame/zstd.test.ts then has the adapter alone, on a stand-in for node:zlib.
}
