// The codec on Node's own zstd, which node:zlib has since 22.15. It stands in where zstd-napi could not be built, and takes what it
// needs of node:zlib by a look at what is there, for the types and the engines of this package begin with Node 20.
import type { Transform } from 'node:stream';
import type { Codec } from './codec.js';
import { type CompressionParameters, defaultParameters } from './compression-parameters.js';

/** What is used of node:zlib's zstd. */
export interface ZstdOfZlib {
  readonly constants: Readonly<Record<string, number>>;
  zstdCompressSync(input: Uint8Array, options: object): Buffer;
  zstdDecompressSync(input: Uint8Array, options: object): Buffer;
  createZstdCompress(options: object): Transform;
  createZstdDecompress(options: object): Transform;
}

/** Throws where this Node has no zstd. `zlib` is for tests. */
export async function loadZlibCodec(zlib?: object): Promise<Codec> {
  const found: Partial<ZstdOfZlib> = zlib ?? (await import('node:zlib'));
  if (typeof found.zstdCompressSync !== 'function') throw new Error(`node:zlib of Node.js ${process.version} has no zstd`);
  return zlibCodec(found as ZstdOfZlib);
}

const pieceBytes = 128 * 1024;

function zlibCodec(zlib: ZstdOfZlib): Codec {
  const params = (level: number, parameters: CompressionParameters | undefined = defaultParameters(level)): Record<number, number> => {
    const named = { compressionLevel: level, checksumFlag: 1, contentSizeFlag: 1, ...parameters };
    return Object.fromEntries(Object.entries(named).map(([name, value]) => [constant(zlib, `ZSTD_c_${name}`), value]));
  };
  return {
    name: 'node:zlib',
    compress: (input, level, { parameters } = {}) =>
      owned(zlib.zstdCompressSync(input, { params: params(level, parameters), pledgedSrcSize: input.length, chunkSize: 1024 * 1024 })),
    // With room for one byte more than there is, the whole content comes in one piece and is not joined from several.
    decompress: (frame, rawBytes) =>
      owned(zlib.zstdDecompressSync(frame, { maxOutputLength: Math.max(rawBytes, 1), chunkSize: Math.max(rawBytes + 1, 64) })),
    compressStream: (level, rawBytes) =>
      zlib.createZstdCompress({ params: params(level), ...(rawBytes === undefined ? {} : { pledgedSrcSize: rawBytes }) }),
    decompressStream: () => zlib.createZstdDecompress({ chunkSize: pieceBytes }),
  };
}

function constant(zlib: ZstdOfZlib, name: string): number {
  const value = zlib.constants[name];
  if (value === undefined) throw new Error(`node:zlib has no constant ${name}`);
  return value;
}

/** A buffer that shares its memory with others (Node's pool) cannot be transferred to another thread. */
function owned(buffer: Buffer): Buffer {
  if (buffer.buffer.byteLength <= buffer.length + 64 && buffer.length > 64) return buffer;
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
}
