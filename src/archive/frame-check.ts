// Holds the frames of a member, as they come by, against what the manifest says of them. Nothing is decompressed here.
import { corruptMember } from '../frame/decode.js';
import { FrameWalker } from '../frame/walk.js';
import type { StoredMember } from '../model/manifest.js';

/** Frames must begin and end where the manifest says, and have zstd's own checksum: a reader of a pipe has nothing else until the end. */
export class FrameCheck {
  readonly #member: StoredMember;
  readonly #walker = new FrameWalker();
  #frames = 0;

  constructor(member: StoredMember) {
    this.#member = member;
  }

  /** @throws TidemarkError ARCHIVE_CORRUPT */
  feed(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      at += this.#walker.feed(bytes, at);
      if (this.#walker.ended) this.#endFrame();
    }
  }

  /** @throws TidemarkError ARCHIVE_CORRUPT */
  end(): void {
    if (this.#frames !== this.#member.frames.length || !this.#walker.idle)
      throw corruptMember(this.#member, 'it has other frames than it should');
  }

  #endFrame(): void {
    const { header, length } = this.#walker;
    const expected = this.#member.frames[this.#frames++];
    if (header?.kind !== 'zstd' || !header.checksum) throw corruptMember(this.#member, 'a frame of it has no checksum');
    if (expected?.compressed !== length || (header.contentSize ?? expected.raw) !== expected.raw) {
      throw corruptMember(this.#member, 'it has frames of other sizes than it should');
    }
    this.#walker.next();
  }
}
