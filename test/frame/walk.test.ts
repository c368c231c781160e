import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameWalker, walkFrame } from '#dist/frame/walk.js';
import { loadCodec } from '#dist/frame/zstd.js';

/** Frames that zstd 1.5.4 wrote on the command line. */
const fixture = (name: string): Buffer => readFileSync(new URL(`../../fixtures/zstd/${name}.zst`, import.meta.url));

const skippable = (magic: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
};

/** Where frames end, when the bytes are fed in pieces that end at these places. */
function ends(bytes: Buffer, cuts: readonly number[] = []): number[] {
  const walker = new FrameWalker();
  const found: number[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    for (let at = start; at < end; ) {
      const taken = walker.feed(bytes.subarray(0, end), at);
      expect(taken).toBeGreaterThan(0);
      at += taken;
      if (!walker.ended) continue;
      found.push(Number(walker.offset) + walker.length);
      walker.next();
    }
    start = end;
  }
  expect(walker.idle).toBe(true);
  return found;
}

const known: [string, { contentSize: number | undefined; checksum: boolean }][] = [
  ['short-1', { contentSize: 240, checksum: true }],
  ['short-19', { contentSize: 240, checksum: true }],
  ['short-fast', { contentSize: 240, checksum: true }],
  ['short-unchecked', { contentSize: 240, checksum: false }],
  ['random', { contentSize: 1500, checksum: true }],
  ['zeros', { contentSize: 300000, checksum: true }],
  ['zeros-22', { contentSize: 300000, checksum: true }],
  ['zeros-unchecked', { contentSize: 300000, checksum: false }],
  ['empty', { contentSize: 0, checksum: true }],
  ['empty-unchecked', { contentSize: 0, checksum: false }],
];

describe('frames of the zstd command', () => {
  test.each(known)('%s is one frame', (name, header) => {
    const bytes = fixture(name);
    expect(walkFrame(bytes).header).toMatchObject({ kind: 'zstd', dictionaryId: 0, ...header });
    expect(walkFrame(bytes).rawBound).toBeGreaterThanOrEqual(header.contentSize ?? 0);
  });

  test.each(['short-piped', 'zeros-piped'])('%s has no content size', (name) => {
    expect(walkFrame(fixture(name)).header).toMatchObject({ contentSize: undefined, windowSize: 2 * 1024 * 1024 });
  });

  test.each([...known.map(([name]) => name), 'short-piped', 'zeros-piped'])('%s ends where it ends, cut at any place', (name) => {
    const bytes = Buffer.concat([fixture(name), skippable(0x184d2a5e, Buffer.from('seek')), fixture(name)]);
    const expected = [fixture(name).length, fixture(name).length + 12, bytes.length];
    expect(ends(bytes)).toEqual(expected);
    expect(ends(bytes, Array.from(bytes.keys()))).toEqual(expected);
    for (let cut = 0; cut <= bytes.length; cut++) expect(ends(bytes, [cut])).toEqual(expected);
  });

  test('two frames end at two places', () => {
    expect(ends(fixture('two-frames'))).toEqual([32, 1546]);
    expect(() => walkFrame(fixture('two-frames'))).toThrow('1514 more bytes');
  });
});

test('any content at any level is one frame, in any pieces', async () => {
  const codec = await loadCodec();
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 20000 }))
      .map(([unit, times]) => Buffer.alloc(unit.length * times, unit)),
  );
  fc.assert(
    fc.property(content, fc.integer({ min: -3, max: 12 }), fc.array(fc.nat(2000), { maxLength: 4 }), (raw, level, cuts) => {
      const frame = codec.compress(raw, level);
      const { header, rawBound } = walkFrame(frame);
      expect(header).toMatchObject({ kind: 'zstd', contentSize: raw.length, checksum: true });
      expect(rawBound).toBeGreaterThanOrEqual(raw.length);
      const inside = cuts.filter((cut) => cut <= frame.length).sort((a, b) => a - b);
      expect(ends(frame, inside)).toEqual([frame.length]);
    }),
    { numRuns: 200 },
  );
});

describe('what is no frame is refused', () => {
  const frame = fixture('short-1');
  test.each<[string, Buffer, string]>([
    ['another magic', Buffer.from('PK\x03\x04....'), 'no zstd frame'],
    ['the reserved bit', Buffer.from(frame).fill(0x2c, 4, 5), 'reserved bit'],
    ['a reserved block type', Buffer.concat([frame.subarray(0, 6), Buffer.from([0x07, 0, 0, 0])]), 'reserved type'],
    [
      'a block that is larger than its window',
      Buffer.concat([frame.subarray(0, 6), Buffer.from([0x01, 0x10, 0, 0])]),
      'where 240 are allowed',
    ],
    ['a content size past 2^53', Buffer.concat([frame.subarray(0, 4), Buffer.from([0xe4]), Buffer.alloc(8, 0xff)]), 'passes 2^53'],
  ])('%s', (_, bytes, reason) => {
    expect(() => walkFrame(bytes)).toThrow(reason);
  });

  test('a frame that is cut short, at every length', () => {
    for (let length = 0; length < frame.length; length++) expect(() => walkFrame(frame.subarray(0, length))).toThrow('too early');
  });

  test('the error names the offset in the stream', () => {
    const walker = new FrameWalker();
    const bytes = Buffer.concat([frame, Buffer.from('garbage')]);
    let at = 0;
    while (!walker.ended) at += walker.feed(bytes, at);
    walker.next();
    expect(() => walker.feed(bytes, at)).toThrow(expect.objectContaining({ code: 'ARCHIVE_CORRUPT', details: { offset: 32n } }));
  });
});
