// Which members come by one request, and that each comes whole, once, and not too many at a time.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wholeMemberLimit } from '#dist/frame/decode.js';
import type { Seekable } from '#dist/frame/seekable.js';
import { FetchAhead } from '#dist/restore/fetch-ahead.js';
import { fetchLimits, planFetches } from '#dist/restore/fetch-plan.js';
import type { StoredMember } from '../../src/model/manifest.js';

const member = (offset: number, length: number, raw = 512): StoredMember => ({
  member: `data/1-a/${offset}`,
  offset: BigInt(offset),
  length: BigInt(length),
  rawBytes: 0n,
  sha256: '',
  frames: [{ compressed: length, raw }],
});

const limits = { mostBytes: 1000, mostGap: 10 };

describe('one request', () => {
  test.each([
    ['is for neighbours', [member(0, 100), member(100, 200)], [[0, 1]]],
    ['passes over a small gap', [member(0, 100), member(110, 200)], [[0, 1]]],
    ['does not pass over a larger one', [member(0, 100), member(111, 200)], [[0], [1]]],
    ['is not for more than so many bytes', [member(0, 600), member(600, 400), member(1000, 1)], [[0, 1], [2]]],
    ['is for a larger member alone', [member(0, 100), member(100, 5000), member(5100, 100)], [[0], [1], [2]]],
    ['never goes back', [member(500, 100), member(400, 100)], [[0], [1]]],
    ['is for none that has to be streamed', [member(0, 1), member(1, 500, wholeMemberLimit + 512), member(501, 1)], [[0], [2]]],
  ])('%s', (_, members, expected) => {
    expect(planFetches(members, limits).map((fetch) => fetch.members)).toEqual(expected);
  });

  test('of 5,000 small tables there are few', () => {
    const members = Array.from({ length: 5000 }, (_, at) => member(at * 3000, 3000));
    expect(planFetches(members)).toHaveLength(Math.ceil((5000 * 3000) / (Math.floor(fetchLimits.mostBytes / 3000) * 3000)));
  });
});

const content = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 31) & 0xff));

function counting(): Seekable & { running: number; most: number } {
  const bytes = {
    name: 'bytes',
    size: BigInt(content.length),
    running: 0,
    most: 0,
    async read(offset: bigint, length: number) {
      bytes.running += 1;
      bytes.most = Math.max(bytes.most, bytes.running);
      await new Promise((resolve) => setImmediate(resolve));
      bytes.running -= 1;
      return Buffer.from(content.subarray(Number(offset), Number(offset) + length));
    },
    async *stream() {},
    async [Symbol.asyncDispose]() {},
  };
  return bytes;
}

test('whatever the members, each taker gets the bytes of its own, in memory of their own', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 500 })), { maxLength: 100 }),
      fc.integer({ min: 1, max: 5 }),
      async (gaps, takers) => {
        let at = 0;
        const members = gaps.map(([gap, length]) => {
          at += gap + length;
          return member(at - length, length);
        });
        const ahead = new FetchAhead(counting(), members, takers);
        const positions = members.keys();
        await Promise.all(
          Array.from({ length: takers }, async () => {
            for (const position of positions) {
              const taken = await ahead.take(position);
              const { offset, length } = members[position] as StoredMember;
              expect(taken?.buffer.byteLength).toBe(Number(length));
              expect(Buffer.from(taken ?? []).equals(content.subarray(Number(offset), Number(offset + length)))).toBe(true);
            }
          }),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test('no more is fetched ahead than fits', async () => {
  const large = { ...counting(), size: 0n, read: async (_: bigint, length: number) => Buffer.alloc(length) };
  let held = 0;
  const read = (offset: bigint, length: number) => {
    held += 1;
    return large.read(offset, length);
  };
  const members = Array.from({ length: 50 }, (_, at) => member(at * fetchLimits.mostBytes, fetchLimits.mostBytes));
  const ahead = new FetchAhead({ ...large, read }, members, 2);
  await ahead.take(0);
  // One was handed over; four more are on their way.
  expect(held).toBe(5);
  ahead.stop();
  await ahead.take(1);
  expect(held).toBe(5);
});

test('an error comes to the one who takes, and nothing is rejected unheard', async () => {
  const failing = { ...counting(), read: () => Promise.reject(new Error('gone')) };
  const ahead = new FetchAhead(failing, [member(0, 10), member(50_000, 10), member(99_000, 10)], 1);
  await expect(ahead.take(0)).rejects.toThrow('gone');
  ahead.stop();
  await new Promise((resolve) => setImmediate(resolve));
});
