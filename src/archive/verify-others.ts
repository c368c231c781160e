// Checks what other archives hold of this one's tables: the SHA-256 of each chunk. That the archives are those that were meant is for
// whoever opens them; their own bytes beside that are their own verification's business.
import { createHash } from 'node:crypto';
import type { Seekable } from '../frame/seekable.js';
import { Sequential } from '../frame/sequential.js';
import type { Manifest, OtherArchive, StoredMember } from '../model/manifest.js';

export type OpenOther = (archive: OtherArchive) => Promise<Seekable>;

/** What was checked of one of them. */
export interface CheckedOther {
  /** As the manifest has it. */
  readonly file: string;
  readonly chunks: number;
  /** Bytes of these chunks. */
  readonly bytes: bigint;
}

export interface OthersOptions {
  readonly open: OpenOther;
  /** Told of each chunk that is not as the manifest says. */
  readonly found: (problem: string, member: StoredMember) => void;
  readonly throwIfAborted: () => void;
}

/** @throws TidemarkError what opening and reading throws */
export async function verifyOthers({ archives = [], tables }: Manifest, options: OthersOptions): Promise<readonly CheckedOther[]> {
  const checked: CheckedOther[] = [];
  for (const [at, archive] of archives.entries()) {
    const chunks = tables.flatMap((table) => (table.in === at ? table.chunks : [])).sort((a, b) => (a.offset < b.offset ? -1 : 1));
    await using bytes = await options.open(archive);
    await using inOrder = new Sequential(bytes);
    for (const chunk of chunks) {
      const sha256 = await hashOf(inOrder, chunk, options.throwIfAborted);
      if (sha256 !== chunk.sha256) {
        options.found(`member ${chunk.member} in ${archive.file}: its SHA-256 is ${sha256}, not ${chunk.sha256}`, chunk);
      }
    }
    checked.push({ file: archive.file, chunks: chunks.length, bytes: chunks.reduce((sum, { length }) => sum + length, 0n) });
  }
  return checked;
}

async function hashOf(bytes: Seekable, { offset, length }: StoredMember, throwIfAborted: () => void): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes.stream(offset, length)) {
    throwIfAborted();
    hash.update(piece);
  }
  return hash.digest('hex');
}
