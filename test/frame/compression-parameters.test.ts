import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { frameBound } from '#dist/frame/codec.js';
import { chooseParameters, defaultParameters } from '#dist/frame/compression-parameters.js';
import { codecs } from './codecs.js';

describe('chooseParameters', () => {
  const sizes = (first: number, last: number) => chooseParameters(3, ({ strategy }) => (strategy === 1 ? last : first));

  test.each([
    ['smaller', 1000, 900, 1],
    ['the same', 1000, 1000, 1],
    ['a hundredth larger', 1000, 1010, 1],
    ['larger than that', 1000, 1011, 2],
  ])('takes the faster set where its output is %s', (_, first, last, strategy) => {
    expect(sizes(first, last)?.strategy).toBe(strategy);
  });

  test('leaves every other level to zstd, and tries nothing', () => {
    const tried = () => {
      throw new Error('tried');
    };
    for (const level of [-7, 1, 2, 4, 19, 22]) {
      expect(chooseParameters(level, tried)).toBeUndefined();
      expect(defaultParameters(level)).toBeUndefined();
    }
  });
});

describe.each(codecs)('$name', (codec) => {
  const raw = Buffer.from('0x7a250d5630b4cf539739df2c5dacb4c659f2488d\t12.5\n'.repeat(2000));

  test('gives a frame with any parameters that every reader can read', () => {
    for (const strategy of [1, 2]) {
      const parameters = chooseParameters(3, (candidate) => (candidate.strategy === strategy ? 1 : 2));
      expect(parameters?.strategy).toBe(strategy);
      expect(codec.decompress(codec.compress(raw, 3, { parameters }), raw.length).equals(raw)).toBe(true);
    }
  });

  test('compresses into memory that has room for the worst case, and leaves too small memory alone', () => {
    for (const content of [raw, randomBytes(200_000)]) {
      const output = new ArrayBuffer(frameBound(content.length));
      const frame = codec.compress(content, 3, { output });
      expect(codec.name === 'node:zlib' || frame.buffer === output).toBe(true);
      expect(codec.decompress(frame, content.length).equals(content)).toBe(true);
      const small = new ArrayBuffer(frameBound(content.length) - 1);
      expect(codec.compress(content, 3, { output: small }).equals(frame)).toBe(true);
      expect(new Uint8Array(small).every((byte) => byte === 0)).toBe(true);
    }
  });
});
