// The skippable frame that marks a file as tidemark's and carries the SHA-256 of all bytes before it: manifest included, which cannot
// carry that of its own frame. It stands between the manifest's frame and the seek table.
import { formatVersion } from '../model/manifest.js';

const magic = 0x184d2a50;
const tag = 'tidemark';
const payloadBytes = tag.length + 1 + 32;

/** Bytes of the whole frame: magic, size, tag, version, hash. */
export const checksumFrameBytes = 8 + payloadBytes;

export interface ChecksumFrame {
  /** Of the archive's format. */
  readonly version: number;
  /** SHA-256 of all bytes of the archive before this frame, in hex. */
  readonly sha256: string;
}

/** The whole frame. */
export function encodeChecksumFrame(sha256: string): Buffer {
  const frame = Buffer.alloc(checksumFrameBytes);
  frame.writeUInt32LE(magic, 0);
  frame.writeUInt32LE(payloadBytes, 4);
  frame.write(tag, 8, 'latin1');
  frame.writeUInt8(formatVersion, 16);
  if (frame.write(sha256, 17, 'hex') !== 32) throw new RangeError('not a SHA-256 in hex');
  return frame;
}

/** What a whole frame says; undefined where it is none. Version and hash are for the caller to judge. */
export function decodeChecksumFrame(bytes: Uint8Array): ChecksumFrame | undefined {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (frame.length !== checksumFrameBytes || frame.readUInt32LE(0) !== magic || frame.readUInt32LE(4) !== payloadBytes) return undefined;
  if (frame.toString('latin1', 8, 16) !== tag) return undefined;
  return { version: frame.readUInt8(16), sha256: frame.toString('hex', 17) };
}
