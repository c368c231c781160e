// Where a snapshot's bytes go: a file that becomes visible only when it is whole, or a stream that takes them in order.
import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { checksumSidecar, encryptedManifestSidecar, manifestSidecar, signatureSidecar } from '../../archive/sidecars.js';
import type { ByteSink } from '../../archive/writer.js';
import { FileBytes } from '../../frame/file-bytes.js';
import { TidemarkError } from '../../model/errors.js';
import { fileError } from '../../model/file-error.js';
import type { Manifest } from '../../model/manifest.js';
import type { Position } from '../../model/position.js';
import { FilePublication } from '../../store/publish-file.js';
import { Spool } from '../../store/spool.js';
import { parseArchiveName } from '../archive/name.js';
import { type Place, placeIn } from '../archive/place.js';
import { type SealedArchive, textsBesideArchive } from '../seal/seal-archive.js';
import { verifyEnd } from '../seal/verify-sealed.js';
import type { Destination } from './sight.js';

export interface SnapshotOutput extends ByteSink, Destination {
  /** Where the archive is going to lie, as far as others have to be found from there; undefined for a stream. */
  readonly place: Place | undefined;
  /** Before the first byte, once it is known what is going to be written. @param bytes at most, as far as can be told */
  begin(expected: { readonly position: Position; readonly bytes: bigint }): Promise<void>;
  /** Proves and publishes the archive. */
  finish(archive: SealedArchive, manifest: Manifest): Promise<void>;
}

/** @param alone without sidecars; those of an archive that is replaced are removed */
export async function openOutput(file: string | Writable, { alone = false } = {}): Promise<SnapshotOutput> {
  return typeof file === 'string' ? await fileOutput(pathOf(file), alone) : await streamOutput(file);
}

/** A URL would be a path to a directory that is not there. */
function pathOf(file: string): string {
  const parsed = parseArchiveName(file);
  if (parsed.kind === 'path') return parsed.path;
  throw new TidemarkError('USAGE', 'take a snapshot into a file: the name of the file is a URL', {
    hint: 'give a path; --store URL (publishSnapshot) takes a snapshot straight into a store, under a name that it gives itself',
  });
}

/** The same output, but a write ends with the signal: one into a pipe lasts for as long as its reader stands still. */
export function endingWith(signal: AbortSignal, output: SnapshotOutput): SnapshotOutput {
  return {
    place: output.place,
    spoolPrefix: output.spoolPrefix,
    keepsBytes: output.keepsBytes,
    get untouched() {
      return output.untouched;
    },
    begin: (expected) => output.begin(expected),
    async write(bytes) {
      signal.throwIfAborted();
      let stop = (): void => undefined;
      const aborted = new Promise<never>((_, reject) => {
        stop = () => reject(signal.reason);
      });
      signal.addEventListener('abort', stop, { once: true });
      try {
        await Promise.race([output.write(bytes), aborted]);
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    finish: (archive, manifest) => output.finish(archive, manifest),
    [Symbol.asyncDispose]: () => output[Symbol.asyncDispose](),
  };
}

async function fileOutput(path: string, alone: boolean): Promise<SnapshotOutput> {
  const publication = await FilePublication.open(path);
  return {
    place: await placeIn(dirname(path), basename(path)),
    spoolPrefix: `${publication.temporary}-rows`,
    keepsBytes: false,
    untouched: true,
    async begin() {},
    write: (bytes) => publication.write(bytes),
    async finish(archive) {
      await publication.sync();
      await verifyEnd(archive, await FileBytes.open(publication.temporary), {
        attempt: 'read the new archive back',
        hint: 'check the file system; nothing was published',
      });
      const { checksum, signature, manifest } = await textsBesideArchive(archive, { name: basename(path) });
      const encrypted = archive.sealing.recipients !== undefined;
      const beside = [
        [checksumSidecar(path), checksum],
        [signatureSidecar(path), signature],
        [encryptedManifestSidecar(path), encrypted ? manifest : undefined],
        [manifestSidecar(path), encrypted ? undefined : manifest],
      ] as const;
      await publication.publish(beside.map(([name, content]) => [name, alone ? undefined : content]));
    },
    [Symbol.asyncDispose]: () => publication[Symbol.asyncDispose](),
  };
}

async function streamOutput(stream: Writable): Promise<SnapshotOutput> {
  const spool = await Spool.open();
  let failure: Error | undefined;
  let touched = false;
  const onError = (error: Error): void => {
    failure = error;
  };
  stream.on('error', onError);
  return {
    place: undefined,
    spoolPrefix: spool.prefix,
    // A stream that passes on what it gets, such as PassThrough, is done with a write before the next one has read it.
    keepsBytes: true,
    get untouched() {
      return !touched;
    },
    async begin() {},
    async write(bytes) {
      touched = true;
      await new Promise<void>((resolve, reject) => {
        stream.write(bytes, (error) => (error ? reject(fileError(error, 'write the archive to its stream')) : resolve()));
      });
    },
    async finish() {
      if (failure) throw fileError(failure, 'write the archive to its stream');
    },
    async [Symbol.asyncDispose]() {
      stream.off('error', onError);
      await spool[Symbol.asyncDispose]();
    },
  };
}
