// The seek table at the very end of an archive: a skippable frame in zstd's seekable format 0.1.0, without checksums of its own, as
// other seeking readers of zstd expect it. Pure: bytes in, sizes out.
// https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
import type { FrameSize } from '../model/manifest.js';

const frameMagic = 0x184d2a5e;
const footerMagic = 0x8f92eab1;

/** Magic and size of a skippable frame. */
const skippableHeaderBytes = 8;
const entryBytes = 8;
/** Number of frames, descriptor, magic: the last bytes of the file. */
export const seekFooterBytes = 9;

/** The most frames that are accepted, for their sizes are held in memory: 16 TB and more in chunks of 4 MiB. */
export const maximumFrames = 4 * 1024 * 1024;

/** Bytes that the whole seek table takes. */
export function seekTableBytes(frames: number): number {
  return skippableHeaderBytes + frames * entryBytes + seekFooterBytes;
}

/** The skippable frame for all frames of the file before it, in order. Throws RangeError for sizes of 4 GiB and more. */
export function encodeSeekTable(frames: readonly FrameSize[]): Buffer {
  if (frames.length > maximumFrames) throw new RangeError(`a seek table of ${frames.length} frames, and ${maximumFrames} are the most`);
  const table = Buffer.alloc(seekTableBytes(frames.length));
  table.writeUInt32LE(frameMagic, 0);
  table.writeUInt32LE(table.length - skippableHeaderBytes, 4);
  let at = skippableHeaderBytes;
  for (const { compressed, raw } of frames) {
    table.writeUInt32LE(compressed, at);
    table.writeUInt32LE(raw, at + 4);
    at += entryBytes;
  }
  table.writeUInt32LE(frames.length, at);
  table.writeUInt8(0, at + 4);
  table.writeUInt32LE(footerMagic, at + 5);
  return table;
}

/** The number of frames by the last 9 bytes of a file; undefined where they are no footer. Throws RangeError for one that cannot be. */
export function decodeSeekFooter(footer: Uint8Array): number | undefined {
  const view = new DataView(footer.buffer, footer.byteOffset, footer.byteLength);
  if (footer.length !== seekFooterBytes || view.getUint32(5, true) !== footerMagic) return undefined;
  if (view.getUint8(4) !== 0) throw new RangeError('the descriptor of its seek table is not 0');
  const frames = view.getUint32(0, true);
  if (frames > maximumFrames) throw new RangeError(`its seek table claims ${frames} frames`);
  return frames;
}

/** The sizes in a whole seek table, skippable frame and all. Throws RangeError where it is not exactly one. */
export function decodeSeekTable(table: Uint8Array): readonly FrameSize[] {
  const count = table.length < seekTableBytes(0) ? undefined : decodeSeekFooter(table.subarray(table.length - seekFooterBytes));
  if (count === undefined || table.length !== seekTableBytes(count)) throw new RangeError('its seek table is not complete');
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  if (view.getUint32(0, true) !== frameMagic || view.getUint32(4, true) !== table.length - skippableHeaderBytes) {
    throw new RangeError('its seek table does not begin as one');
  }
  const frames: FrameSize[] = [];
  for (let at = skippableHeaderBytes; frames.length < count; at += entryBytes) {
    frames.push({ compressed: view.getUint32(at, true), raw: view.getUint32(at + 4, true) });
  }
  return frames;
}
