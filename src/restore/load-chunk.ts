// One chunk into one table: the hash is checked before a row is sent, the count of the server after. Used by the workers and by the
// restore on a single session; which chunk goes where is decided elsewhere.
import type { FileHandle } from 'node:fs/promises';
import type { Codec } from '../frame/codec.js';
import { decodeMember, fitsWhole, openMemberStream, readFrames } from '../frame/decode.js';
import { TidemarkError } from '../model/errors.js';
import type { StoredChunk, StoredMember } from '../model/manifest.js';
import { copyIn } from '../pg/copy-in.js';
import type { Session } from '../pg/session.js';
import { restoreError } from './restore-error.js';

/** Bytes of a member's body. A large one comes in pieces, so that memory stays within a few chunks. */
export type Body = readonly Uint8Array[] | AsyncIterable<Uint8Array>;

/** The body of a member of an archive file, checked.
 *  @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED; for a large member also while it is iterated */
export async function readBody(codec: Codec, file: FileHandle, stored: StoredMember): Promise<Body> {
  if (fitsWhole(stored)) return [decodeMember(codec, await readFrames(file, stored), stored)];
  return openMemberStream(codec, file, stored);
}

export interface Delivery {
  readonly sql: string;
  /** For messages. */
  readonly table: string;
  readonly body: Body;
  /** What the manifest says; undefined where that comes later. */
  readonly rows: bigint | undefined;
}

/** COPY of one chunk.
 *  @throws TidemarkError RESTORE_FAILED when the server refuses, or counts other rows than the manifest; CONNECTION_LOST */
export async function deliver(session: Session, { sql, table, body, rows }: Delivery): Promise<bigint> {
  let copied: bigint;
  try {
    copied = await copyIn(session, sql, body);
  } catch (error) {
    throw restoreError(error, `rows of table ${table}`);
  }
  if (rows !== undefined && copied !== rows) {
    throw new TidemarkError('RESTORE_FAILED', `restore rows of table ${table}: the archive has ${rows} rows, the server took ${copied}`, {
      hint: 'look for a trigger or rule on the table that swallows rows',
    });
  }
  return copied;
}

/** As `deliver`, from an archive file. */
export async function deliverChunk(
  session: Session,
  { sql, table, chunk, codec, file }: { sql: string; table: string; chunk: StoredChunk; codec: Codec; file: FileHandle },
): Promise<bigint> {
  return deliver(session, { sql, table, rows: chunk.rows, body: await readBody(codec, file, chunk) });
}
