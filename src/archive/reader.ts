// An archive, open for reading any member of it, wherever it lies. Opening reads only its end; members are checked one by one, when
// they are read. Checking all of it is verify.ts.
import type { Codec } from '../frame/codec.js';
import { decodeMember, fitsWhole, openMemberStream, readFrames, wholeMemberLimit } from '../frame/decode.js';
import { FileBytes } from '../frame/file-bytes.js';
import { catalogMember } from '../frame/member-names.js';
import type { Seekable } from '../frame/seekable.js';
import { tarBytes } from '../frame/tar.js';
import { loadCodec } from '../frame/zstd.js';
import type { Catalog } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Manifest, StoredMember } from '../model/manifest.js';
import { decodeCatalog } from './catalog-schema.js';
import { checkJsonSize, type JsonLimits, jsonLimits } from './json-bounds.js';
import { type ArchiveTail, readTail } from './tail.js';

/** An archive that was opened; its manifest agrees with its frames. Close it, or let `await using` do so. */
export class ArchiveReader {
  /** For messages: path, or URL without secrets. */
  readonly path: string;
  /** Bytes of the archive. */
  readonly size: bigint;
  readonly manifest: Manifest;
  /** What the end of the archive says, for those who check all of it. */
  readonly tail: ArchiveTail;
  readonly bytes: Seekable;
  readonly codec: Codec;
  /** What the catalog may be. */
  readonly limits: JsonLimits;

  constructor({ bytes, tail, codec, limits }: Pick<ArchiveReader, 'bytes' | 'tail' | 'codec' | 'limits'>) {
    this.limits = limits;
    this.path = bytes.name;
    this.size = bytes.size;
    this.tail = tail;
    this.manifest = tail.manifest;
    this.bytes = bytes;
    this.codec = codec;
  }

  /** The body of a member of at most 32 MiB, after its hash was found right. Throws ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED. */
  readMember(member: StoredMember): Promise<Buffer> {
    return this.#read(member, wholeMemberLimit);
  }

  /** The body of a member of any size, in pieces; nothing comes before its hash was found right. Throws as `readMember`. */
  async openMember(member: StoredMember): Promise<AsyncIterable<Buffer>> {
    if (!fitsWhole(member)) return openMemberStream(this.codec, this.bytes, member);
    const body = await this.readMember(member);
    return (async function* () {
      if (body.length > 0) yield body;
    })();
  }

  /** schema/catalog.json. Throws ARCHIVE_CORRUPT. */
  async readCatalog(): Promise<Catalog> {
    const stored = this.manifest.schema.find(({ member }) => member === catalogMember);
    if (stored === undefined) throw new TidemarkError('ARCHIVE_CORRUPT', `read ${this.path}: it has no ${catalogMember}`);
    checkJsonSize(catalogMember, stored.rawBytes, this.limits);
    return this.decodeCatalog(await readFrames(this.bytes, stored), stored);
  }

  /** The same out of its frames. */
  decodeCatalog(frames: Buffer, stored: StoredMember): Catalog {
    return decodeCatalog(decodeMember(this.codec, frames, stored, { limit: tarBytes(this.limits.bytes) }), this.limits);
  }

  async #read(member: StoredMember, limit: number): Promise<Buffer> {
    if (Number(member.rawBytes) > limit) {
      throw new TidemarkError('INTERNAL', `read member ${member.member}: ${member.rawBytes} bytes are too many to be read at once`);
    }
    return decodeMember(this.codec, await readFrames(this.bytes, member), member, { limit });
  }

  /** And closes its bytes. */
  async close(): Promise<void> {
    await this.bytes[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export interface Acceptance {
  /** Looks at the manifest, as it stands in the archive, before anything else is read. Where it throws, there is no reader. */
  readonly accept?: (manifestText: string) => Promise<void>;
  /** What manifest and catalog may be. */
  readonly limits?: JsonLimits;
}

/**
 * Opens an archive by its end: a file by its path, or bytes that lie anywhere, which are the reader's from now on, also where this fails.
 * Throws FILE_ERROR where the file cannot be read, STORE_ERROR, ARCHIVE_INVALID where it is no archive, ARCHIVE_TRUNCATED where it is
 * cut short, ARCHIVE_CORRUPT where its end contradicts itself, ARCHIVE_TOO_NEW, CODEC_MISSING.
 */
export async function openArchive(archive: string | Seekable, { accept, limits = jsonLimits }: Acceptance = {}): Promise<ArchiveReader> {
  const bytes = typeof archive === 'string' ? await FileBytes.open(archive) : archive;
  try {
    const codec = await loadCodec();
    const tail = await readTail(codec, bytes, limits);
    await accept?.(tail.manifestText);
    return new ArchiveReader({ bytes, tail, codec, limits });
  } catch (error) {
    await bytes[Symbol.asyncDispose]();
    throw error;
  }
}
