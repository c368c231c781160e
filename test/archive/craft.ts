// Archives that the writer would not write, made of any members with any flaw, and with all hashes right: what is left to find is the flaw.
import { createHash } from 'node:crypto';
import { compress } from 'zstd-napi';
import { encodeChecksumFrame } from '#dist/archive/checksum-frame.js';
import { totalsOf } from '#dist/archive/layout.js';
import { manifestTar } from '#dist/archive/manifest-frame.js';
import { serializeManifest } from '#dist/archive/manifest-schema.js';
import { encodeSeekTable } from '#dist/archive/seek-table.js';
import { paddingOf, tarHeader } from '#dist/frame/tar.js';
import type { FrameSize, Manifest, StoredMember } from '../../src/model/manifest.js';
import { manifestOf } from './sample.js';

export interface Flaw {
  /** Changes the member's tar bytes before they are compressed. */
  readonly tamper?: (tar: Buffer) => void;
  /** zstd's checksum at the end of the frame; true if not said. */
  readonly checksum?: boolean;
}

export interface CraftedMember extends Flaw {
  readonly name: string;
  readonly body: Buffer;
}

export interface CraftOptions {
  readonly manifestFlaw?: Flaw;
  readonly change?: (manifest: Manifest) => Manifest;
}

function frameOf(tar: Buffer, { tamper, checksum = true }: Flaw): Buffer {
  tamper?.(tar);
  return compress(tar, { checksumFlag: checksum, contentSizeFlag: true });
}

/** All members are listed in the manifest as ones of the schema, in the order they are given. */
export function craft(
  members: readonly CraftedMember[],
  { manifestFlaw = {}, change = (manifest) => manifest }: CraftOptions = {},
): Buffer {
  const pieces: Buffer[] = [];
  const frames: FrameSize[] = [];
  const stored: StoredMember[] = [];
  let offset = 0;
  for (const member of members) {
    const { name, body } = member;
    const tar = Buffer.concat([tarHeader(name, body.length), body, Buffer.alloc(paddingOf(body.length))]);
    const frame = frameOf(tar, member);
    const size = { compressed: frame.length, raw: tar.length };
    const sha256 = createHash('sha256').update(frame).digest('hex');
    stored.push({
      member: name,
      offset: BigInt(offset),
      length: BigInt(frame.length),
      frames: [size],
      rawBytes: BigInt(body.length),
      sha256,
    });
    pieces.push(frame);
    frames.push(size);
    offset += frame.length;
  }
  const manifest = change({ ...manifestOf(stored, []), totals: totalsOf([]) });
  const tar = manifestTar(serializeManifest(manifest));
  const frame = frameOf(tar, manifestFlaw);
  pieces.push(frame);
  const checksum = encodeChecksumFrame(createHash('sha256').update(Buffer.concat(pieces)).digest('hex'));
  frames.push({ compressed: frame.length, raw: tar.length }, { compressed: checksum.length, raw: 0 });
  return Buffer.concat([...pieces, checksum, encodeSeekTable(frames)]);
}
