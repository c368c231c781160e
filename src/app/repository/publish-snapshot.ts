// The use cases that bring a snapshot into a store by hand: one that is taken for it, and one that is there already. Several at once do no
// harm to each other, nor to a scheduler of the same series: each takes a name of its own, and `latest.json` points to the newest.
import { posix } from 'node:path';
import { checksumText, encryptedManifestSidecar, signatureSidecar } from '../../archive/sidecars.js';
import { TidemarkError } from '../../model/errors.js';
import type { EventListener } from '../../model/events.js';
import { type OptionNames, refuseUnknownOptions, withoutNames } from '../../model/option-names.js';
import type { StoredSnapshot } from '../../model/stored-snapshot.js';
import { abortReason } from '../abort.js';
import { openNamedArchive } from '../archive/open-bytes.js';
import { openSealed, trustOf } from '../seal/open-sealed.js';
import { verifySealed } from '../seal/verify-sealed.js';
import type { SnapshotOptions } from '../snapshot/options.js';
import { snapshotOptionNames } from '../snapshot/options.js';
import { type SnapshotResult, snapshotInto } from '../snapshot/take-snapshot.js';
import { withBase } from './base.js';
import { advanceLatest, type LatestSnapshot, own, readLatest } from './latest.js';
import { refuseWithoutOthers } from './others.js';
import type { RepositoryOutput } from './output.js';
import { pointerTo } from './output.js';
import { checkWriter, type Published, StorePublication } from './publication.js';
import { withPushes } from './push-others.js';
import { verificationOf } from './records.js';
import { Repository, type RepositoryOptions, repositoryOptionNames } from './repository.js';
import { openStoreOutput } from './store-output.js';

export type { LatestSnapshot };

export interface PublishOptions extends Omit<SnapshotOptions, 'file'>, RepositoryOptions {
  /** How it is known that it is whole before it counts. `checksum`, the default: the store tells the SHA-256 of what it has; where it does not,
   *  and with `read`, every byte is read back and verified. */
  readonly verify?: 'read' | 'checksum';
}

const publishOptionNames: OptionNames<PublishOptions> = {
  verify: true,
  ...repositoryOptionNames,
  ...withoutNames(snapshotOptionNames, ['file']),
};

export interface PublishResult extends Omit<SnapshotResult, 'file'> {
  readonly snapshot: StoredSnapshot;
}

/** Takes a snapshot straight into a store: no copy of it lies on this machine. It counts once the store vouches for its
 *  bytes, or all of them were read back from there. On any failure nothing is left: no object, no session.
 *  @throws TidemarkError those of takeSnapshot, STORE_ERROR, PACKAGE_MISSING
 *  @example
 *  await publishSnapshot({ database, store: 's3://backups/chain', prefix: 'mainnet', layout: 'dated' }) */
export async function publishSnapshot(given: PublishOptions): Promise<PublishResult> {
  refuseUnknownOptions(given, publishOptionNames, 'take a snapshot');
  const { store, prefix, layout, storeOptions, verify = 'checksum', ...options } = given;
  const place = { store, ...trustOf(options), ...(prefix && { prefix }), ...(layout && { layout }), ...(storeOptions && { storeOptions }) };
  await using repository = new Repository(place);
  const { onEvent, signal } = options;
  const started = performance.now();
  const onTrouble = ({ message }: TidemarkError): void => onEvent?.({ type: 'notice', message: `all partitions are exported: ${message}` });
  const completed = options.completed && (await withBase(options.completed, { repository, listing: await repository.list(), onTrouble }));
  let output: RepositoryOutput | undefined;
  const result = await snapshotInto(
    async ({ recipients }) => {
      const encrypted = recipients !== undefined;
      output = await openStoreOutput(repository, { started, encrypted, verify, ...(onEvent && { onEvent }), ...(signal && { signal }) });
      return output;
    },
    { ...options, ...(completed && { completed }) },
  );
  if (output?.published === undefined) throw new TidemarkError('INTERNAL', 'take a snapshot: it was not published');
  return { ...result, snapshot: output.published };
}

