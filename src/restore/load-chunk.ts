// One chunk into one table: the hash is checked before a row is sent, the count of the server after. Used by the workers and by the
// restore on a single session; which chunk goes where is decided elsewhere.
import type { Codec } from '../frame/codec.js';
import { decodeMember, fitsWhole, openMemberStream, readFrames } from '../frame/decode.js';
import type { Seekable } from '../frame/seekable.js';
import { TidemarkError } from '../model/errors.js';
import type { StoredMember } from '../model/manifest.js';
import { copyIn } from '../pg/copy-in.js';
import type { Session } from '../pg/session.js';
import { archiveOf } from './archives.js';
import type { Staging } from './large-objects.js';
import type { LoadRequest } from './load-messages.js';
import { restoreError } from './restore-error.js';

/** Bytes of a member's body. A large one comes in pieces, so that memory stays within a few chunks. */
export type Body = readonly Uint8Array[] | AsyncIterable<Uint8Array>;

/** The body of a member of an archive, checked.
 *  @param frames its bytes, where they were read already
 *  @throws TidemarkError ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED; for a large member also while it is iterated */
export async function readBody(codec: Codec, bytes: Seekable, stored: StoredMember, frames?: Uint8Array): Promise<Body> {
  if (fitsWhole(stored)) return [decodeMember(codec, frames ?? (await readFrames(bytes, stored)), stored)];
  return openMemberStream(codec, bytes, stored);
}

export interface Delivery {
  readonly sql: string;
  /** For messages: `rows of table public.events`. */
  readonly what: string;
  readonly staging?: Staging | undefined;
  readonly triggersAside?: true | undefined;
  readonly body: Body;
  /** What the manifest says; undefined where that comes later. */
  readonly rows: bigint | undefined;
}

/** COPY of one chunk.
 *  @throws TidemarkError RESTORE_FAILED when the server refuses, or counts other rows than the manifest; CONNECTION_LOST */
export async function deliver(session: Session, { sql, staging, triggersAside, what, body, rows }: Delivery): Promise<bigint> {
  let copied: bigint;
  try {
    if (staging !== undefined) await prepare(session, staging);
    const set = triggersAside === true && (await setTriggersAside(session));
    copied = await copyIn(session, sql, body);
    if (set) await session.query('RESET session_replication_role');
    if (staging !== undefined) await take(session, staging, copied);
  } catch (error) {
    throw restoreError(error, what);
  }
  if (rows !== undefined && copied !== rows) {
    throw new TidemarkError('RESTORE_FAILED', `restore ${what}: the archive has ${rows}, the server took ${copied}`, {
      hint: 'look for a trigger or rule on the table that swallows rows',
    });
  }
  return copied;
}

/** A superuser puts in exactly the rows that there were, in any order, also where foreign keys and triggers are there already.
 *  @returns false where they are aside already, or may not be set aside */
async function setTriggersAside(session: Session): Promise<boolean> {
  const set = await session.query(
    `SELECT set_config('session_replication_role', 'replica', false) FROM pg_roles
      WHERE rolname = current_user AND rolsuper AND current_setting('session_replication_role') <> 'replica'`,
  );
  return set.length > 0;
}

/** Sessions that have what staging needs. */
const prepared = new WeakSet<Session>();

async function prepare(session: Session, { prepare: statements }: Staging): Promise<void> {
  if (prepared.has(session)) return;
  for (const statement of statements) await session.query(statement);
  prepared.add(session);
}

async function take(session: Session, { take: statement, clear }: Staging, copied: bigint): Promise<void> {
  const { taken } = await session.one<{ taken: string }>(statement);
  if (BigInt(taken) !== copied) throw new TidemarkError('INTERNAL', `restore large objects: of ${copied} pieces ${taken} were put`);
  await session.query(clear);
}

/** As `deliver`, from an archive of which any part can be read: one after the other, each read while the server takes the one before it. */
export async function deliverChunks(session: Session, requests: readonly LoadRequest[], { codec, archives }: ChunkSource): Promise<void> {
  let next = requests[0] && read(requests[0], { codec, archives });
  for (const [place, request] of requests.entries()) {
    const body = next as Promise<Body>;
    const after = requests[place + 1];
    next = after && read(after, { codec, archives });
    // Where this one fails, nobody asks for that.
    next?.catch(() => undefined);
    await deliverRead(session, request, { archives, body });
  }
}

/** Where chunks come from. */
export interface ChunkSource {
  readonly codec: Codec;
  readonly archives: readonly (Seekable | undefined)[];
}

async function read({ chunk, archive, frames }: LoadRequest, { codec, archives }: ChunkSource): Promise<Body> {
  return readBody(codec, archiveOf(archives, archive), chunk, frames);
}

async function deliverRead(
  session: Session,
  { chunk, archive, frames: _taken, ...delivery }: LoadRequest,
  { archives, body }: { readonly archives: ChunkSource['archives']; readonly body: Promise<Body> },
): Promise<void> {
  try {
    await deliver(session, { rows: chunk.rows, body: await body, ...delivery });
  } catch (error) {
    // Of several archives, which one is damaged?
    const { name } = archiveOf(archives, archive);
    const named = archive === 0 || !(error instanceof TidemarkError) || !error.code.startsWith('ARCHIVE_');
    if (named || error.message.includes(name)) throw error;
    const { code, message, hint, details, cause } = error;
    throw new TidemarkError(code, `${message}, in ${name}`, { details, cause, ...(hint === undefined ? {} : { hint }) });
  }
}
