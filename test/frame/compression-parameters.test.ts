import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { frameBound } from '#dist/frame/codec.js';
import { type CompressionParameters, chooseParameters, defaultParameters } from '#dist/frame/compression-parameters.js';
import { codecs } from './codecs.js';

describe('chooseParameters', () => {
  /** By the logarithm of the hash table, the slowest first. */
  const names: Readonly<Record<string, string>> = { '17 2': 'own', '17 1': 'far', '16 1': 'near', '15 1': 'long', '14 1': 'quick' };
  const nameOf = ({ hashLog, strategy }: CompressionParameters): string => names[`${hashLog} ${strategy}`] ?? 'unknown';
  const chosen = (sizes: Readonly<Record<string, number>>, level = 3) => {
    const tried: string[] = [];
    const parameters = chooseParameters(level, (one) => {
      tried.push(nameOf(one));
      return sizes[nameOf(one)] ?? Number.NaN;
    });
    return { name: parameters && nameOf(parameters), tried: tried.toSorted() };
  };

  test.each([
    [{ own: 1000, far: 1000, near: 1000, long: 1001, quick: 1030 }, 'quick'],
    [{ own: 1000, far: 1000, near: 1000, long: 1030, quick: 1031 }, 'long'],
    [{ own: 1000, far: 1000, near: 1030, long: 1031, quick: 1031 }, 'near'],
    [{ own: 1000, far: 1030, near: 1031, long: 1500, quick: 1500 }, 'far'],
    [{ own: 1000, far: 1031, near: 2000, long: 2000, quick: 2000 }, 'own'],
    [{ own: 1200, far: 1000, near: 1100, long: 1100, quick: 1100 }, 'far'],
  ])('of %o bytes takes the fastest set that is about as small as the smallest: %s', (sizes, name) => {
    expect(chosen(sizes)).toEqual({ name, tried: ['far', 'long', 'near', 'own', 'quick'] });
  });

  test.each([
    [{ far: 1000, long: 1000, quick: 1030 }, 'quick'],
    [{ far: 1000, long: 1000, quick: 1031 }, 'long'],
  ])('tries no more where long matches are all there is: of %o bytes %s', (sizes, name) => {
    expect(chosen(sizes)).toEqual({ name, tried: ['far', 'long', 'quick'] });
  });

  test.each([
    [{ long: 1000, quick: 1050 }, 'quick'],
    [{ long: 1000, quick: 1051 }, 'long'],
  ])('takes level 1 for the fastest two: of %o bytes %s', (sizes, name) => {
    expect(chosen(sizes, 1)).toEqual({ name, tried: ['long', 'quick'] });
    expect(defaultParameters(1)).toEqual(chooseParameters(1, ({ targetLength }) => targetLength ?? 1));
  });

  test('leaves every other level to zstd, and tries nothing', () => {
    const tried = (): number => {
      throw new Error('tried');
    };
    for (const level of [-7, 2, 4, 19, 22]) {
      expect(chooseParameters(level, tried)).toBeUndefined();
      expect(defaultParameters(level)).toBeUndefined();
    }
  });
});

describe.each(codecs)('$name', (codec) => {
  const raw = Buffer.from('0x7a250d5630b4cf539739df2c5dacb4c659f2488d\t12.5\n'.repeat(2000));

  test('gives a frame with any parameters that every reader can read', () => {
    for (const smallest of ['17 2', '17 1', '16 1', '15 1', '14 1']) {
      const nameOf = ({ hashLog, strategy }: CompressionParameters): string => `${hashLog} ${strategy}`;
      const parameters = chooseParameters(3, (one) => (nameOf(one) === smallest ? 1 : 1 + one.minMatch)) as CompressionParameters;
      expect(nameOf(parameters)).toBe(smallest);
      expect(codec.decompress(codec.compress(raw, 3, { parameters }), raw.length).equals(raw)).toBe(true);
    }
  });

  test('compresses literals also with long steps, or is not chosen', () => {
    const hex = Buffer.from(randomBytes(200_000).toString('hex'));
    const parameters = chooseParameters(3, (one) => codec.compress(hex, 3, { parameters: one }).length);
    expect(codec.compress(hex, 3, { parameters }).length).toBeLessThan(0.6 * hex.length);
    if (codec.name === 'zstd-napi') expect(parameters?.targetLength).toBe(3);
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
