// Cuts a stream of bytes that cannot be sought into zstd frames, and hashes them while they pass. What the frames hold is for
// stream-reader.ts.
import { createHash, type Hash } from 'node:crypto';
import { type FrameHeader, FrameWalker } from '../frame/walk.js';
import { TidemarkError } from '../model/errors.js';
import { maximumFrames } from './seek-table.js';

/** A frame whose header has come. Its bytes have to be taken before the next frame can be. */
export interface SourceFrame {
  readonly offset: bigint;
  readonly header: FrameHeader;
  /** All bytes of the frame from its magic on, as they come; once. Throws ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT. */
  bytes(): AsyncGenerator<Buffer>;
  /** As one buffer. Throws ARCHIVE_CORRUPT as soon as there are more than `limit`. */
  collect(limit: number): Promise<Buffer>;
}

export class FrameSource {
  readonly #input: AsyncIterator<Uint8Array>;
  readonly #walker = new FrameWalker();
  readonly #all = createHash('sha256');
  #member: Hash | undefined;
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;
  #checksum: string | undefined;
  #count = 0;

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  /** SHA-256, in hex, of all bytes before the first skippable frame that came. */
  get checksum(): string | undefined {
    return this.#checksum;
  }

  /** From here on bytes are hashed for a member, too. */
  beginMember(): void {
    this.#member = createHash('sha256');
  }

  /** SHA-256 of the member's bytes, in hex. */
  endMember(): string {
    const digest = this.#member?.digest('hex') ?? '';
    this.#member = undefined;
    return digest;
  }

  /** Length of the current frame, once all of it was taken. */
  get frameLength(): number {
    return this.#walker.length;
  }

  /** The next frame; undefined at the end of the stream. Throws ARCHIVE_TRUNCATED, ARCHIVE_CORRUPT. */
  async next(): Promise<SourceFrame | undefined> {
    if (this.#walker.ended) this.#walker.next();
    this.#count += 1;
    if (this.#count > maximumFrames + 2) {
      throw new TidemarkError(
        'ARCHIVE_CORRUPT',
        `read the archive at offset ${this.#walker.offset}: it has more than ${maximumFrames} frames`,
      );
    }
    const head: Buffer[] = [];
    if (!(await this.#fill())) return undefined;
    while (this.#walker.header === undefined) {
      if (!(await this.#fill())) throw this.#truncated();
      head.push(this.#take());
    }
    const { header, offset } = this.#walker;
    if (header.kind === 'skippable') this.#checksum ??= this.#all.copy().digest('hex');
    const bytes = (): AsyncGenerator<Buffer> => this.#bytes(Buffer.concat(head));
    return { offset, header, bytes, collect: (limit) => collect(bytes(), { limit, offset }) };
  }

  /** Lets go of the input. */
  async close(): Promise<void> {
    await this.#input.return?.();
  }

  async *#bytes(head: Buffer): AsyncGenerator<Buffer> {
    let piece = head;
    for (;;) {
      this.#all.update(piece);
      this.#member?.update(piece);
      yield piece;
      if (this.#walker.ended) return;
      if (!(await this.#fill())) throw this.#truncated();
      piece = this.#take();
    }
  }

  /** Bytes up to the next point of interest, or all that there are. */
  #take(): Buffer {
    const taken = this.#walker.feed(this.#piece, this.#at);
    const slice = this.#piece.subarray(this.#at, this.#at + taken);
    this.#at += taken;
    return slice;
  }

  /** True where there are bytes to take. */
  async #fill(): Promise<boolean> {
    while (this.#at === this.#piece.length) {
      const { done, value } = await this.#input.next();
      if (done) return false;
      this.#piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      this.#at = 0;
    }
    return true;
  }

  #truncated(): TidemarkError {
    const end = this.#walker.offset + BigInt(this.#walker.length);
    return new TidemarkError('ARCHIVE_TRUNCATED', `read the archive: it is cut short: it ends at offset ${end}, within a frame`, {
      hint: 'look whether the command that writes into the pipe failed',
      details: { offset: end },
    });
  }
}

async function collect(
  bytes: AsyncIterable<Buffer>,
  { limit, offset }: { readonly limit: number; readonly offset: bigint },
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > limit) {
      throw new TidemarkError(
        'ARCHIVE_CORRUPT',
        `read the frame at offset ${offset}: it has more than the ${limit} bytes that it may have`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
