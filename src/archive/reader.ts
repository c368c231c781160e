// An archive in a file, open for reading any member of it. Opening reads only the end of the file; members are checked one by one, when
// they are read. Checking all of it is verify.ts.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Codec } from '../frame/codec.js';
import { decodeMember, fitsWhole, openMemberStream, readFrames, wholeMemberLimit } from '../frame/decode.js';
import { catalogMember } from '../frame/member-names.js';
import { tarBytes } from '../frame/tar.js';
import { loadCodec } from '../frame/zstd.js';
import type { Catalog } from '../model/catalog.js';
import { TidemarkError } from '../model/errors.js';
import type { Manifest, StoredMember } from '../model/manifest.js';
import { parseCatalog } from './catalog-schema.js';
import { jsonLimit } from './layout.js';
import { type ArchiveTail, readTail } from './tail.js';

/** An archive that was opened; its manifest agrees with the frames of the file. Close it, or let `await using` do so. */
export class ArchiveReader {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: bigint;
  readonly manifest: Manifest;
  /** What the end of the file says, for those who check all of it. */
  readonly tail: ArchiveTail;
  readonly file: FileHandle;
  readonly codec: Codec;

  constructor(found: {
    readonly path: string;
    readonly size: bigint;
    readonly tail: ArchiveTail;
    readonly file: FileHandle;
    readonly codec: Codec;
  }) {
    this.path = found.path;
    this.size = found.size;
    this.tail = found.tail;
    this.manifest = found.tail.manifest;
    this.file = found.file;
    this.codec = found.codec;
  }

  /** The body of a member of at most 32 MiB, after its hash was found right. Throws ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED. */
  readMember(member: StoredMember): Promise<Buffer> {
    return this.#read(member, wholeMemberLimit);
  }

  /** The body of a member of any size, in pieces; nothing comes before its hash was found right. Throws as `readMember`. */
  async openMember(member: StoredMember): Promise<AsyncIterable<Buffer>> {
    if (!fitsWhole(member)) return openMemberStream(this.codec, this.file, member);
    const body = await this.readMember(member);
    return (async function* () {
      if (body.length > 0) yield body;
    })();
  }

  /** schema/catalog.json. Throws ARCHIVE_CORRUPT. */
  async readCatalog(): Promise<Catalog> {
    const stored = this.manifest.schema.find(({ member }) => member === catalogMember);
    if (stored === undefined) throw new TidemarkError('ARCHIVE_CORRUPT', `read ${this.path}: it has no ${catalogMember}`);
    return parseCatalog((await this.#read(stored, tarBytes(jsonLimit))).toString('utf8'));
  }

  async #read(member: StoredMember, limit: number): Promise<Buffer> {
    if (Number(member.rawBytes) > limit) {
      throw new TidemarkError('INTERNAL', `read member ${member.member}: ${member.rawBytes} bytes are too many to be read at once`);
    }
    return decodeMember(this.codec, await readFrames(this.file, member), member, { limit });
  }

  close(): Promise<void> {
    return this.file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens an archive by its end. Throws FILE_ERROR where the file cannot be read, ARCHIVE_INVALID where it is no archive,
 * ARCHIVE_TRUNCATED where it is cut short, ARCHIVE_CORRUPT where its end contradicts itself, ARCHIVE_TOO_NEW, CODEC_MISSING.
 */
export async function openArchive(path: string): Promise<ArchiveReader> {
  const codec = await loadCodec();
  const file = await openFile(path);
  try {
    const stat = await file.stat({ bigint: true });
    if (!stat.isFile()) {
      throw new TidemarkError('FILE_ERROR', `open ${path}: it is not a regular file`, { hint: 'give `-` to read an archive from a pipe' });
    }
    return new ArchiveReader({ path, size: stat.size, tail: await readTail(codec, { file, path, size: Number(stat.size) }), file, codec });
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // Opening a pipe would wait for its writer; what kind of file it is, is asked afterwards.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const what = { ENOENT: 'there is no such file', EACCES: 'permission denied', ENOTDIR: 'a part of the path is no directory' }[code];
    throw new TidemarkError('FILE_ERROR', `open ${path}: ${what ?? (error instanceof Error ? error.message : String(error))}`, {
      hint: 'look whether the path is right and may be read by this user',
      details: { path },
      cause: error,
    });
  }
}
