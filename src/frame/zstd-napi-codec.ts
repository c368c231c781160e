// The codec on the package zstd-napi, through its thin binding of libzstd: the classes above that binding allocate and copy more than
// is needed, and their decompressing stream ignores back pressure (64 KiB of input can be 2 GiB of output).
import { Transform, type TransformCallback } from 'node:stream';
import type * as Binding from 'zstd-napi/binding.js';
import { type Codec, frameBound } from './codec.js';
import { type CompressionParameters, defaultParameters } from './compression-parameters.js';

type Native = (typeof Binding)['default'];

/** Loads the native binding. Throws where the package is not there, or was not built for this machine. */
export async function loadNapiCodec(): Promise<Codec> {
  // The package is CommonJS that re-exports a native module: only `default` carries its exports.
  const { default: native } = await import('zstd-napi/binding.js');
  return napiCodec(native);
}

/** ZSTD_c_literalCompressionMode and its value ZSTD_ps_enable, which the binding has no names for:
 *  https://github.com/facebook/zstd/blob/v1.5.7/lib/zstd.h */
const [literalCompressionMode, always] = [1002, 1];

function napiCodec(native: Native): Codec {
  /** By what they were made for: the same parameters may come as another object, from another thread. */
  const contexts = new Map<string, Binding.CCtx>();
  const decompressing = new native.DCtx();
  // Output is compressed into one buffer that stays, then copied out in its true size: a fresh buffer of the worst-case size for each
  // chunk would be paged in by the kernel every time and then be transferred half empty.
  let scratch = Buffer.alloc(0);

  function newContext(level: number, parameters: CompressionParameters | undefined): Binding.CCtx {
    const context = new native.CCtx();
    context.setParameter(native.CParameter.compressionLevel, level);
    context.setParameter(native.CParameter.checksumFlag, 1);
    context.setParameter(native.CParameter.contentSizeFlag, 1);
    for (const [name, value] of Object.entries(parameters ?? {})) {
      context.setParameter(native.CParameter[name as keyof CompressionParameters], value);
    }
    if (parameters?.targetLength !== undefined) compressLiterals(context);
    return context;
  }

  return {
    name: 'zstd-napi',
    compress(input, level, { parameters = defaultParameters(level), output } = {}) {
      const key = JSON.stringify([level, parameters]);
      const context = contexts.get(key) ?? newContext(level, parameters);
      contexts.set(key, context);
      const bound = frameBound(input.length);
      if (output !== undefined && output.byteLength >= bound) {
        const whole = Buffer.from(output);
        return whole.subarray(0, context.compress2(whole, input));
      }
      if (scratch.length < bound) scratch = Buffer.allocUnsafeSlow(bound);
      const length = context.compress2(scratch, input);
      const frame = Buffer.allocUnsafeSlow(length);
      scratch.copy(frame, 0, 0, length);
      return frame;
    },
    decompress(frame, rawBytes, allocate = Buffer.allocUnsafeSlow) {
      const raw = allocate(rawBytes);
      const length = decompressing.decompress(raw, frame);
      return length === rawBytes ? raw : raw.subarray(0, length);
    },
    compressStream(level, rawBytes) {
      const context = newContext(level, defaultParameters(level));
      if (rawBytes !== undefined) context.setPledgedSrcSize(rawBytes);
      return new CompressTransform(native, context);
    },
    decompressStream: () => new DecompressTransform(native),
  };
}

/** Not part of what zstd promises to keep. Without it the output is larger, and whoever chooses parameters by that does not take these. */
function compressLiterals(context: Binding.CCtx): void {
  try {
    context.setParameter(literalCompressionMode as Binding.CParameter, always);
  } catch {
    // As it is.
  }
}

class CompressTransform extends Transform {
  readonly #native: Native;
  readonly #context: Binding.CCtx;

  constructor(native: Native, context: Binding.CCtx) {
    super();
    this.#native = native;
    this.#context = context;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#run(chunk, this.#native.EndDirective.continue, done);
  }

  override _flush(done: TransformCallback): void {
    this.#run(Buffer.alloc(0), this.#native.EndDirective.end, done);
  }

  /** Compressing hardly ever grows its input, so that all output of one piece may be pushed at once. */
  #run(chunk: Buffer, directive: Binding.EndDirective, done: TransformCallback): void {
    try {
      let input = chunk;
      for (;;) {
        const output = Buffer.allocUnsafeSlow(this.#native.cStreamOutSize());
        const [left, produced, consumed] = this.#context.compressStream2(output, input, directive);
        if (produced > 0) this.push(output.subarray(0, produced));
        input = input.subarray(consumed);
        if (input.length === 0 && (directive === this.#native.EndDirective.continue || left === 0)) break;
      }
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }
}

class DecompressTransform extends Transform {
  readonly #native: Native;
  readonly #context: Binding.DCtx;
  /** Goes on with the piece at hand once somebody reads. */
  #resume: (() => void) | undefined;
  #pushed = false;
  #withinFrame = false;

  constructor(native: Native) {
    super({ readableHighWaterMark: 1 });
    this.#native = native;
    this.#context = new native.DCtx();
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#run(chunk, done);
  }

  override _flush(done: TransformCallback): void {
    done(this.#withinFrame ? new RangeError('the zstd frame ends too early') : null);
  }

  override _read(size: number): void {
    const resume = this.#resume;
    this.#resume = undefined;
    this.#pushed = false;
    resume?.();
    // The rest of a piece may give no output: then this read is not answered yet, nobody asks again, and what it waits for is the next
    // piece, which Transform holds back until it is asked for one.
    if (!this.#pushed) super._read(size);
  }

  #run(chunk: Buffer, done: TransformCallback): void {
    let input = chunk;
    try {
      for (;;) {
        const output = Buffer.allocUnsafeSlow(this.#native.dStreamOutSize());
        const [left, produced, consumed] = this.#context.decompressStream(output, input);
        if (consumed > 0 || produced > 0) this.#withinFrame = left !== 0;
        input = input.subarray(consumed);
        // A full output buffer may mean that more is held back inside of the context.
        const more = input.length > 0 || produced === output.length;
        if (produced > 0) this.#pushed = true;
        if (produced > 0 && !this.push(output.subarray(0, produced)) && more) {
          this.#resume = () => this.#run(input, done);
          return;
        }
        if (!more) break;
      }
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }
}
