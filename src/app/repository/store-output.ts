// Writes a snapshot into a store without a copy on this machine: sent while it is made, then read
// back, or vouched for by the store, and published.
import { posix } from 'node:path';
import { TidemarkError } from '../../model/errors.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { Spool } from '../../store/spool.js';
import type { WrittenObject } from '../../store/store.js';
import { openStored } from '../archive/open-bytes.js';
import { textsBesideArchive } from '../seal/seal-archive.js';
import { verifyEnd, verifyWritten } from '../seal/verify-sealed.js';
import { checkNamed, type OutputOptions, type RepositoryOutput } from './output.js';
import { Pipe } from './pipe.js';
import { checkWriter, StorePublication } from './publication.js';
import { verificationOf } from './records.js';
import type { Repository } from './repository.js';

export interface StoreOutputOptions extends OutputOptions {
  /** Of the writer that took the series over. Without one, it is somebody who adds one snapshot beside whatever else happens. */
  readonly token?: bigint;
}

/** @throws TidemarkError STORE_ERROR, FILE_ERROR, LOCK_LOST where another process has taken over */
export async function openStoreOutput(
  repository: Repository,
  { started, encrypted = false, verify = 'read', onEvent, signal, token }: StoreOutputOptions,
): Promise<RepositoryOutput> {
  await checkWriter(await repository.store(), repository.prefix, token);
  const place = await repository.place();
  const spool = await Spool.open();
  const pipe = new Pipe();
  let publication: StorePublication | undefined;
  let put: Promise<WrittenObject> | undefined;
  let published: StoredSnapshot | undefined;

  return {
    place,
    spoolPrefix: spool.prefix,
    keepsBytes: false,
    // Nothing counts before the end, and what was written goes.
    untouched: true,
    get published() {
      return published;
    },
    async begin({ position, bytes }) {
      publication = await StorePublication.begin(repository, position, { token, encrypted });
      put = publication.put(pipe, { expectedBytes: bytes });
      put.catch((error: unknown) => pipe.fail(error));
    },
    write: (bytes) => pipe.write(bytes),
    async finish(archive, manifest) {
      checkNamed(archive, encrypted);
      if (publication === undefined) throw new TidemarkError('INTERNAL', 'write a snapshot to a store: it was never begun');
      const { store, key } = publication;
      const texts = await textsBesideArchive(archive, { name: posix.basename(key) });
      await publication.sign(texts.signature);
      pipe.end();
      const sent = await put;
      const { bytes } = await openStored(store, key);
      const check = verify === 'checksum' && sent?.vouched ? verifyEnd : verifyWritten;
      await check(archive, bytes, {
        attempt: `read ${key} of ${store.location} back`,
        hint: 'see the log of the server; it was removed, nothing was published',
        ...(onEvent && { onEvent }),
        ...(signal && { signal }),
      });
      signal?.throwIfAborted();
      const durationMs = Math.round(performance.now() - started);
      const record = verificationOf(manifest, { sha256: archive.sha256, bytes: archive.bytes, durationMs });
      published = (await publication.publish({ manifest, texts, record })).snapshot;
    },
    async [Symbol.asyncDispose]() {
      pipe.fail(new TidemarkError('ABORTED', `write a snapshot to ${repository.location}: it was given up`));
      await publication?.[Symbol.asyncDispose]();
      await spool[Symbol.asyncDispose]();
    },
  };
}
