import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { frameBound } from '#dist/frame/codec.js';
import { type CompressionParameters, chooseParameters, defaultParameters } from '#dist/frame/compression-parameters.js';
import { codecs } from './codecs.js';

describe('chooseParameters', () => {
  /** By the logarithm of the hash table and strategy: zstd's own, the usual, the fastest. */
  const names: Readonly<Record<string, string>> = { '17 2': 'own', '15 2': 'usual', '15 1': 'fastest' };
  const nameOf = ({ hashLog, strategy }: CompressionParameters): string => names[`${hashLog} ${strategy}`] ?? 'unknown';
  const chosen = (sizes: Readonly<Record<string, number>>): string | undefined => {
    const parameters = chooseParameters(3, (one) => sizes[nameOf(one)] ?? 0);
    return parameters && nameOf(parameters);
  };

  test.each([
    [{ own: 1000, usual: 1000, fastest: 900 }, 'fastest'],
    [{ own: 1000, usual: 1000, fastest: 1000 }, 'fastest'],
    [{ own: 1000, usual: 1000, fastest: 1010 }, 'fastest'],
    [{ own: 1000, usual: 1000, fastest: 1011 }, 'usual'],
    [{ own: 1000, usual: 1011, fastest: 1500 }, 'own'],
    [{ own: 1000, usual: 2000, fastest: 2000 }, 'own'],
    [{ own: 1200, usual: 1000, fastest: 1100 }, 'usual'],
  ])('of %o bytes takes the fastest set that is about as small as the smallest: %s', (sizes, name) => {
    expect(chosen(sizes)).toBe(name);
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
