// Puts members one behind the other into an archive and ends it: manifest, checksum, seek table. It never seeks, so that the sink may be a
// pipe. Compressing chunks is done elsewhere (frame/encode.ts); files, fsync and renaming belong to whoever owns the sink.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Codec } from '../frame/codec.js';
import { type EncodedMember, encodeMember, headroom, tailroom } from '../frame/encode.js';
import { catalogMember } from '../frame/member-names.js';
import { encodeText } from '../model/byte-text.js';
import { TidemarkError } from '../model/errors.js';
import { fileError, isSystemError } from '../model/file-error.js';
import type { FrameSize, Manifest, StoredMember } from '../model/manifest.js';
import { encodeChecksumFrame } from './checksum-frame.js';
import { compareSeen } from './compare-seen.js';
import { jsonLimits } from './json-bounds.js';
import { checkLayout } from './layout.js';
import { manifestTar } from './manifest-frame.js';
import { serializeManifest } from './manifest-schema.js';
import { encodeSeekTable } from './seek-table.js';

/** Writes up to here are gathered into larger ones: thousands of small tables would else be thousands of them. */
const smallBytes = 64 << 10;
const gatherBytes = 256 << 10;

/** Where the bytes of an archive go. The promise holds the writer back. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

export interface WrittenArchive {
  /** Size of the whole archive. */
  readonly bytes: bigint;
  /** SHA-256 of the whole archive, in hex: what `sha256sum` prints. */
  readonly sha256: string;
  /** The manifest as it stands in the archive, for the sidecar. */
  readonly manifestText: string;
  /** The bytes of the archive from the manifest's frame on. */
  readonly end: Buffer;
}

/**
 * Writes one archive. Members lie in the order of the calls, which may overlap; after a failed write every later call fails, too.
 * The order of the format is up to the caller: catalog, pre-data, data, post-data; `finish` checks it.
 */
export class ArchiveWriter {
  readonly #sink: ByteSink;
  readonly #codec: Codec;
  readonly #level: number;
  readonly #hash = createHash('sha256');
  readonly #frames: FrameSize[] = [];
  readonly #members: StoredMember[] = [];
  #offset = 0n;
  /** Small members that were not passed on yet, and how much of them there is. */
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;
  #last: Promise<unknown> = Promise.resolve();
  #finished = false;

  constructor({ sink, codec, level }: { readonly sink: ByteSink; readonly codec: Codec; readonly level: number }) {
    this.#sink = sink;
    this.#codec = codec;
    this.#level = level;
  }

  /** Bytes written so far. */
  get bytes(): bigint {
    return this.#offset;
  }

  /** Compresses a text and appends it: for the schema's members. Blocks while it compresses.
   *  @param text may stand for bytes that are no UTF-8 (model/byte-text.ts) */
  async addMember(name: string, text: string): Promise<StoredMember> {
    const buffer = encodeText(text, headroom, tailroom);
    const bodyBytes = buffer.length - headroom - tailroom;
    if (name === catalogMember && bodyBytes > jsonLimits.bytes) {
      throw new TidemarkError('UNSUPPORTED_OBJECT', `write ${name}: it has ${bodyBytes} bytes, and ${jsonLimits.bytes} are the most`, {
        hint: 'take several snapshots of fewer tables each',
      });
    }
    return this.append(encodeMember(this.#codec, { name, buffer, bodyBytes, level: this.#level }));
  }

  /** Appends frames that were made elsewhere; removes the file that they are in. Gives what the manifest has to say of them. */
  append(member: EncodedMember): Promise<StoredMember> {
    return this.#inTurn(async () => {
      const offset = this.#offset;
      const { name, content, frames, sha256 } = member;
      if (content.kind === 'buffer') await this.#write(content.bytes);
      else await this.#writeFile(name, content.path);
      const length = this.#offset - offset;
      if (length !== BigInt(member.length))
        throw new TidemarkError('INTERNAL', `write member ${name}: ${length} bytes of it, not ${member.length}`);
      this.#frames.push(...frames);
      const stored: StoredMember = { member: name, offset, length, frames, rawBytes: BigInt(member.rawBytes), sha256 };
      this.#members.push(stored);
      return stored;
    });
  }

  /**
   * Writes the manifest, the checksum and the seek table. Throws ARCHIVE_CORRUPT, before anything of them is written, where the manifest
   * does not say of every member what was written; ZodError where it breaks its schema.
   */
  finish(manifest: Manifest): Promise<WrittenArchive> {
    return this.#inTurn(async () => {
      checkLayout(manifest, this.#frames);
      compareSeen(manifest, this.#members);
      const manifestText = serializeManifest(manifest);
      const tar = manifestTar(manifestText);
      const frame = this.#codec.compress(tar, this.#level);
      await this.#write(frame);
      await this.#passOn();
      const checksum = encodeChecksumFrame(this.#hash.copy().digest('hex'));
      await this.#write(checksum);
      this.#frames.push({ compressed: frame.length, raw: tar.length }, { compressed: checksum.length, raw: 0 });
      const seekTable = encodeSeekTable(this.#frames);
      await this.#write(seekTable);
      await this.#passOn();
      this.#finished = true;
      const end = Buffer.concat([frame, checksum, seekTable]);
      return { bytes: this.#offset, sha256: this.#hash.digest('hex'), manifestText, end };
    });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#offset += BigInt(bytes.length);
    if (bytes.length > smallBytes) {
      await this.#passOn();
      await this.#put(bytes);
      return;
    }
    if (this.#gatheredBytes + bytes.length > gatherBytes) await this.#passOn();
    // New memory each time: a sink may keep what it was given.
    this.#gathered ??= Buffer.allocUnsafeSlow(gatherBytes);
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  async #passOn(): Promise<void> {
    const bytes = this.#gathered?.subarray(0, this.#gatheredBytes);
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    if (bytes !== undefined) await this.#put(bytes);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.#sink.write(bytes);
  }

  /** Frames in a file, which is removed then. */
  async #writeFile(name: string, path: string): Promise<void> {
    try {
      for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) await this.#write(piece);
      await rm(path);
    } catch (error) {
      throw isSystemError(error) ? fileError(error, `read ${name} from ${path}`) : error;
    }
  }

  /** One after the other; once one failed, an unknown number of bytes was written, and nothing may follow. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#finished) throw new TidemarkError('INTERNAL', 'write the archive: it is finished');
      return action();
    });
    this.#last = turn;
    turn.catch(() => {});
    return turn;
  }
}