export interface PushOptions extends RepositoryOptions {
  /** The archive: a path or a URL. */
  readonly file: string;
  readonly onEvent?: EventListener;
  readonly signal?: AbortSignal;
}

const pushOptionNames: OptionNames<PushOptions> = { file: true, onEvent: true, signal: true, ...repositoryOptionNames };

export interface PushResult {
  readonly snapshot: StoredSnapshot;
  /** False where the store had the same archive already. */
  readonly sent: boolean;
  /** Whether `latest.json` points to it. */
  readonly latest: boolean;
}

/** Copies an archive into a store: every byte is verified first, and read back from the store. What the store has already is not sent again.
 *  @throws TidemarkError ARCHIVE_*, where it refers to others that the store has not, with the commands that bring them; STORE_ERROR, FILE_ERROR,
 *  DISK_FULL, ABORTED */
export async function pushSnapshot(given: PushOptions): Promise<PushResult> {
  refuseUnknownOptions(given, pushOptionNames, 'push');
  const { file, onEvent, signal, ...options } = given;
  await using repository = new Repository(options);
  const more = { ...(onEvent && { onEvent }), ...(signal && { signal }) };
  try {
    const store = await repository.store();
    await checkWriter(store, repository.prefix, undefined);
    const opened = await openSealed(file, { ...more, ...trustOf(options) });
    const encrypted = opened.encrypted !== undefined;
    const beside = { signature: await opened.beside(signatureSidecar('')), manifest: await opened.beside(encryptedManifestSidecar('')) };
    const { manifest, manifestText, sha256, bytes: size } = await verifySealed(opened, more);
    const { snapshots } = await repository.list();
    const same = snapshots.find(({ verification }) => verification.sha256 === sha256);
    if (same !== undefined) {
      const snapshot = pointerTo({ layout: repository.layout, id: same.id, key: same.key }, { manifest, archive: { sha256, bytes: size } });
      return { snapshot: same, sent: false, latest: await advanceLatest(store, { series: repository.prefix, snapshot }) };
    }
    const source = await openNamedArchive(file, more);
    await using sourceBytes = source.bytes;
    let key = '';
    const publish = async (): Promise<Published> => {
      await using publication = await StorePublication.begin(repository, manifest.position, { encrypted });
      key = publication.key;
      await refuseWithoutOthers(store, key, manifest);
      await publication.sign(beside.signature?.content.toString('utf8'));
      await publication.put(stoppable(sourceBytes.stream(0n, size), signal), { size, sha256 });
      signal?.throwIfAborted();
      const texts = {
        checksum: checksumText(sha256, posix.basename(key)),
        signature: beside.signature?.content.toString('utf8'),
        manifest: encrypted ? beside.manifest?.content.toString('latin1') : manifestText,
      };
      return await publication.publish({ manifest, texts, record: verificationOf(manifest, { sha256, bytes: size }) });
    };
    const published = await publish().catch(async (error: unknown) => {
      if (!(error instanceof TidemarkError) || error.code !== 'ARCHIVE_MISSING_PART') throw error;
      throw await withPushes(error, { repository, opened: source, key, archives: manifest.archives ?? [] });
    });
    return { ...published, sent: true };
  } catch (error) {
    throw abortReason(signal) ?? error;
  }
}

/** What `latest.json` of a store points to: of a series, where no prefix is given of the only one. Undefined where nothing was published.
 *  @throws TidemarkError STORE_ERROR, FILE_ERROR */
export async function latestSnapshot(options: RepositoryOptions): Promise<LatestSnapshot | undefined> {
  refuseUnknownOptions(options, repositoryOptionNames, 'look for the latest snapshot');
  await using repository = new Repository(options);
  const latest = await readLatest(await repository.store());
  const [only, ...more] = Object.values(latest);
  return options.prefix === undefined && more.length === 0 ? only : own(latest, repository.prefix);
}

async function* stoppable(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal?.throwIfAborted();
    yield chunk;
  }
}
