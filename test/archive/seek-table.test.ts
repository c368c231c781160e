import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checksumFrameBytes, decodeChecksumFrame, encodeChecksumFrame } from '#dist/archive/checksum-frame.js';
import { decodeSeekFooter, decodeSeekTable, encodeSeekTable, seekTableBytes } from '#dist/archive/seek-table.js';
import { walkFrame } from '#dist/frame/walk.js';

const size = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('is laid out as the format of zstd says', () => {
  const table = encodeSeekTable([
    { compressed: 0x01020304, raw: 0x05060708 },
    { compressed: 49, raw: 0 },
  ]);
  expect(table.toString('hex')).toBe(
    [
      '5e2a4d18', // Skippable_Magic_Number 0x184D2A5E
      '19000000', // Frame_Size 25
      '04030201', // Compressed_Size
      '08070605', // Decompressed_Size
      '31000000',
      '00000000',
      '02000000', // Number_Of_Frames
      '00', // Seek_Table_Descriptor
      'b1ea928f', // Seekable_Magic_Number 0x8F92EAB1
    ].join(''),
  );
  expect(walkFrame(table).header).toMatchObject({ kind: 'skippable', magic: 0x184d2a5e });
});

test('comes back as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ compressed: size, raw: size }), { maxLength: 40 }), (frames) => {
      const table = encodeSeekTable(frames);
      expect(table.length).toBe(seekTableBytes(frames.length));
      expect(decodeSeekTable(table)).toEqual(frames);
      expect(decodeSeekFooter(table.subarray(-9))).toBe(frames.length);
    }),
  );
});

test('what is no footer is told from a footer that cannot be', () => {
  const footer = encodeSeekTable([]).subarray(-9);
  expect(decodeSeekFooter(Buffer.alloc(9))).toBeUndefined();
  expect(decodeSeekFooter(footer.subarray(1))).toBeUndefined();
  expect(() => decodeSeekFooter(Buffer.from(footer).fill(0x80, 4, 5))).toThrow('descriptor');
  expect(() => decodeSeekFooter(Buffer.from(footer).fill(0xff, 0, 4))).toThrow('4294967295 frames');
});

test('a table that is cut, lengthened or begins otherwise is refused', () => {
  const table = encodeSeekTable([{ compressed: 1, raw: 2 }]);
  for (let length = 0; length < table.length; length++)
    expect(() => decodeSeekTable(table.subarray(table.length - length))).toThrow(RangeError);
  expect(() => decodeSeekTable(Buffer.concat([Buffer.alloc(8), table]))).toThrow('not complete');
  expect(() => decodeSeekTable(Buffer.from(table).fill(0x50, 0, 1))).toThrow('begin');
  expect(() => decodeSeekTable(Buffer.from(table).fill(0, 4, 5))).toThrow('begin');
});

test('sizes past 32 bits are refused', () => {
  expect(() => encodeSeekTable([{ compressed: 2 ** 32, raw: 0 }])).toThrow(RangeError);
});

test('the checksum frame comes back, and anything else is none', () => {
  const sha256 = '0123456789abcdef'.repeat(4);
  const frame = encodeChecksumFrame(sha256);
  expect(frame.length).toBe(checksumFrameBytes);
  expect(frame.toString('hex')).toBe(`502a4d18${'29000000'}${Buffer.from('tidemark').toString('hex')}01${sha256}`);
  expect(walkFrame(frame).header).toMatchObject({ kind: 'skippable', contentSize: 41 });
  expect(decodeChecksumFrame(frame)).toEqual({ version: 1, sha256 });
  for (let at = 0; at < 16; at++) expect(decodeChecksumFrame(Buffer.from(frame).fill(0xfe, at, at + 1))).toBeUndefined();
  expect(decodeChecksumFrame(frame.subarray(1))).toBeUndefined();
  expect(() => encodeChecksumFrame('ab')).toThrow(RangeError);
});
